import { PutApprovalResultCommand, StartPipelineExecutionCommand, UpdatePipelineCommand } from "@aws-sdk/client-codepipeline";
import { CodeCommitClient, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { approval, build, commitSource, type PipelineLab, pipelineLab, zipSource } from "../../local/codepipeline/testing/pipeline-lab.ts";
import { startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { cliAt, type InProcess } from "../testing/in-process.ts";

// Builds are processes: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let accounts: TestAccounts;
let lab: PipelineLab;
let omx: InProcess;
/** Where builds find marks. */
const folder = mkdtempSync(join(tmpdir(), "omx-retry-"));
beforeAll(async () => {
  accounts = await startAccounts();
  [lab, omx] = [pipelineLab(accounts), cliAt(accounts)];
  await lab.s3.send(new CreateBucketCommand({ Bucket: "store" }));
  await lab.archive("sources", { "main.wdl": "version 1.1\n" });
});
afterAll(async () => {
  omx[Symbol.dispose]();
  await accounts[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The pipeline of a workflow whose Promote has two builds, each of which fails until there is a file of its name. */
async function failing(workflow: string): Promise<string> {
  const builds = ["one", "two"].map(async (name) => {
    const project = `${workflow}-${name}`;
    const buildspec = JSON.stringify({ version: "0.2", phases: { build: { commands: [`test -e ${join(folder, project)}`] } } });
    await lab.project(project, buildspec, {
      source: { type: "CODEPIPELINE", buildspec },
      artifacts: { type: "CODEPIPELINE" },
      actions: ["s3:GetObject", "s3:PutObject"],
    });
    return { ...build(project), name, namespace: name };
  });
  return lab.pipeline(`omx-${workflow}`, { Source: [zipSource("sources")], Promote: await Promise.all(builds) });
}

const start = async (workflow: string): Promise<string> =>
  (await lab.codepipeline.send(new StartPipelineExecutionCommand({ name: `omx-${workflow}` }))).pipelineExecutionId!;
const reject = async (pipelineName: string, id: string): Promise<string> => {
  const token = await lab.token(pipelineName, id);
  await lab.codepipeline.send(
    new PutApprovalResultCommand({
      pipelineName,
      stageName: "Approve",
      actionName: "Approve",
      token,
      result: { status: "Rejected", summary: "no" },
    }),
  );
  await lab.ended(pipelineName, id);
  return token;
};
const retried = async (workflow: string, ...more: readonly string[]) => omx.run("release", "retry", workflow, ...more);

test("what failed in a stage is tried again, what succeeded is not, and one that has succeeded has nothing to try", async () => {
  const id = await failing("flow");
  writeFileSync(join(folder, "flow-one"), "");
  await lab.ended("omx-flow", id);
  const first = await retried("flow", "--json");
  expect(first.json()).toMatchObject({
    workflow: "flow",
    pipelineExecutionId: id,
    stage: "Promote",
    actions: [{ action: "two", status: "Failed", error: expect.any(String) }],
    by: expect.stringContaining("111122223333"),
  });
  await lab.ended("omx-flow", id);
  writeFileSync(join(folder, "flow-two"), "");
  const second = await retried("flow");
  expect([second.code, second.stdout]).toEqual([
    0,
    expect.stringMatching(
      new RegExp(`^flow ${id}: tries Promote again\n  two had ended Failed: .+\nFollow it: omx release watch flow --execution ${id}\n$`),
    ),
  ]);
  expect((await omx.run("release", "watch", "flow")).code).toBe(0);
  expect(
    (await lab.actions("omx-flow", id))
      .filter(({ stageName }) => stageName === "Promote")
      .map(({ actionName, status }) => `${actionName} ${status}`)
      .sort(),
  ).toEqual(["one Succeeded", "two Failed", "two Failed", "two Succeeded"]);
  const third = await retried("flow");
  expect([third.code, third.stdout, third.stderr]).toEqual([
    1,
    "",
    expect.stringContaining(`no stage of release ${id} of flow failed (it is Succeeded)`),
  ]);
});

test("several that failed in one stage are all named and tried", async () => {
  const id = await failing("both");
  await lab.ended("omx-both", id);
  expect(
    (await retried("both", "--json"))
      .json<{ actions: { action: string }[] }>()
      .actions.map(({ action }) => action)
      .sort(),
  ).toEqual(["one", "two"]);
  expect(await lab.ended("omx-both", id)).toMatchObject({ status: "Failed" });
  expect((await lab.actions("omx-both", id)).filter(({ stageName }) => stageName === "Promote")).toHaveLength(4);
});

test("where a later release has been in the stage, or the pipeline has changed, a refusal says so and what to do", async () => {
  const first = await failing("late");
  await lab.ended("omx-late", first);
  const second = await start("late");
  await lab.ended("omx-late", second);
  const overtaken = await retried("late", "--execution", first);
  expect([overtaken.code, overtaken.stderr]).toEqual([
    1,
    expect.stringMatching(
      /stage Promote of release .* can't be tried again: a later release has been in this stage since \(.*\)[^]*push to its release branch/,
    ),
  ]);

  const roleArn = await lab.role("codepipeline", "late-other", ["s3:*"]);
  const stages = [
    { name: "Source", actions: [zipSource("sources")] },
    { name: "Promote", actions: [approval()] },
  ];
  await lab.codepipeline.send(
    new UpdatePipelineCommand({
      pipeline: {
        name: "omx-late",
        roleArn,
        pipelineType: "V2",
        executionMode: "QUEUED",
        artifactStore: { type: "S3", location: "store" },
        stages,
      },
    }),
  );
  expect((await retried("late", "--execution", second)).stderr).toContain("the pipeline has changed since");
});

test("a release that was rejected asks again; while it waits there is nothing to try, and the one that failed before it is named", async () => {
  const rejected = await lab.pipeline("omx-asks", { Source: [zipSource("sources")], Approve: [{ ...approval(), name: "Approve" }] });
  const token = await reject("omx-asks", rejected);
  expect((await retried("asks")).stdout).toContain("tries Approve again");
  expect(await lab.token("omx-asks", rejected)).not.toBe(token);
  expect((await retried("asks")).stderr).toMatch(/has not ended: it waits for an approval[^]*omx release watch asks/);
  const denied = await retried("asks", "--profile", "developer");
  expect([denied.code, denied.stdout]).toEqual([1, ""]);
  await reject("omx-asks", rejected);
  await lab.token("omx-asks", await start("asks"));
  expect((await retried("asks")).stderr).toContain(`name the one that failed by --execution: ${rejected}`);
});

test("the start that a pipeline makes when it is made is no failed release: it says that nothing was pushed yet", async () => {
  await new CodeCommitClient(accounts.config()).send(new CreateRepositoryCommand({ repositoryName: "unpushed" }));
  const id = await lab.pipeline("omx-unpushed", {
    Source: [{ ...commitSource("unpushed"), name: "Source" }],
    Approve: [{ ...approval(), name: "Approve" }],
  });
  expect((await lab.ended("omx-unpushed", id)).status).toBe("Failed");
  const says = "nothing was pushed yet: a push to its release branch starts the first release";
  const status = await omx.run("release", "status", "unpushed");
  expect([status.code, status.stdout]).toEqual([0, expect.stringContaining(says)]);
  expect(status.stdout).toContain("main");
  expect(status.stdout).not.toContain("Failed");
  expect((await omx.run("release", "status", "unpushed", "--json")).json<object>()).toMatchObject({
    pipelineExecutionId: id,
    status: "Failed",
    isFirstStart: true,
  });
  const listed = await omx.run("release", "status", "unpushed", "--list", "5");
  expect(listed.stdout).toMatch(new RegExp(`^${id} +– .*nothing pushed yet`, "m"));
  for (const command of [["watch"], ["retry"], ["approve", "--comment", "fine"]]) {
    const [verb = "", ...more] = command;
    const ran = await omx.run("release", verb, "unpushed", ...more);
    expect([verb, ran.code, `${ran.stdout}${ran.stderr}`]).toEqual([verb, 1, expect.stringContaining(says)]);
    expect(`${ran.stdout}${ran.stderr}`).not.toContain("omx release logs");
  }
});

test("what commands on a release print as JSON is what their schemas say", async () => {
  const failed = await failing("told");
  await lab.ended("omx-told", failed);
  const json = async (...args: readonly string[]) =>
    (await omx.run("release", ...args, "--json")).stdout
      .trimEnd()
      .split("\n")
      .filter((line) => line !== "");
  expect(await json("status", "told")).not.toEqual([]);
  expect(await json("status", "told", "--list", "3")).not.toEqual([]);
  expect(JSON.parse((await json("watch", "told")).at(-1) ?? "")).toMatchObject({ pipelineExecutionId: failed, status: "Failed" });
  expect((await json("logs", "told")).map((line) => (JSON.parse(line) as { stage: string }).stage)).toContain("Promote");
  expect((await retried("told", "--json")).json<object>()).toMatchObject({ stage: "Promote" });
  await lab.ended("omx-told", failed);
  const waiting = await lab.pipeline("omx-answered", { Source: [zipSource("sources")], Approve: [{ ...approval(), name: "Approve" }] });
  await lab.token("omx-answered", waiting);
  expect(JSON.parse((await json("status", "answered")).join("\n"))).toMatchObject({ approval: { waiting: true } });
  expect(
    (await omx.run("release", "reject", "answered", "--comment", "no", "--json", "--profile", "approver")).json<object>(),
  ).toMatchObject({ decision: "Rejected", comment: "no" });
  const again = await start("answered");
  await lab.token("omx-answered", again);
  expect(
    (await omx.run("release", "approve", "answered", "--comment", "yes", "--json", "--profile", "approver")).json<object>(),
  ).toMatchObject({ decision: "Approved" });
});

test("a first start that could not read its source says why, and not that nothing was pushed", async () => {
  const id = await lab.pipeline("omx-unread", {
    Source: [{ ...commitSource("no-such-repository"), name: "Source" }],
    Approve: [{ ...approval(), name: "Approve" }],
  });
  expect((await lab.ended("omx-unread", id)).status).toBe("Failed");
  const says = /could not read its source: .*no-such-repository.*; when that is put right, a push to its release branch starts the first/;
  for (const [code, verb = "", ...more] of [
    [0, "status"],
    [1, "watch"],
    [1, "retry"],
    [1, "approve", "--comment", "fine"],
  ] as const) {
    const ran = await omx.run("release", verb, "unread", ...more);
    expect([verb, ran.code, `${ran.stdout}${ran.stderr}`]).toEqual([verb, code, expect.stringMatching(says)]);
    expect(`${ran.stdout}${ran.stderr}`).not.toContain("nothing was pushed");
  }
  const listed = await omx.run("release", "status", "unread", "--list", "5");
  expect(listed.stdout).toMatch(new RegExp(`^${id} +– .*source could not be read: .*no-such-repository`, "m"));
  expect((await omx.run("release", "status", "unread", "--list", "5", "--json")).json<object>()).toMatchObject({
    releases: [{ pipelineExecutionId: id, isFirstStart: true, message: expect.stringContaining("no-such-repository") as string }],
  });
});
