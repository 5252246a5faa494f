import {
  GetRunCommand,
  ListRunsCommand,
  ListRunTasksCommand,
  ListTagsForResourceCommand,
  waitUntilRunCompleted,
  waitUntilTaskCompleted,
  type StartRunCommandInput,
} from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConformanceLab, openConformanceLab, refused } from "./testing/conformance-lab.ts";
import type { OmicsLab } from "./testing/omics.ts";

// What a client can see of runs, fact by fact: the mistakes that a compatible server would most probably make.

let lab: OmicsLab;
let raw: ConformanceLab["raw"];
let run: ConformanceLab["run"];
let start: ConformanceLab["start"];
beforeAll(async () => {
  ({ lab, raw, run, start } = await openConformanceLab());
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

describe("runs", () => {
  test.each([
    ["one slash between", "s3://lab-bucket/a", /^s3:\/\/lab-bucket\/a\/\d+$/],
    ["whatever was passed", "s3://lab-bucket/a/", /^s3:\/\/lab-bucket\/a\/\d+$/],
    ["a bucket alone", "s3://lab-bucket", /^s3:\/\/lab-bucket\/\d+$/],
  ])("runOutputUri has the run's id behind %s", async (_what, outputUri, expected) => {
    const { id, runOutputUri } = await start({ outputUri });
    expect(runOutputUri).toMatch(expected);
    expect((await lab.omics.send(new GetRunCommand({ id }))).outputUri).toBe(outputUri);
  });

  test("what was sent comes back; what belongs to another engine, or was not sent, does not", { timeout: 120_000 }, async () => {
    const sent = {
      name: "whole",
      priority: 7,
      logLevel: "ALL" as const,
      retentionMode: "REMOVE" as const,
      storageType: "STATIC" as const,
      tags: { Team: "A" },
      parameters: { "Hello.name": "me" },
    };
    const { id = "", arn = "", tags } = await start({ ...sent, storageCapacity: 5000 });
    expect(tags).toEqual({ Team: "A" });
    await waitUntilRunCompleted({ client: lab.omics, maxWaitTime: 100, minDelay: 1, maxDelay: 1 }, { id });
    const got = await lab.omics.send(new GetRunCommand({ id }));
    expect(got).toMatchObject({
      ...sent,
      storageCapacity: 7200,
      networkingMode: "RESTRICTED",
      workflowType: "PRIVATE",
      startedBy: expect.stringMatching(/^arn:aws:iam::111122223333:user\//),
    });
    expect(got.tags).toEqual({ Team: "A" });
    for (const member of [
      "engineVersion",
      "engineSettings",
      "scratchStorageMode",
      "failureReason",
      "statusMessage",
      "batchId",
      "runGroupId",
    ])
      expect((got as unknown as Record<string, unknown>)[member]).toBeUndefined();
    expect((await lab.omics.send(new ListTagsForResourceCommand({ resourceArn: arn }))).tags).toEqual({ Team: "A" });
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id, status: "COMPLETED" }));
    await waitUntilTaskCompleted({ client: lab.omics, maxWaitTime: 100, minDelay: 1, maxDelay: 1 }, { id, taskId: items[0]?.taskId });
    expect((await lab.omics.send(new ListRunTasksCommand({ id, status: "FAILED" }))).items).toEqual([]);
    expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toEqual({ "Hello.said": "hello me" });
  });

  test.each([
    ["neither workflow nor run", { workflowId: undefined }, refused("ValidationException", /workflowId and runId/)],
    ["an unknown workflow", { workflowId: "999" }, refused("ResourceNotFoundException", /^Workflow 999 not found$/)],
    ["an unknown run to repeat", { workflowId: undefined, runId: "999" }, refused("ResourceNotFoundException", /^Run 999 not found$/)],
    ["an unknown group", { runGroupId: "999" }, refused("ResourceNotFoundException", /999/)],
    ["a Ready2Run workflow", { workflowType: "READY2RUN" }, refused("ResourceNotFoundException", /^Workflow \d+ not found$/)],
    [
      "a workflow of another account",
      { workflowOwnerId: "444455556666" },
      refused("ResourceNotFoundException", /^Workflow \d+ not found$/),
    ],
    ["an unknown cache", { cacheId: "1" }, refused("ResourceNotFoundException", /cache 1/)],
    ["a cache behaviour without a cache", { cacheBehavior: "CACHE_ALWAYS" }, refused("ValidationException", /cacheId/)],
    ["a VPC without a configuration", { networkingMode: "VPC" }, refused("ValidationException", /configurationName/)],
    ["outputs outside S3", { outputUri: "https://example.org/" }, refused("ValidationException", /'outputUri'/)],
    [
      "more static storage than there may be",
      { storageCapacity: 9601, storageType: "STATIC" },
      refused("ServiceQuotaExceededException", /9600/),
    ],
    ["parameters of more than 256,000 bytes", { parameters: { name: "x".repeat(256_000) } }, refused("ValidationException", /256000/)],
    ["parameters that are a list", { parameters: ["x"] }, refused("ValidationException", /JSON object/)],
  ])("are refused for %s", async (_what, sent, error) => {
    await expect(start(sent as Partial<StartRunCommandInput>)).rejects.toMatchObject(error);
  });

  // Members that the installed SDK does not know travel by themselves.
  test("a session policy that is no policy is refused; a run in a list has its workflow's name", async () => {
    expect(await raw("POST", "/run", { ...run({ requestId: "policy" }), sessionPolicy: '{"Version"' })).toMatchObject({
      status: 400,
      type: "ValidationException",
      body: expect.stringContaining("sessionPolicy"),
    });
    await start({ name: "of-lab" });
    expect(JSON.parse((await raw("GET", "/run?name=of-lab")).body)).toMatchObject({ items: [{ name: "of-lab", workflowName: "lab" }] });
  });

  test("a task that ran out of memory and was tried again is two tasks of a completed run", { timeout: 180_000 }, async () => {
    const grow = `python3 -c "b = bytearray(200 * 1024 * 1024); import time; time.sleep(6)"`;
    const id = await lab.start({
      workflowId: await lab.workflow({
        "main.wdl": `version 1.1\nworkflow W { call t }\ntask t { command <<< ${grow} >>> runtime { memory: "150 MiB" maxRetries: 1 } }`,
      }),
    });
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id }));
    expect(items.map(({ name, status, memory }) => [name, status, memory])).toEqual([
      ["t", "COMPLETED", 1],
      ["t", "FAILED", 1],
    ]);
    expect(new Set(items.map(({ taskId }) => taskId)).size).toBe(2);
  });

  test("filters of a list go together", async () => {
    const { id } = await start({ name: "filtered" });
    expect((await lab.omics.send(new ListRunsCommand({ name: "filtered" }))).items).toMatchObject([{ id }]);
    expect((await lab.omics.send(new ListRunsCommand({ name: "filtered", status: "DELETED" }))).items).toEqual([]);
    expect((await lab.omics.send(new ListRunsCommand({ name: "filtered", batchId: "1" }))).items).toEqual([]);
  });
});
