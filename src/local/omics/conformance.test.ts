import { request } from "node:http";
import {
  CreateRunGroupCommand,
  CreateWorkflowCommand,
  CreateWorkflowVersionCommand,
  DeleteWorkflowVersionCommand,
} from "@aws-sdk/client-omics";
import { sign } from "aws4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestAccounts } from "../testing/accounts.ts";
import { type ConformanceLab, definitionZip, openConformanceLab } from "./testing/conformance-lab.ts";
import type { OmicsLab } from "./testing/omics.ts";
import { sendRaw } from "./testing/raw.ts";

// What a client can see of the API, fact by fact: the mistakes that a compatible server would most probably make.

let accounts: TestAccounts;
let lab: OmicsLab;
let workflowId: string;
let raw: ConformanceLab["raw"];
let start: ConformanceLab["start"];
beforeAll(async () => {
  ({ accounts, lab, workflowId, raw, start } = await openConformanceLab());
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

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
