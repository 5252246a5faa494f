import {
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
  PutApprovalResultCommand,
  RetryStageExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { GetRepositoryPolicyCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { GetRunCommand, StartRunCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readObject, writeObject } from "../src/aws/objects.ts";
import { listVersions } from "../src/aws/workflows.ts";
import { approvalToken, findExecution } from "../src/cli/demo/follow.ts";
import { mergeChange, pushMain } from "../src/cli/demo/repository.ts";
import { systemClock } from "../src/kit/clock.ts";
import { parseImageRef } from "../src/kit/image-ref.ts";
import { readReleaseVersion } from "../src/kit/version.ts";
import { createCli } from "../src/cli/terminal.ts";
import { checkRecord } from "../src/release/testing/checked-record.ts";
import { type Demo, runDemoProcess } from "./demo.ts";

const RELEASES = "omx-releases-444455556666-us-east-1";
const WORKFLOW = "phage-variants";
const pipelineName = `omx-${WORKFLOW}`;

async function until<Value>(what: string, ask: () => Promise<Value | undefined>, seconds = 300): Promise<Value> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const value = await ask();
    if (value !== undefined) return value;
    await systemClock.sleep(200);
  }
  throw new Error(`${what} did not happen within ${seconds} s`);
}

describe("a push reaches production", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await runDemoProcess(["--containers", "host"]);
  }, 1_200_000);
  afterAll(() => demo?.[Symbol.asyncDispose](), 60_000);

  test("twice: two versions of one workflow in both accounts, images by digest, and who approved", () => {
    const { ok, releases } = demo.result;
    expect(ok).toBe(true);
    expect(releases.map(({ version }) => version)).toEqual(["1.0.0", "1.0.1"]);
    expect(new Set(releases.map(({ workflowId }) => JSON.stringify(workflowId))).size).toBe(1);
    for (const { images, approval, testRuns, steps } of releases) {
      expect(images).toHaveLength(2);
      for (const { target, digest } of images) expect(target).toBe(`${target.split("@")[0]}@${digest}`);
      expect(approval.by).toBe("arn:aws:iam::111122223333:user/approver");
      expect(testRuns).toEqual([expect.objectContaining({ status: "COMPLETED" })]);
      expect(steps.map(({ status }) => status)).toEqual(steps.map(() => "Succeeded"));
    }
  });

  test("what it left is what the schemas of docs/schemas say, the platforms and sizes of images in it", async () => {
    const evidence = "omx-artifacts-111122223333-us-east-1";
    for (const [schema, profile, bucket, key] of [
      ["build.schema.json", "cicd", evidence, `evidence/${WORKFLOW}/1.0.1/build.json`],
      ["release.schema.json", "cicd", evidence, `evidence/${WORKFLOW}/1.0.1/release.json`],
      ["release.schema.json", "production", RELEASES, `${WORKFLOW}/1.0.1/release.json`],
      ["containers.lock.schema.json", "production", RELEASES, `${WORKFLOW}/1.0.1/containers.lock.json`],
    ] as const) {
      const text = (await readObject(demo.clients(profile).s3, { bucket, key })).toString("utf8");
      checkRecord(schema, text);
      if (schema !== "containers.lock.schema.json")
        for (const image of (JSON.parse(text) as { images: readonly object[] }).images)
          expect(image).toMatchObject({ platforms: ["linux/amd64"], bytes: expect.any(Number) as number });
    }
  });

  test("a released version runs in production, and not when the image's repository is closed to it", async () => {
    const production = demo.clients("production");
    const cicd = demo.clients("cicd");
    const [release] = demo.result.releases;
    const workflowId = release?.workflowId.production;
    const at = (name: string) => ({ bucket: RELEASES, key: `data/${name}` });
    const { readFileSync } = await import("node:fs");
    for (const name of ["lambda-phage.fa", "ancestor.fastq.gz"])
      await writeObject(production.s3, at(name), readFileSync(new URL(`../examples/${WORKFLOW}/data/${name}`, import.meta.url)));
    const run = async () => {
      const { id = "" } = await production.omics.send(
        new StartRunCommand({
          workflowId,
          workflowVersionName: "1.0.1",
          roleArn: "arn:aws:iam::444455556666:role/omx-run-us-east-1",
          outputUri: `s3://${RELEASES}/runs/`,
          storageType: "DYNAMIC",
          requestId: crypto.randomUUID(),
          parameters: { reference_fasta: `s3://${RELEASES}/data/lambda-phage.fa`, reads: [`s3://${RELEASES}/data/ancestor.fastq.gz`] },
        }),
      );
      return until(`the end of run ${id}`, async () => {
        const found = await production.omics.send(new GetRunCommand({ id }));
        return ["COMPLETED", "FAILED", "CANCELLED"].includes(found.status ?? "") ? found : undefined;
      });
    };
    expect(await run()).toMatchObject({ status: "COMPLETED" });
    const repositories = [...new Set(release?.images.map(({ target }) => parseImageRef(target).repository))];
    for (const repositoryName of repositories) {
      const { policyText = "{}" } = await cicd.ecr.send(new GetRepositoryPolicyCommand({ repositoryName }));
      const policy = JSON.parse(policyText) as { Statement: { Sid: string }[] };
      const closed = { ...policy, Statement: policy.Statement.filter(({ Sid }) => !Sid.includes("444455556666")) };
      await cicd.ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(closed) }));
    }
    expect(await run()).toMatchObject({ status: "FAILED", failureReason: "ECR_PERMISSION_ERROR" });
  }, 900_000);

  test.each([
    ["that no approval precedes", "9.9.9", { pipelineExecutionId: "00000000-0000-4000-8000-000000000000" }, /not approved|not found/],
    [
      "that names another approver",
      "9.9.8",
      { approval: { by: "somebody", at: "", comment: "" } },
      /the bundle says somebody approved it; CodePipeline says arn:aws:iam::111122223333:user\/approver/,
    ],
    [
      "of other content under a true approval",
      "9.9.7",
      { handedOverAt: "2030-01-01T00:00:00.000Z" },
      /approved what execution \S+ of omx-phage-variants built, sha256:[0-9a-f]{64}, and this is sha256:[0-9a-f]{64}/,
    ],
  ])(
    "an upload %s releases nothing",
    async (_what, version, forgery, says) => {
      const production = demo.clients("production");
      const source = `${WORKFLOW}/1.0.1`;
      const record = JSON.parse(
        (await readObject(production.s3, { bucket: RELEASES, key: `${source}/release.json` })).toString("utf8"),
      ) as { files: { name: string }[] };
      const forged = `${WORKFLOW}/${version}`;
      for (const { name } of record.files)
        await writeObject(
          production.s3,
          { bucket: RELEASES, key: `${forged}/${name}` },
          await readObject(production.s3, { bucket: RELEASES, key: `${source}/${name}` }),
        );
      await writeObject(
        production.s3,
        { bucket: RELEASES, key: `${forged}/release.json` },
        JSON.stringify({ ...record, version, ...forgery }),
      );
      const result = await until("an answer", () =>
        readObject(production.s3, { bucket: RELEASES, key: `${forged}/result.json` }).then(
          (body) => JSON.parse(body.toString("utf8")) as { status: string; message: string },
          () => undefined,
        ),
      );
      expect(result.status).toBe("REFUSED");
      expect(result.message).toMatch(says);
      const versions = await listVersions(production.omics, demo.result.releases[0]?.workflowId.production ?? "");
      expect(versions.map(({ versionName }) => versionName)).not.toContain(version);
    },
    900_000,
  );

  test("the developer can neither approve nor reject; two pushes at once become two versions", async () => {
    const developer = { cli: createCli(), clients: demo.clients("developer"), dataDir: demo.dataDir };
    const commits = [await pushMain(developer), await pushMain(developer)];
    const followed = { cli: developer.cli, clients: developer.clients, workflow: WORKFLOW };
    for (const commit of commits) {
      const id = await findExecution(followed, commit);
      const token = await until("the approval", async () =>
        (await waitsFor(id)) ? approvalToken(followed).catch(() => undefined) : undefined,
      );
      const answer = {
        pipelineName,
        stageName: "Approve",
        actionName: "Approve",
        token,
        result: { status: "Approved" as const, summary: "in a test" },
      };
      await expect(developer.clients.codepipeline.send(new PutApprovalResultCommand(answer))).rejects.toMatchObject({
        name: "AccessDeniedException",
      });
      await demo.clients("approver").codepipeline.send(new PutApprovalResultCommand(answer));
      expect(await ended(id)).toBe("Succeeded");
    }
    const names = (await listVersions(demo.clients("production").omics, demo.result.releases[0]?.workflowId.production ?? "")).map(
      ({ versionName = "" }) => versionName,
    );
    expect(names).toEqual(expect.arrayContaining(["1.0.2", "1.0.3"]));
  }, 900_000);

  test("killed at each of its stages, one release still ends as one version", async () => {
    const developer = { cli: createCli(), clients: demo.clients("developer"), dataDir: demo.dataDir };
    const before = await releasedVersions();
    const { commit } = await mergeChange(developer);
    // The merge was answered: what it starts must not depend on the process that answered.
    await demo.killAndRestart();
    const id = await findExecution({ cli: developer.cli, clients: developer.clients, workflow: WORKFLOW }, commit);
    for (const stage of ["Source", "Build", "Test", "Approve", "Promote"]) {
      await until(`stage ${stage}`, async () => ((await stageOf(id, stage)) ? true : undefined));
      await demo.killAndRestart();
      if (stage === "Approve") await approve(id);
      await retryWhileFailed(id, stage);
    }
    expect(await ended(id)).toBe("Succeeded");
    const after = await releasedVersions();
    expect(after.filter((name) => !before.includes(name))).toHaveLength(1);
  }, 1_200_000);

  const pipeline = () => demo.clients("cicd").codepipeline;
  const status = async (id: string) =>
    (await pipeline().send(new ListPipelineExecutionsCommand({ pipelineName }))).pipelineExecutionSummaries?.find(
      ({ pipelineExecutionId }) => pipelineExecutionId === id,
    )?.status;
  const ended = (id: string) =>
    until(
      `the end of ${id}`,
      async () => {
        const now = await status(id);
        return now === "InProgress" ? undefined : now;
      },
      400,
    );
  const actionsOf = async (id: string) =>
    (await pipeline().send(new ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId: id } })))
      .actionExecutionDetails ?? [];
  const stageOf = async (id: string, stage: string) => (await actionsOf(id)).some(({ stageName }) => stageName === stage);
  const waitsFor = async (id: string) =>
    (await actionsOf(id)).some(({ stageName, status: now }) => stageName === "Approve" && now === "InProgress");
  const releasedVersions = async () =>
    (await listVersions(demo.clients("production").omics, demo.result.releases[0]?.workflowId.production ?? ""))
      .map(({ versionName = "" }) => versionName)
      .filter((name) => readReleaseVersion(name) !== undefined);

  async function approve(id: string): Promise<void> {
    const clients = demo.clients("approver");
    const token = await until("the approval", async () =>
      (await waitsFor(id)) ? approvalToken({ clients, workflow: WORKFLOW }).catch(() => undefined) : undefined,
    );
    await clients.codepipeline.send(
      new PutApprovalResultCommand({
        pipelineName,
        stageName: "Approve",
        actionName: "Approve",
        token,
        result: { status: "Approved", summary: "after a kill" },
      }),
    );
  }

  /** What a kill made FAILED honestly is retried, as a person would; the release then goes on. */
  async function retryWhileFailed(id: string, stage: string): Promise<void> {
    await until(
      `the end of stage ${stage}`,
      async () => {
        const actions = (await actionsOf(id)).filter(({ stageName }) => stageName === stage);
        if (actions.some(({ status: now }) => now === "Succeeded")) return true;
        // The stage may have ended well and a later one badly since we looked: that one is retried when its turn comes.
        const retry = new RetryStageExecutionCommand({
          pipelineName,
          pipelineExecutionId: id,
          stageName: stage,
          retryMode: "FAILED_ACTIONS",
        });
        if ((await status(id)) === "Failed")
          await pipeline()
            .send(retry)
            .catch((error: Error) => expect(error.name).toBe("StageNotRetryableException"));
        return undefined;
      },
      400,
    );
  }
});
