import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { readObject, writeObject } from "../../aws/objects.ts";
import { findApproval } from "../approval/approval.ts";
import { contentDigest } from "../approval/content.ts";
import type { PromotionEnvironment, ReleaseEnvironment } from "../environment.ts";
import { ReleaseError } from "../errors.ts";
import { releasesBucket } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import { BUILD_FILE, type BuildRecord } from "../publish/build-record.ts";
import { timed } from "../steps.ts";
import { summarize, type TestReport } from "../testrun/report.ts";
import { awaitResult } from "./await-result.ts";
import { type BundleContent, handOver, type ReleaseRecord } from "./bundle.ts";
import { REGISTRY_MAP_FILE } from "./own-mappings.ts";
import { keepOpen, openRepositories } from "./open-repositories.ts";
import { handOverSmokeData } from "./smoke.ts";
import type { ReleaseResult } from "./result.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = { ".zip": "application/zip", ".json": "application/json", ".md": "text/markdown" };

/** What is promoted to where. */
export interface Promotion {
  readonly buildDir: string;
  readonly production: readonly Place[];
  readonly identity: { readonly workflow: string; readonly pipelineExecutionId: string };
}

/**
 * The promotion of an approved build: opens its repositories to production, hands the bundle over to each production
 * account and waits until each has made it a version.
 * @throws ReleaseError NotApproved, ImageNotReadable, ReleaseFailed with what production says
 */
export async function promoteRelease(
  env: PromotionEnvironment,
  { buildDir, production, identity }: Promotion,
): Promise<readonly ReleaseResult[]> {
  const step = timed(env);
  const build = readJson<BuildRecord>(buildDir, BUILD_FILE);
  const approval = await step("approval", () => findApproval(env.clients.codepipeline, { ...identity, content: contentDigest(build) }));
  const opening = { ...build, registryMap: readJson<ContainerRegistryMap>(buildDir, REGISTRY_MAP_FILE) };
  await step("image permissions", () => openRepositories(env, opening, production));
  const record = await step("record", async (): Promise<ReleaseRecord> => ({
    ...recordOf(build, await readReport(env, build)),
    approval,
    handedOverAt: env.clock.now().toISOString(),
  }));
  const contents = build.files.map(({ name }) => readContent(buildDir, name));
  await step("hand over", async () => {
    for (const place of production) await handOverTo(env, place, record, contents);
  });
  const results = await step("release in production", () =>
    Promise.all(production.map((place) => awaitResult({ ...env, s3: env.s3In(place.region) }, record, place))),
  );
  await writeObject(
    env.clients.s3,
    { bucket: build.evidence.bucket, key: `${build.evidence.prefix}/release.json` },
    `${JSON.stringify({ ...record, results }, null, 2)}\n`,
    "application/json",
  );
  const closed = await step("image permissions at the end", () => failureOf(keepOpen(env, opening, production)));
  refuseUnreleased(record, results);
  if (closed) throw closed;
  return results;
}

const readJson = <Content>(folder: string, name: string): Content => JSON.parse(readFileSync(join(folder, name), "utf8")) as Content;

async function handOverTo(
  env: PromotionEnvironment,
  place: Place,
  record: ReleaseRecord,
  contents: readonly BundleContent[],
): Promise<void> {
  if (record.smoke) await handOverSmokeData(env, { ...record, smoke: record.smoke }, place);
  const { uri, uploaded } = await handOver(env.s3In(place.region), releasesBucket(place.account, place.region), record, contents);
  env.emit({ type: "note", text: `${uri}: ${uploaded} of ${contents.length} files moved, release.json last` });
}

/** A failure that is told only where there is no other. */
const failureOf = (work: Promise<void>): Promise<Error | undefined> =>
  work.then(
    () => undefined,
    (error: Error) => error,
  );

function refuseUnreleased({ version }: ReleaseRecord, results: readonly ReleaseResult[]): void {
  const failed = results.filter(({ status }) => status !== "ACTIVE");
  if (failed.length === 0) return;
  throw new ReleaseError("ReleaseFailed", {
    says: `${failed.length} of ${results.length} production accounts did not release ${version}`,
    fix: "correct what is named, then try the Promote stage again by `omx release retry`",
    blame: "aws",
    details: failed.map(({ account, message }) => `${account}: ${message}`),
  });
}

function recordOf(
  { differences: _d, evidence, lastVersion: _l, ...record }: BuildRecord,
  report: TestReport,
): Omit<ReleaseRecord, "approval" | "handedOverAt"> {
  return { ...record, tests: { summary: summarize(report), evidence: `s3://${evidence.bucket}/${evidence.prefix}` } };
}

async function readReport({ clients }: ReleaseEnvironment, { evidence }: BuildRecord): Promise<TestReport> {
  const body = await readObject(clients.s3, { bucket: evidence.bucket, key: `${evidence.prefix}/tests.json` });
  return JSON.parse(body.toString("utf8")) as TestReport;
}

function readContent(buildDir: string, name: string): BundleContent {
  const ending = /\.\w+$/.exec(name)?.[0] ?? "";
  return { name, body: readFileSync(join(buildDir, name)), contentType: CONTENT_TYPES[ending] ?? "application/octet-stream" };
}
