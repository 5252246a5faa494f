import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { defaultQuotas, type Quotas } from "./quotas.ts";

/** HealthOmics's own configuration: `healthomics.json` in the data folder, read at start. All of it is optional. */
export interface OmicsSettings {
  readonly quotas: Quotas;
  /** Refuses what exceeds the API quotas of the guide with ThrottlingException. @default false */
  readonly isThrottling: boolean;
}

const names = Object.keys(defaultQuotas) as readonly (keyof Quotas)[];

const file = z.strictObject({
  quotas: z.strictObject(Object.fromEntries(names.map((name) => [name, z.number().positive().optional()]))).optional(),
  throttling: z.boolean().optional(),
});

/** @throws Error naming the file and what is wrong in it */
export function readSettings(dataDir: string): OmicsSettings {
  const path = join(dataDir, "healthomics.json");
  if (!existsSync(path)) return { quotas: defaultQuotas, isThrottling: false };
  const parsed = file.safeParse(parsedJson(path));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const given = Object.fromEntries(Object.entries(parsed.data.quotas ?? {}).filter(([, value]) => value !== undefined));
  return { quotas: { ...defaultQuotas, ...given }, isThrottling: parsed.data.throttling ?? false };
}

function parsedJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
