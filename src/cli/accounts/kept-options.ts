import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const Kept = z.object({
  region: z.string().optional(),
  upstreams: z.record(z.string(), z.string()).optional(),
  containers: z.enum(["auto", "docker", "podman", "host"]).optional(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).optional(),
});

/** What `omx local start` was told, kept for the next start on the same folder. */
export type KeptOptions = z.infer<typeof Kept>;

const optionsFile = (dataDir: string): string => join(dataDir, "options.json");

/** What earlier starts were told, with what this one is told over it; kept for the next. */
export function keepOptions(dataDir: string, given: KeptOptions): KeptOptions {
  const file = optionsFile(dataDir);
  const before = existsSync(file) ? Kept.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
  const options = { ...before, ...given };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, `${JSON.stringify(options, null, 2)}\n`);
  return options;
}
