import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { LET_OMICS_READ, pushHostImage } from "./testing/images.ts";
import { furnish, type OmicsLab } from "./testing/omics.ts";

// What fails at a limit, with limits small enough to reach: 1,200 GiB of run storage are 12 MB here.
const QUOTAS = { bytesOfStorageGib: 10_000, activeGpus: 2, imageBytes: 1000, storedRuns: 1000 };

let accounts: TestAccounts;
let lab: OmicsLab;
beforeAll(async () => {
  accounts = await startAccounts();
  writeFileSync(join(accounts.dataDir, "healthomics.json"), JSON.stringify({ quotas: QUOTAS }));
  await accounts.restart();
  lab = await furnish(accounts);
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

const task = (command: string, runtime = "") => ({
  "main.wdl": `version 1.1\nworkflow W { call t }\ntask t { command <<< ${command} >>> runtime { ${runtime} } }`,
});
const READER = {
  "main.wdl":
    "version 1.1\nworkflow W { input { File f } call t { input: f = f } }\ntask t { input { File f } command <<< wc -c ~{f} >>> }",
};
const FILL = "head -c 20000000 /dev/zero > big";

const run = async (files: Readonly<Record<string, string>>, more = {}) =>
  lab.ended(await lab.start({ workflowId: await lab.workflow(files), ...more }));
const failed = (failureReason: string, statusMessage: RegExp) => ({
  status: "FAILED",
  failureReason,
  statusMessage: expect.stringMatching(statusMessage),
});

describe("static storage", () => {
  test("FILE_SYSTEM_OUT_OF_SPACE: files that are more than the run asked room for", { timeout: 180_000 }, async () => {
    expect(await run(task(FILL))).toMatchObject(failed("FILE_SYSTEM_OUT_OF_SPACE", /it has 1200 GiB/));
    expect(await run(task(FILL), { storageCapacity: 2400 })).toMatchObject({ status: "COMPLETED" });
  });

  test("FILE_SYSTEM_OUT_OF_SPACE ends a run that is still at work", { timeout: 180_000 }, async () => {
    const ended = await run(task(`${FILL}; sleep 3600`));
    expect(ended).toMatchObject(failed("FILE_SYSTEM_OUT_OF_SPACE", /is full/));
    expect((await lab.omics.send(new ListRunTasksCommand({ id: ended.id }))).items).toMatchObject([{ status: "CANCELLED" }]);
  });

  test("a dynamic run has room, and reports what it used", { timeout: 180_000 }, async () => {
    const { status, storageCapacity = 0 } = await run(task(FILL), { storageType: "DYNAMIC" });
    expect(status).toBe("COMPLETED");
    expect(storageCapacity).toBeGreaterThanOrEqual(2000);
  });

  test("UNSUPPORTED_INPUT_SIZE: inputs that are more than the run's storage holds", { timeout: 180_000 }, async () => {
    const f = await lab.put("large.txt", "x".repeat(12_000_000));
    expect(await run(READER, { parameters: { f } })).toMatchObject(failed("UNSUPPORTED_INPUT_SIZE", /large\.txt/));
    expect(await run(READER, { parameters: { f }, storageType: "DYNAMIC" })).toMatchObject({ status: "COMPLETED" });
  });
});

test("INSTANCE_RESERVATION_FAILED: more GPUs than the account can have", { timeout: 180_000 }, async () => {
  expect(await run(task("true", 'acceleratorType: "nvidia-tesla-t4" acceleratorCount: 4'))).toMatchObject(
    failed("INSTANCE_RESERVATION_FAILED", /4 GPUs; the account can have 2/),
  );
  expect(await run(task("true", 'acceleratorType: "nvidia-tesla-t4" acceleratorCount: 1'))).toMatchObject({ status: "COMPLETED" });
});

describe("omicsResourceFallbackOrder", () => {
  const gpus = (count: number) => `{"acceleratorType": "nvidia-tesla-t4", "acceleratorCount": ${count}, "cpu": 4, "memory": "16 GiB"}`;

  test("the next profile is tried where one can't be had, each as a task", { timeout: 180_000 }, async () => {
    const { id, status } = await run(task("true", `omicsResourceFallbackOrder: [${gpus(4)}, {"cpu": 1, "memory": "2 GiB"}]`));
    expect(status).toBe("COMPLETED");
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    expect(items.map(({ status: ended, gpus: count, cpus, memory }) => [ended, count, cpus, memory])).toEqual([
      ["COMPLETED", 0, 1, 2],
      ["FAILED", 4, 4, 16],
    ]);
  });

  test("ALL_PROFILES_INSTANCE_RESERVATION_FAILED: none of them can be had", { timeout: 180_000 }, async () => {
    expect(await run(task("true", `omicsResourceFallbackOrder: [${gpus(4)}, ${gpus(3)}]`))).toMatchObject(
      failed("ALL_PROFILES_INSTANCE_RESERVATION_FAILED", /None of the profiles/),
    );
  });
});

test("CANNOT_START_CONTAINER_SIZE_ERROR: an image above the limit", { timeout: 180_000 }, async () => {
  const { uri } = await pushHostImage(lab.config, "large", [LET_OMICS_READ]);
  expect(await run(task("true", `docker: "${uri}"`))).toMatchObject(
    failed("CANNOT_START_CONTAINER_SIZE_ERROR", /has \d+ bytes; 1000 are the most/),
  );
});

test("INACTIVE_OMICS_STORAGE_RESOURCE: an input in a sequence store", { timeout: 180_000 }, async () => {
  const f = "omics://111122223333.storage.us-east-1.amazonaws.com/1234567890/readSet/2345678901/source1";
  expect(await run(READER, { parameters: { f } })).toMatchObject(failed("INACTIVE_OMICS_STORAGE_RESOURCE", /readSet/));
});

test("SERVICE_ERROR: the engine is ended from outside while a task runs", { timeout: 180_000 }, async () => {
  const id = await lab.start({ workflowId: await lab.workflow(task("sleep 3600")) });
  for (let status; status !== "RUNNING";) status = (await lab.omics.send(new ListRunTasksCommand({ id }))).items?.[0]?.status;
  const [engine] = accounts.accounts.core.children.of(`omics/run/111122223333/us-east-1/${id}`).filter(({ pid }) => pid !== undefined);
  process.kill(engine?.pid ?? 0, "SIGTERM");
  expect(await lab.ended(id)).toMatchObject(failed("SERVICE_ERROR", /ended from outside/));
});

test("a failed run leaves its engine log, its tasks' logs and its manifest", { timeout: 180_000 }, async () => {
  const ended = await run(task("echo before; echo oops >&2; exit 3"));
  const id = ended.id ?? "";
  expect(await lab.get(`runs/${id}/logs/engine.log`)).not.toBe("");
  expect(await lab.keys(`runs/${id}/`)).toEqual([`runs/${id}/logs/engine.log`]);
  expect((await lab.logLines(`run/${id}/engine`)).length).toBeGreaterThan(0);
  const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
  expect((await lab.logLines(`run/${id}/task/${items[0]?.taskId}`)).toSorted()).toEqual(["before", "oops"]);
  const events = (await lab.logLines(`run/${id}`)).map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
  expect(events.slice(-5)).toMatchObject([
    { logMessage: "TASK_FAILED" },
    { runStatus: "STOPPING", logMessage: "STOPPING_RUN" },
    { logMessage: "MAX_FILE_SYSTEM_USAGE" },
    { logMessage: "ENGINE_LOG_GENERATED" },
    { runStatus: "FAILED", logMessage: "RUN_FAILED" },
  ]);
  const manifest = (await lab.logLines(`manifest/run/${id}/${ended.uuid}`)).map((line) => JSON.parse(line) as object);
  expect(manifest).toMatchObject([
    { arn: ended.arn, status: "FAILED", failureReason: "RUN_TASK_FAILED", startedBy: ended.startedBy, workflowType: "PRIVATE" },
    {
      run: ended.arn,
      name: "t",
      status: "FAILED",
      failureReason: "RUN_TASK_FAILED",
      metrics: { cpusReserved: 1, memoryReservedGiB: 1, gpusReserved: 0 },
    },
  ]);
});
