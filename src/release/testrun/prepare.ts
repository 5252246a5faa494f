import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeObject } from "../../aws/objects.ts";
import type { S3Uri } from "../../kit/s3-uri.ts";
import type { Place } from "../project/deploy-config.ts";
import type { Identity, ReleaseEnvironment } from "../environment.ts";
import { artifactsBucket, NAMES, PREFIXES, roleName } from "../names.ts";
import type { TestCase } from "../project/omx-yaml.ts";
import type { Project } from "../project/project.ts";
import type { PublishedVersion } from "../publish/create-version.ts";
import { evidencePrefix } from "../publish/build-record.ts";
import { type Compared, evidenceOf, firstReleased, versionsBefore } from "../publish/last-release.ts";
import type { Expectations } from "./judge.ts";
import type { TestReport } from "./report.ts";
import { stageTest } from "./stage-data.ts";
import type { TestRunCase, TestRunInput } from "./state-machine.ts";

/** Stages the data of every test, puts what is expected beside the evidence, and says what to run. */
export async function prepareTests(
  env: ReleaseEnvironment,
  identity: Identity,
  { project, version }: { readonly project: Project; readonly version: PublishedVersion },
): Promise<TestRunInput> {
  const bucket = artifactsBucket(env.cicd.account, env.cicd.region);
  const evidence = { bucket, prefix: evidencePrefix(identity.workflow, version.versionName) };
  const tests: TestRunCase[] = [];
  for (const test of project.config.tests) {
    const at = testDataAt(env.cicd, { workflow: identity.workflow, version: version.versionName, test: test.name });
    const parameters = await stageTest({ clients: env.clients, place: env.cicd, at, emit: env.emit }, project, test);
    tests.push(caseOf({ test, identity, version, parameters }));
  }
  await writeExpectations(env, { project, identity, version, evidence });
  return {
    workflowId: version.workflowId,
    versionName: version.versionName,
    evidence,
    tests,
    roleArn: `arn:aws:iam::${env.cicd.account}:role/${roleName(NAMES.runRole, env.cicd.region)}`,
    outputUri: `s3://${bucket}/${PREFIXES.testOutputs}/${identity.workflow}/${version.versionName}`,
  };
}

/** Where the data of a test is staged. */
export const testDataAt = (
  { account, region }: Place,
  { workflow, version, test }: { readonly workflow: string; readonly version: string; readonly test: string },
): S3Uri => ({
  bucket: artifactsBucket(account, region),
  key: `${PREFIXES.testData}/${workflow}/${version}/${test}`,
});

function caseOf({
  test,
  identity,
  version,
  parameters,
}: {
  readonly test: TestCase;
  readonly identity: Identity;
  readonly version: PublishedVersion;
  readonly parameters: Record<string, unknown>;
}): TestRunCase {
  const { workflow, pipelineExecutionId, commit } = identity;
  // A stage that is retried within one execution must not start a second run of what runs already.
  const requestId = createHash("sha256").update([version.arn, test.name, pipelineExecutionId].join("\n")).digest("hex");
  const storage = test.storage ?? { type: "DYNAMIC" as const };
  return {
    name: test.name,
    runName: `${workflow} ${version.versionName} ${test.name}`,
    requestId,
    parameters,
    timeoutSeconds: Math.round(test.timeout * 60),
    storageType: storage.type,
    ...(storage.capacity !== undefined && { storageCapacity: storage.capacity }),
    ...(test.cache && { cacheId: test.cache.id, cacheBehavior: test.cache.behavior }),
    tags: { "omx:workflow": workflow, "omx:version": version.versionName, "omx:test": test.name, "omx:commit": commit },
  };
}

interface ToWrite {
  readonly project: Project;
  readonly identity: Identity;
  readonly version: PublishedVersion;
  readonly evidence: TestRunInput["evidence"];
}

async function writeExpectations(env: ReleaseEnvironment, { project, identity, version, evidence }: ToWrite): Promise<void> {
  const { s3 } = env.clients;
  const tests = project.config.tests.map(({ name, expect }) => ({ name, expect }));
  const needsLast = tests.some(({ expect }) => expect.some((matcher) => matcher.sameAsLastRelease));
  const lastReport = needsLast ? await findLastReport({ env, identity, version }) : undefined;
  const expectations: Expectations = {
    workflow: identity.workflow,
    version: version.versionName,
    tests,
    ...(lastReport && { lastReport }),
  };
  const named = new Set(
    tests.flatMap(({ expect }) =>
      expect.flatMap(({ sameLinesAs, sameContentAs }) => [sameLinesAs, sameContentAs].filter((path) => path !== undefined)),
    ),
  );
  for (const path of named)
    await writeObject(s3, { bucket: evidence.bucket, key: `${evidence.prefix}/expected/${path}` }, readFileSync(join(project.root, path)));
  await writeObject(
    s3,
    { bucket: evidence.bucket, key: `${evidence.prefix}/expectations.json` },
    JSON.stringify(expectations),
    "application/json",
  );
}

/** Of the last version that reached production; of the last whose tests passed, where none has yet. */
async function findLastReport(of: Compared): Promise<TestReport | undefined> {
  const earlier = await versionsBefore(of);
  const released = await firstReleased(of, earlier);
  for (const version of released === undefined ? earlier : [released]) {
    const report = await evidenceOf<TestReport>(of, version, "tests.json");
    if (report?.passed) return report;
  }
  return undefined;
}
