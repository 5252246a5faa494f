import {
  CancelRunCommand,
  DeleteRunCommand,
  GetRunCommand,
  GetRunTaskCommand,
  ListRunTasksCommand,
  StartRunCommand,
} from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRole, openLab, RUN_ROLE, type OmicsLab } from "./testing/omics.ts";

let lab: OmicsLab;
beforeAll(async () => {
  lab = await openLab();
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

const COUNT = `version 1.1
workflow Count {
  input { File text  String greeting = "hello" }
  call lines { input: text = text, greeting = greeting }
  output { Int total = lines.total  File report = lines.report  Array[File] parts = lines.parts }
}
task lines {
  input { File text  String greeting }
  command <<<
    echo "~{greeting} from $AWS_WORKFLOW_RUN_ID"
    wc -l < ~{text} > count.txt
    cp ~{text} report.txt
    echo a > a.part; echo b > b.part
    echo "to stderr" >&2
  >>>
  output { Int total = read_int("count.txt")  File report = "report.txt"  Array[File] parts = ["a.part", "b.part"] }
  runtime { cpu: 2 memory: "3 GiB" }
}`;

const one = (task: string) => ({ "main.wdl": `version 1.1\nworkflow W { call t }\n${task}` });

describe("a run", () => {
  test("reads from S3, runs its tasks, and writes outputs, logs and a manifest", async () => {
    const text = await lab.put("in/three.txt", "1\n2\n3\n");
    const workflowId = await lab.workflow({ "main.wdl": COUNT });
    const id = await lab.start({ workflowId, name: "first", parameters: { text, greeting: "hi" } });
    const run = await lab.ended(id);
    expect(run).toMatchObject({
      status: "COMPLETED",
      name: "first",
      workflowId,
      storageType: "STATIC",
      storageCapacity: 1200,
      runOutputUri: `s3://${lab.bucket}/runs/${id}`,
      parameters: { text, greeting: "hi" },
      retentionMode: "RETAIN",
      resourceDigests: { [text]: expect.stringMatching(/^etag:[0-9a-f]{32}$/) },
      digest: expect.stringMatching(/^sha256:/),
    });
    expect(run.startTime).toBeInstanceOf(Date);
    expect(run.stopTime).toBeInstanceOf(Date);
    expect(await lab.keys(`runs/${id}/`)).toEqual([
      `runs/${id}/logs/engine.log`,
      `runs/${id}/logs/outputs.json`,
      `runs/${id}/out/parts/0/a.part`,
      `runs/${id}/out/parts/1/b.part`,
      `runs/${id}/out/report/report.txt`,
    ]);
    expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toEqual({
      "Count.total": 3,
      "Count.report": `s3://${lab.bucket}/runs/${id}/out/report/report.txt`,
      "Count.parts": [`s3://${lab.bucket}/runs/${id}/out/parts/0/a.part`, `s3://${lab.bucket}/runs/${id}/out/parts/1/b.part`],
    });
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    expect(items).toMatchObject([{ name: "lines", status: "COMPLETED", cpus: 2, memory: 3, gpus: 0, instanceType: "omics.c.large" }]);
    const taskId = items[0]!.taskId!;
    expect(await lab.omics.send(new GetRunTaskCommand({ id, taskId }))).toMatchObject({
      logStream: expect.stringMatching(`:log-group:/aws/omics/WorkflowLog:log-stream:run/${id}/task/${taskId}$`),
    });
    expect((await lab.logLines(`run/${id}/task/${taskId}`)).toSorted()).toEqual([`hi from ${id}`, "to stderr"]);
    const events = (await lab.logLines(`run/${id}`)).map((line) => JSON.parse(line) as { runStatus: string; logMessage: string });
    expect(events.map(({ logMessage }) => logMessage)).toEqual([
      "CREATING_RUN",
      "STARTING_RUN",
      "SET_WORKFLOW_TIMEOUT",
      "RUNNING_WORKFLOW",
      "IMPORTING_FILES",
      "IMPORT_COMPLETED",
      "STARTING_TASK",
      "RUNNING_TASK",
      "TASK_COMPLETED",
      "STOPPING_RUN",
      "MAX_FILE_SYSTEM_USAGE",
      "ENGINE_LOG_GENERATED",
      "RUN_COMPLETED",
    ]);
    const manifest = (await lab.logLines(`manifest/run/${id}/${run.uuid}`)).map((line) => JSON.parse(line) as object);
    expect(manifest).toMatchObject([
      { arn: run.arn, status: "COMPLETED", metrics: { runningSeconds: expect.any(Number) as number } },
      { run: run.arn, name: "lines", status: "COMPLETED" },
    ]);
  });

  test("fails with HealthOmics's reason when an input is not there", async () => {
    const workflowId = await lab.workflow({ "main.wdl": COUNT });
    const id = await lab.start({ workflowId, parameters: { text: `s3://${lab.bucket}/not/there` } });
    expect(await lab.ended(id)).toMatchObject({
      status: "FAILED",
      failureReason: "INPUT_URI_NOT_FOUND",
      statusMessage: expect.stringContaining("not/there"),
    });
  });

  test("fails when a task does, and the task says how", async () => {
    const id = await lab.start({ workflowId: await lab.workflow(one("task t { command <<< exit 3 >>> }")) });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "RUN_TASK_FAILED" });
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    expect(await lab.omics.send(new GetRunTaskCommand({ id, taskId: items[0]!.taskId! }))).toMatchObject({
      status: "FAILED",
      failureReason: "RUN_TASK_FAILED",
      statusMessage: "Task failed with exit code 3",
    });
  });

  test("fails when the role can't be assumed", async () => {
    const workflowId = await lab.workflow(one("task t { command <<< true >>> }"));
    const id = await lab.start({ workflowId, roleArn: "arn:aws:iam::111122223333:role/nobody" });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "ASSUME_ROLE_FAILED" });
  });

  test("fails when its role may not write the outputs", async () => {
    const readOnly = RUN_ROLE.map((part) => ({ ...part, Action: [part.Action].flat().filter((action) => action !== "s3:PutObject") }));
    const roleArn = await makeRole(lab.iam, "read-only", readOnly);
    const workflowId = await lab.workflow(one("task t { command <<< true >>> }"));
    expect(await lab.ended(await lab.start({ workflowId, roleArn }))).toMatchObject({ status: "FAILED", failureReason: "EXPORT_FAILED" });
  });

  test("is cancelled while a task runs, exports nothing, and can be deleted afterwards", async () => {
    const id = await lab.start({ workflowId: await lab.workflow(one("task t { command <<< sleep 300 >>> }")) });
    await expect(lab.omics.send(new DeleteRunCommand({ id }))).rejects.toMatchObject({ name: "ConflictException" });
    for (let status; status !== "RUNNING";) status = (await lab.omics.send(new ListRunTasksCommand({ id }))).items?.[0]?.status;
    await lab.omics.send(new CancelRunCommand({ id }));
    expect(await lab.ended(id)).toMatchObject({ status: "CANCELLED" });
    expect((await lab.omics.send(new ListRunTasksCommand({ id }))).items).toMatchObject([{ status: "CANCELLED" }]);
    expect(await lab.keys(`runs/${id}/`)).toEqual([]);
    await expect(lab.omics.send(new CancelRunCommand({ id }))).rejects.toMatchObject({ name: "ConflictException" });
    await lab.omics.send(new DeleteRunCommand({ id }));
    await expect(lab.omics.send(new GetRunCommand({ id }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("with the same requestId starts once; with other members it conflicts", async () => {
    const workflowId = await lab.workflow(one("task t { command <<< true >>> }"));
    const input = { workflowId, roleArn: lab.roleArn, outputUri: `s3://${lab.bucket}/runs`, requestId: "the-same" };
    const [first, second] = [await lab.omics.send(new StartRunCommand(input)), await lab.omics.send(new StartRunCommand(input))];
    expect(second.id).toBe(first.id);
    await expect(lab.omics.send(new StartRunCommand({ ...input, name: "other" }))).rejects.toMatchObject({ name: "ConflictException" });
    expect(await lab.ended(first.id!)).toMatchObject({ status: "COMPLETED" });
  });

  test("repeats another run, with what the request says on top", async () => {
    const workflowId = await lab.workflow({ "main.wdl": COUNT });
    const first = await lab.start({ workflowId, name: "before", parameters: { text: await lab.put("in/again.txt", "1\n") } });
    await lab.ended(first);
    const again = await lab.start({ runId: first, name: "after" });
    const run = await lab.ended(again);
    expect(run).toMatchObject({
      status: "COMPLETED",
      runId: first,
      name: "after",
      workflowId,
      parameters: { text: expect.stringContaining("again.txt") },
    });
    const { definition = "" } = await lab.omics.send(new GetRunCommand({ id: again, export: ["DEFINITION"] }));
    expect((await fetch(definition)).headers.get("content-type")).toBe("application/zip");
  });

  test("is refused for parameters that the template does not know or lacks", async () => {
    const workflowId = await lab.workflow({ "main.wdl": COUNT });
    await expect(lab.start({ workflowId, parameters: { text: "s3://b/k", other: 1 } })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("'other'"),
    });
    await expect(lab.start({ workflowId, parameters: {} })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("'text'"),
    });
  });
});
