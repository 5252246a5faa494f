import { sign } from "aws4";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errors, operations } from "../../model/generated/tables.ts";
import { inputMembers } from "../../model/request.ts";
import { validate, type OperationName } from "../../model/validate.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { invalidRequest, seeded, validRequest } from "./testing/generate.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());

const REFUSED = /RunCache|Batch|Configuration|Share/;
const names = Object.keys(operations) as OperationName[];
const ROUNDS = 25;

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

/** A request as a client without the SDK would send it: members where the model puts them. */
async function send(operation: OperationName, input: Readonly<Record<string, unknown>>): Promise<Answer> {
  const { method, uri } = operations[operation];
  const body: Record<string, unknown> = {};
  const query = new URLSearchParams();
  let path: string = uri;
  for (const [name, member] of Object.entries(inputMembers(operation))) {
    const value = input[name];
    if (member.location === "uri") path = path.replace(`{${name}}`, encodeURIComponent(String(value)));
    else if (value === undefined) continue;
    else if (member.location === "querystring") for (const item of [value].flat()) query.append(name, String(item));
    else body[name] = value;
  }
  return raw(method, query.size > 0 ? `${path}?${query.toString().replaceAll("+", "%20")}` : path, Object.keys(body).length > 0 ? JSON.stringify(body) : undefined);
}

async function raw(method: string, path: string, body?: string): Promise<Answer> {
  const { credentials } = accounts.config();
  const { host } = new URL(accounts.url);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const signed = sign({ host, method, path, service: "omics", region: "us-east-1", headers, ...(body !== undefined && { body }) }, credentials);
  const response = await fetch(`${accounts.url}${path}`, { method, headers: signed.headers as Record<string, string>, ...(body !== undefined && { body }) });
  return { status: response.status, type: response.headers.get("x-amzn-errortype"), body: await response.text() };
}

describe("requests made from the model", () => {
  test.each(names)("%s takes what the model accepts and refuses what it refuses", async (operation) => {
    const next = seeded(operation.length * 7919 + operation.charCodeAt(3));
    for (let round = 0; round < ROUNDS; round++) {
      const valid = validRequest(operation, next);
      expect(validate(operation, valid)).toBeUndefined();
      const { status, type, body } = await send(operation, valid);
      const context = `${operation} ${JSON.stringify(valid)} → ${status} ${body}`;
      if (REFUSED.test(operation)) expect([status, type], context).toEqual([501, "NotImplemented"]);
      else expect(status === operations[operation].status || type! in errors, context).toBe(true);
      expect(body, context).not.toMatch(/validation errors? detected/);
      const invalid = invalidRequest(operation, next);
      if (invalid === undefined || validate(operation, invalid) === undefined) continue;
      expect(await send(operation, invalid), `${operation} ${JSON.stringify(invalid)}`).toMatchObject({
        status: 400, type: "ValidationException", body: expect.stringMatching(/^\{"message":"\d+ validation errors? detected: /),
      });
    }
  });
});

describe("what is no operation, or no request", () => {
  test("operations of the stores are refused by name", async () => {
    expect(await raw("POST", "/referencestore", "{}")).toMatchObject({ status: 501, body: expect.stringContaining("omics:CreateReferenceStore") });
  });

  test("a body that is not JSON, and one that is no object", async () => {
    for (const body of ["{", "[]", "7"]) expect(await raw("POST", "/workflow", body)).toMatchObject({ status: 400, type: "ValidationException" });
  });

  test("updates, deletes and tags answer without a body", async () => {
    const group = await raw("POST", "/runGroup", JSON.stringify({ requestId: "r" }));
    expect(group.status).toBe(201);
    const { id, arn } = JSON.parse(group.body) as { id: string; arn: string };
    expect(await raw("POST", `/tags/${encodeURIComponent(arn)}`, JSON.stringify({ tags: { a: "b" } }))).toEqual({ status: 204, type: null, body: "" });
    expect(await raw("POST", `/runGroup/${id}`, JSON.stringify({ maxRuns: 1 }))).toEqual({ status: 202, type: null, body: "" });
    expect(await raw("DELETE", `/runGroup/${id}`)).toEqual({ status: 202, type: null, body: "" });
    expect(await raw("GET", `/runGroup/${id}`)).toMatchObject({ status: 404, type: "ResourceNotFoundException" });
  });
});
