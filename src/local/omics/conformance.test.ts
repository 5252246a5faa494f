import { request } from "node:http";
import {
  CreateRunGroupCommand,
  CreateWorkflowCommand,
  CreateWorkflowVersionCommand,
  DeleteWorkflowCommand,
  DeleteWorkflowVersionCommand,
  GetRunCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  ListRunsCommand,
  ListRunTasksCommand,
  ListTagsForResourceCommand,
  ListWorkflowsCommand,
  ListWorkflowVersionsCommand,
  StartRunCommand,
  UpdateWorkflowCommand,
  waitUntilRunCompleted,
  waitUntilTaskCompleted,
  type StartRunCommandInput,
} from "@aws-sdk/client-omics";
import { sign } from "aws4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { sendRaw } from "./testing/raw.ts";
import { furnish, zipOf, type OmicsLab } from "./testing/omics.ts";

// What a client can see of the API, fact by fact: the mistakes that a compatible server would most probably make.

const HELLO = `version 1.1
workflow Hello { input { String name = "you" } call greet { input: name = name } output { String said = greet.said } }
task greet { input { String name } command <<< echo "hello ~{name}" >>> output { String said = read_string(stdout()) } }`;
const definitionZip = zipOf({ "main.wdl": HELLO });

let accounts: TestAccounts;
let lab: OmicsLab;
let workflowId: string;
beforeAll(async () => {
  accounts = await startAccounts();
  lab = await furnish(accounts);
  workflowId = await lab.workflow({ "main.wdl": HELLO });
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

const raw = (method: string, path: string, body?: object) => sendRaw(accounts, { method, path, body: body && JSON.stringify(body) });
const run = (more: Partial<StartRunCommandInput> = {}): StartRunCommandInput => ({
  workflowId,
  roleArn: lab.roleArn,
  outputUri: `s3://${lab.bucket}/runs`,
  ...more,
});
const start = (more: Partial<StartRunCommandInput> = {}) => lab.omics.send(new StartRunCommand(run(more)));
const refused = (name: string, message: RegExp) => ({ name, message: expect.stringMatching(message) });

describe("the wire", () => {
  test("the host prefix of the SDKs makes no difference", async () => {
    const { hostname, port } = new URL(accounts.url);
    const signed = sign(
      { host: "workflows-omics.us-east-1.amazonaws.com", method: "GET", path: "/workflow", service: "omics", region: "us-east-1" },
      accounts.config().credentials,
    );
    const status = await new Promise((resolve, reject) => {
      request({ hostname, port, path: "/workflow", headers: signed.headers as Record<string, string> }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on("error", reject)
        .end();
    });
    expect(status).toBe(200);
  });

  test("timestamps are ISO 8601 with a zone, numbers are numbers, what is not set is left out", async () => {
    const { body } = await raw("GET", `/workflow/${workflowId}`);
    const workflow = JSON.parse(body) as Readonly<Record<string, unknown>>;
    expect(workflow["creationTime"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    expect(workflow).toMatchObject({ storageCapacity: 1200, tags: {} });
    for (const member of ["description", "accelerators", "containerRegistryMap", "readmePath", "profiles"])
      expect(workflow).not.toHaveProperty(member);
  });

  test("errors carry their type in the header and their text as message", async () => {
    expect(await raw("GET", "/workflow/999")).toEqual({
      status: 404,
      type: "ResourceNotFoundException",
      body: '{"message":"Workflow 999 not found"}',
    });
    expect(await raw("POST", "/runGroup", { maxRuns: 0, name: "" })).toMatchObject({
      status: 400,
      type: "ValidationException",
      body: expect.stringMatching(/^\{"message":"4 validation errors detected: /),
    });
  });

  test("requestId is asked of who leaves it out; unknown members and null are let pass", async () => {
    expect(await raw("POST", "/runGroup", { name: "g" })).toMatchObject({ status: 400, body: expect.stringContaining("'requestId'") });
    expect(await raw("POST", "/runGroup", { name: null, requestId: "nulls", newMember: { a: 1 } })).toMatchObject({ status: 201 });
  });

  test("a body of a hundred thousand brackets is refused, not crashed on", async () => {
    const body = `{"requestId":"deep","roleArn":"${lab.roleArn}","outputUri":"s3://b/k","workflowId":"${workflowId}","parameters":{"name":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`;
    expect(await sendRaw(accounts, { method: "POST", path: "/run", body })).toMatchObject({ status: 400, type: "ValidationException" });
  });

  test("a refusal of iam:PassRole has the type that the model knows", async () => {
    await expect(start({ roleArn: "arn:aws:iam::444455556666:role/theirs" })).rejects.toMatchObject({
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 403 },
    });
  });
});

describe("requestId", () => {
  const operations = [
    [
      "CreateWorkflow",
      (requestId: string, other: boolean) =>
        lab.omics.send(new CreateWorkflowCommand({ definitionZip, requestId, name: other ? "b" : "a" })),
    ],
    [
      "CreateWorkflowVersion",
      (requestId: string, other: boolean) =>
        lab.omics.send(new CreateWorkflowVersionCommand({ workflowId, definitionZip, requestId, versionName: other ? "b" : "a" })),
    ],
    [
      "CreateRunGroup",
      (requestId: string, other: boolean) => lab.omics.send(new CreateRunGroupCommand({ requestId, name: other ? "b" : "a" })),
    ],
    ["StartRun", (requestId: string, other: boolean) => start({ requestId, name: other ? "b" : "a" })],
  ] as const;

  test.each(operations)("%s: the same request has the same answer, another conflicts", async (_name, send) => {
    const [first, again] = [await send("mine", false), await send("mine", false)];
    expect({ ...again, $metadata: {} }).toEqual({ ...first, $metadata: {} });
    await expect(send("mine", true)).rejects.toMatchObject({ name: "ConflictException", $metadata: { httpStatusCode: 409 } });
  });
});

test("a version that was deleted is made again by the same request", async () => {
  const input = { workflowId, versionName: "again", definitionZip, requestId: "made-again" };
  const { uuid } = await lab.omics.send(new CreateWorkflowVersionCommand(input));
  await lab.settledVersion(workflowId, "again");
  await lab.omics.send(new DeleteWorkflowVersionCommand({ workflowId, versionName: "again" }));
  expect((await lab.omics.send(new CreateWorkflowVersionCommand(input))).uuid).not.toBe(uuid);
  expect(await lab.settledVersion(workflowId, "again")).toMatchObject({ status: "ACTIVE" });
});

describe("workflows", () => {
  test("neither Ready2Run workflows nor those of another account are there", async () => {
    for (const asked of [{ type: "READY2RUN" as const }, { workflowOwnerId: "444455556666" }]) {
      await expect(lab.omics.send(new GetWorkflowCommand({ id: workflowId, ...asked }))).rejects.toMatchObject(
        refused("ResourceNotFoundException", /^Workflow \d+ not found$/),
      );
      await expect(lab.omics.send(new GetWorkflowVersionCommand({ workflowId, versionName: "v", ...asked }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
      await expect(lab.omics.send(new ListWorkflowVersionsCommand({ workflowId, ...asked }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
    }
    expect((await lab.omics.send(new ListWorkflowsCommand({ type: "READY2RUN" }))).items).toEqual([]);
    expect(
      await lab.omics.send(new GetWorkflowCommand({ id: workflowId, workflowOwnerId: "111122223333", type: "PRIVATE" })),
    ).toMatchObject({ status: "ACTIVE" });
  });

  test("the main file is looked for at the level nearest to the root, hidden entries left out", async () => {
    const { id = "" } = await lab.omics.send(
      new CreateWorkflowCommand({
        definitionZip: zipOf({ ".x/main.wdl": "no", ".main.wdl": "no", "a/any.wdl": HELLO, "a/b/main.wdl": "no" }),
      }),
    );
    expect(await lab.settled(id)).toMatchObject({ status: "ACTIVE", main: "a/any.wdl", engine: "WDL" });
  });

  test("findings in Nextflow are a JSON document and block nothing", async () => {
    const { id = "" } = await lab.omics.send(
      new CreateWorkflowCommand({
        definitionZip: zipOf({ "main.nf": "process P { publishDir '/elsewhere'; script: 'true' }\nworkflow { P() }" }),
      }),
    );
    const { status, statusMessage = "" } = await lab.settled(id);
    expect(status).toBe("ACTIVE");
    expect(JSON.parse(statusMessage)).toMatchObject({
      advisory: expect.any(String),
      summary: { errors: expect.any(Number), warnings: expect.any(Number) },
      errors: expect.any(Array),
      warnings: expect.any(Array),
    });
  });

  test("a name may be used again, at once and after a delete", async () => {
    const [first, second] = [
      await lab.workflow({ "main.wdl": HELLO }, { name: "twice" }),
      await lab.workflow({ "main.wdl": HELLO }, { name: "twice" }),
    ];
    await lab.omics.send(new DeleteWorkflowCommand({ id: first }));
    const third = await lab.workflow({ "main.wdl": HELLO }, { name: "twice" });
    expect((await lab.omics.send(new ListWorkflowsCommand({ name: "twice" }))).items?.map(({ id }) => id)).toEqual([third, second]);
    await lab.omics.send(new UpdateWorkflowCommand({ id: third, name: "once" }));
    expect((await lab.omics.send(new ListWorkflowsCommand({ name: "twice" }))).items?.map(({ id }) => id)).toEqual([second]);
  });

  test.each([
    ["https://example.org/x.zip", /"https:\/\/example\.org\/x\.zip".*s3:\/\//],
    ["s3://lab-bucket/folder/", /NoSuchKey/],
    ["s3://lab-bucket", /s3:\/\/lab-bucket/],
    ["s3://nobodys-bucket/x.zip", /NoSuchBucket/],
  ])("a definition at %s is accepted, and fails with the reason", async (definitionUri, message) => {
    const { id = "" } = await lab.omics.send(new CreateWorkflowCommand({ definitionUri }));
    expect(await lab.settled(id)).toMatchObject({ status: "FAILED", statusMessage: expect.stringMatching(message) });
  });

  test("a repository that can't be read is known by its details all the same", async () => {
    const definitionRepository = {
      connectionArn: "arn:aws:codeconnections:us-east-1:111122223333:connection/1",
      fullRepositoryId: "file:///not/there",
      sourceReference: { type: "TAG" as const, value: "v1" },
    };
    const { id = "" } = await lab.omics.send(new CreateWorkflowCommand({ definitionRepository }));
    expect(await lab.settled(id)).toMatchObject({ status: "FAILED", definitionRepositoryDetails: definitionRepository });
  });
});

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
