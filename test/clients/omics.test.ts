import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { awsCli, openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, run: () => Promise<void>): void => test.runIf(awsCli).concurrent(name, run, PATIENCE_MS);

const MAIN = `version 1.1
workflow hello { input { String who = "you" } call greet { input: who } output { String said = greet.said } }
task greet { input { String who } command <<< echo hello ~{who} >>> output { String said = read_string(stdout()) } }
`;

there("aws omics creates a workflow and its versions, and its waiters end", async () => {
  const zip = `fileb://${shell.file("hello.zip", zipSync({ "main.wdl": Buffer.from(MAIN) }))}`;
  const { id } = await shell.aws<{ id: string }>("cicd", "omics", "create-workflow", "--name", "hello", "--engine", "WDL", "--definition-zip", zip, "--tags", "team=phages");
  await shell.text("cicd", "omics", "wait", "workflow-active", "--id", id);
  await shell.aws("cicd", "omics", "create-workflow-version", "--workflow-id", id, "--version-name", "1.0.0", "--definition-zip", zip, "--description", "the first");
  await shell.text("cicd", "omics", "wait", "workflow-version-active", "--workflow-id", id, "--version-name", "1.0.0");
  const [workflow, version, workflows, versions] = await Promise.all([
    shell.aws("cicd", "omics", "get-workflow", "--id", id),
    shell.aws("cicd", "omics", "get-workflow-version", "--workflow-id", id, "--version-name", "1.0.0"),
    shell.aws("cicd", "omics", "list-workflows", "--name", "hello"),
    shell.aws("cicd", "omics", "list-workflow-versions", "--workflow-id", id),
  ]);
  expect(workflow).toMatchObject({ id, status: "ACTIVE", engine: "WDL", parameterTemplate: { who: { optional: true } }, tags: { team: "phages" } });
  expect(version).toMatchObject({ workflowId: id, versionName: "1.0.0", status: "ACTIVE", description: "the first" });
  expect(workflows).toMatchObject({ items: [{ id, name: "hello" }] });
  expect(versions).toMatchObject({ items: [{ versionName: "1.0.0" }] });
});

there("a definition that does not parse ends the waiter and says why", async () => {
  const zip = `fileb://${shell.file("broken.zip", zipSync({ "main.wdl": Buffer.from("version 1.1\nworkflow broken {") }))}`;
  const { id } = await shell.aws<{ id: string }>("production", "omics", "create-workflow", "--name", "broken", "--engine", "WDL", "--definition-zip", zip);
  expect(await shell.refused("production", "omics", "wait", "workflow-active", "--id", id)).toContain("Waiter WorkflowActive failed");
  expect(await shell.aws("production", "omics", "get-workflow", "--id", id)).toMatchObject({ status: "FAILED", statusMessage: expect.stringContaining("main.wdl") as string });
});
