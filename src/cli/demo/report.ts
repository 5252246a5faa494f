import type { AwsClients } from "../../aws/clients.ts";
import { readObject } from "../../aws/objects.ts";
import { releasesBucket, artifactsBucket } from "../../release/names.ts";
import { evidencePrefix } from "../../release/publish/build-record.ts";
import { bundlePrefix, ReleaseRecord } from "../../release/promote/bundle.ts";
import type { ReleaseResult } from "../../release/promote/result.ts";
import type { TestReport } from "../../release/testrun/report.ts";
import type { Step } from "./follow.ts";

/** One release of the demo: a contract of `npm run demo -- --json`. */
export interface DemoRelease {
  readonly version: string;
  readonly commit: string;
  readonly pipelineExecutionId: string;
  readonly workflowId: { readonly cicd: string; readonly production: string };
  readonly steps: readonly Step[];
  readonly engineSeconds: number;
  readonly totalSeconds: number;
  readonly images: readonly { readonly source: string; readonly target: string; readonly digest: string }[];
  readonly bundle: string;
  readonly testRuns: readonly { readonly id: string; readonly status: string; readonly outputUri: string }[];
  readonly approval: { readonly by: string; readonly at: string; readonly comment: string };
}

export interface Told {
  readonly commit: string;
  readonly pipelineExecutionId: string;
  readonly steps: readonly Step[];
  readonly totalSeconds: number;
}

const CICD = { account: "111122223333", region: "us-east-1" };
const PRODUCTION = { account: "444455556666", region: "us-east-1" };

/** The version a build made: the name of its evidence. */
export async function versionOf(
  clients: AwsClients,
  workflow: string,
  pipelineExecutionId: string,
  candidates: readonly string[],
): Promise<string | undefined> {
  for (const version of candidates) {
    const build = await json<{ pipelineExecutionId: string }>(
      clients,
      artifactsBucket(CICD.account, CICD.region),
      `${evidencePrefix(workflow, version)}/build.json`,
    );
    if (build.pipelineExecutionId === pipelineExecutionId) return version;
  }
  return undefined;
}

/** Reads what lies in both accounts of a release. */
export async function describeRelease(
  clients: { readonly cicd: AwsClients; readonly production: AwsClients },
  place: { readonly workflow: string; readonly version: string },
  told: Told,
): Promise<DemoRelease> {
  const bucket = releasesBucket(PRODUCTION.account, PRODUCTION.region);
  const prefix = bundlePrefix(place);
  const record = ReleaseRecord.parse(await json(clients.production, bucket, `${prefix}/release.json`));
  const result = await json<ReleaseResult>(clients.production, bucket, `${prefix}/result.json`);
  const tests = await readTests(clients.cicd, place);
  return {
    version: record.version,
    commit: told.commit,
    pipelineExecutionId: told.pipelineExecutionId,
    workflowId: { cicd: record.cicd.workflowId, production: result.workflowId ?? "" },
    steps: told.steps,
    engineSeconds: Math.round(tests.tests.reduce((sum, { seconds = 0 }) => sum + seconds, 0) * 10) / 10,
    totalSeconds: told.totalSeconds,
    images: record.images.map(({ source, target, digest }) => ({ source, target, digest })),
    bundle: `s3://${bucket}/${prefix}/`,
    testRuns: tests.tests.map(({ runId = "", status, outputUri = "" }) => ({ id: runId, status, outputUri })),
    approval: record.approval,
  };
}

/** The report of a release's tests. */
export const readTests = (
  clients: AwsClients,
  { workflow, version }: { readonly workflow: string; readonly version: string },
): Promise<TestReport> =>
  json<TestReport>(clients, artifactsBucket(CICD.account, CICD.region), `${evidencePrefix(workflow, version)}/tests.json`);

/** What a build recorded for whoever approves. */
export const readBuild = <Build>(
  clients: AwsClients,
  { workflow, version }: { readonly workflow: string; readonly version: string },
): Promise<Build> => json<Build>(clients, artifactsBucket(CICD.account, CICD.region), `${evidencePrefix(workflow, version)}/build.json`);

async function json<Value>(clients: AwsClients, bucket: string, key: string): Promise<Value> {
  return JSON.parse((await readObject(clients.s3, { bucket, key })).toString("utf8")) as Value;
}
