import { join } from "node:path";
import { uploadFile, writeObject } from "../../aws/objects.ts";
import type { AwsClients } from "../../aws/clients.ts";
import { formatS3Uri, type S3Uri } from "../../kit/s3-uri.ts";
import type { Emit } from "../events.ts";
import type { Place } from "../project/deploy-config.ts";
import type { TestCase } from "../project/omx-yaml.ts";
import type { Project } from "../project/project.ts";
import { readSheet, testDataFiles, testInputs } from "./test-data.ts";

export interface DataStaging {
  readonly clients: Pick<AwsClients, "s3">;
  readonly place: Place;
  /** `s3://bucket/prefix`, without a slash at the end. */
  readonly at: S3Uri;
  readonly emit: Emit;
}

/** Uploads a test's data, sample sheets with their places filled in, and gives the run's parameters. */
export async function stageTest(staging: DataStaging, project: Project, test: TestCase): Promise<Record<string, unknown>> {
  for (const path of testDataFiles(project.tree, test).files) await stage(staging, project, path);
  const inputs = testInputs(project, test, (path) => formatS3Uri({ ...staging.at, key: `${staging.at.key}/${path}` }));
  return fill(inputs, staging) as Record<string, unknown>;
}

async function stage(staging: DataStaging, { root, tree }: Project, path: string): Promise<void> {
  const { clients, at, emit } = staging;
  const target = { bucket: at.bucket, key: `${at.key}/${path}` };
  const sheet = readSheet(tree, path);
  const uri = formatS3Uri(target);
  if (sheet === undefined) return emit({ type: "data.staged", path, uri, ...(await uploadFile(clients.s3, join(root, path), target)) });
  const text = fill(sheet, staging) as string;
  await writeObject(clients.s3, target, text, "text/plain");
  emit({ type: "data.staged", path, uri, uploaded: true, bytes: Buffer.byteLength(text) });
}

/** Fills in {{region}}, {{account}} and {{staging_uri}} in every text. */
function fill(value: unknown, staging: DataStaging): unknown {
  const { place, at } = staging;
  const values: Readonly<Record<string, string>> = { region: place.region, account: place.account, staging_uri: formatS3Uri(at) };
  if (typeof value === "string") return value.replaceAll(/\{\{(\w+)\}\}/g, (text, name: string) => values[name] ?? text);
  if (Array.isArray(value)) return value.map((item) => fill(item, staging));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member, staging)]));
}
