import { readFileSync } from "node:fs";
import { join } from "node:path";
import { uploadFile } from "../../aws/objects.ts";
import type { AwsClients } from "../../aws/clients.ts";
import { formatS3Uri } from "../../kit/s3-uri.ts";
import { ReleaseError } from "../errors.ts";
import type { Emit } from "../events.ts";
import type { Place } from "../project/deploy-config.ts";
import type { TestCase } from "../project/omx-yaml.ts";
import type { Project } from "../project/project.ts";

export interface DataStaging {
  readonly clients: Pick<AwsClients, "s3">;
  readonly place: Place;
  /** `s3://bucket/prefix`, without a slash at the end. */
  readonly at: { readonly bucket: string; readonly prefix: string };
  readonly emit: Emit;
}

/** Uploads a test's data and fills in its parameters. */
export async function stageTest(staging: DataStaging, project: Project, test: TestCase): Promise<Record<string, unknown>> {
  const staged = new Map<string, string>();
  for (const [parameter, paths] of Object.entries(test.data))
    for (const path of [paths].flat()) staged.set(path, path.startsWith("s3://") ? path : await upload(staging, { project, parameter, path }));
  const uris = Object.entries(test.data).map(([parameter, paths]) => [parameter, Array.isArray(paths) ? paths.map((path) => staged.get(path)) : staged.get(paths)] as const);
  const given = typeof test.parameters === "string" ? parseParameters(project, test.parameters) : test.parameters;
  return { ...(fill(given, staging) as Record<string, unknown>), ...Object.fromEntries(uris) };
}

async function upload({ clients, at, emit }: DataStaging, { project, parameter, path }: { readonly project: Project; readonly parameter: string; readonly path: string }): Promise<string> {
  const target = { bucket: at.bucket, key: `${at.prefix}/${path}` };
  const { uploaded, bytes } = await uploadFile(clients.s3, join(project.root, path), target);
  const uri = formatS3Uri(target);
  emit({ type: "data.staged", parameter, uri, bytes, uploaded });
  return uri;
}

function parseParameters(project: Project, path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(join(project.root, path), "utf8")) as Record<string, unknown>;
  } catch (error) {
    throw new ReleaseError("ProjectInvalid", { says: `${path} is not JSON: ${(error as Error).message}`, fix: "correct the file", blame: "user" });
  }
}

/** Fills in {{region}}, {{account}} and {{staging_uri}} in every text. */
function fill(value: unknown, staging: DataStaging): unknown {
  const { place, at } = staging;
  const values: Readonly<Record<string, string>> = { region: place.region, account: place.account, staging_uri: `s3://${at.bucket}/${at.prefix}` };
  if (typeof value === "string") return value.replaceAll(/\{\{(\w+)\}\}/g, (text, name: string) => values[name] ?? text);
  if (Array.isArray(value)) return value.map((item) => fill(item, staging));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member, staging)]));
}
