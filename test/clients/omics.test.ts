import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { furnish, type OmicsLab } from "../../src/local/omics/testing/omics.ts";
import { awsCli, openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
let lab: OmicsLab;
beforeAll(async () => {
  shell = await openShell();
  lab = await furnish(shell.accounts);
});
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, run: () => Promise<void>): void => test.runIf(awsCli).concurrent(name, run, PATIENCE_MS);

const MAIN = `version 1.1
workflow hello { input { String who = "you" } call greet { input: who } output { String said = greet.said } }
task greet { input { String who } command <<< echo hello ~{who} >>> output { String said = read_string(stdout()) } }
`;

there("aws omics creates a workflow and its versions, and its waiters end", async () => {
  const zip = `fileb://${shell.file("hello.zip", zipSync({ "main.wdl": Buffer.from(MAIN) }))}`;
  const { id } = await shell.aws<{ id: string }>(
    "cicd",
    "omics",
    "create-workflow",
    "--name",
    "hello",
    "--engine",
    "WDL",
    "--definition-zip",
    zip,
    "--tags",
    "team=phages",
  );
  await shell.text("cicd", "omics", "wait", "workflow-active", "--id", id);
  await shell.aws(
    "cicd",
    "omics",
    "create-workflow-version",
    "--workflow-id",
    id,
    "--version-name",
    "1.0.0",
    "--definition-zip",
    zip,
    "--description",
    "the first",
  );
  await shell.text("cicd", "omics", "wait", "workflow-version-active", "--workflow-id", id, "--version-name", "1.0.0");
  const [workflow, version, workflows, versions] = await Promise.all([
    shell.aws("cicd", "omics", "get-workflow", "--id", id),
    shell.aws("cicd", "omics", "get-workflow-version", "--workflow-id", id, "--version-name", "1.0.0"),
    shell.aws("cicd", "omics", "list-workflows", "--name", "hello"),
    shell.aws("cicd", "omics", "list-workflow-versions", "--workflow-id", id),
  ]);
  expect(workflow).toMatchObject({
    id,
    status: "ACTIVE",
    engine: "WDL",
    parameterTemplate: { who: { optional: true } },
    tags: { team: "phages" },
  });
  expect(version).toMatchObject({ workflowId: id, versionName: "1.0.0", status: "ACTIVE", description: "the first" });
  expect(workflows).toMatchObject({ items: [{ id, name: "hello" }] });
  expect(versions).toMatchObject({ items: [{ versionName: "1.0.0" }] });
});

there("a definition that does not parse ends the waiter and says why", async () => {
  const zip = `fileb://${shell.file("broken.zip", zipSync({ "main.wdl": Buffer.from("version 1.1\nworkflow broken {") }))}`;
  const { id } = await shell.aws<{ id: string }>(
    "production",
    "omics",
    "create-workflow",
    "--name",
    "broken",
    "--engine",
    "WDL",
    "--definition-zip",
    zip,
  );
  expect(await shell.refused("production", "omics", "wait", "workflow-active", "--id", id)).toContain("Waiter WorkflowActive failed");
  expect(await shell.aws("production", "omics", "get-workflow", "--id", id)).toMatchObject({
    status: "FAILED",
    statusMessage: expect.stringContaining("main.wdl") as string,
  });
});

there("aws omics starts a run of a version, waits for it, and shows its tasks and outputs", async () => {
  const zip = `fileb://${shell.file("run.zip", zipSync({ "main.wdl": Buffer.from(MAIN) }))}`;
  const { id: workflowId } = await shell.aws<{ id: string }>(
    "cicd",
    "omics",
    "create-workflow",
    "--name",
    "to-run",
    "--engine",
    "WDL",
    "--definition-zip",
    zip,
  );
  await shell.text("cicd", "omics", "wait", "workflow-active", "--id", workflowId);
  const { id } = await shell.aws<{ id: string }>(
    "cicd",
    "omics",
    "start-run",
    "--workflow-id",
    workflowId,
    "--role-arn",
    lab.roleArn,
    "--name",
    "by the CLI",
    "--output-uri",
    `s3://${lab.bucket}/runs`,
    "--storage-type",
    "DYNAMIC",
    "--parameters",
    JSON.stringify({ who: "phage" }),
  );
  // The waiter looks every 30 seconds; the run has ended when it is asked, so that one look is enough.
  await lab.ended(id);
  await shell.text("cicd", "omics", "wait", "run-completed", "--id", id);
  const [run, runs, tasks, outputs] = await Promise.all([
    shell.aws("cicd", "omics", "get-run", "--id", id),
    shell.aws("cicd", "omics", "list-runs", "--name", "by the CLI"),
    shell.aws<{ items: readonly { taskId: string }[] }>("cicd", "omics", "list-run-tasks", "--id", id),
    shell.text("cicd", "s3", "cp", `s3://${lab.bucket}/runs/${id}/logs/outputs.json`, "-"),
  ]);
  expect(run).toMatchObject({ id, status: "COMPLETED", workflowId, name: "by the CLI", parameters: { who: "phage" } });
  expect(runs).toMatchObject({ items: [{ id, status: "COMPLETED" }] });
  expect(tasks).toMatchObject({ items: [{ name: "greet", status: "COMPLETED" }] });
  expect(outputs).toContain("hello phage");
  expect(await shell.aws("cicd", "omics", "get-run-task", "--id", id, "--task-id", tasks.items[0]?.taskId ?? "")).toMatchObject({
    name: "greet",
    status: "COMPLETED",
  });
});
