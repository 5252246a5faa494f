import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { sendRaw } from "./testing/raw.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const raw = (method: string, path: string, body?: string) => sendRaw(accounts, { method, path, body });

describe("what is no operation, or no request", () => {
  test("operations of the stores are refused by name", async () => {
    expect(await raw("POST", "/referencestore", "{}")).toMatchObject({
      status: 501,
      body: expect.stringContaining("omics:CreateReferenceStore"),
    });
  });

  test("a body that is not JSON, and one that is no object", async () => {
    for (const body of ["{", "[]", "7"])
      expect(await raw("POST", "/workflow", body)).toMatchObject({ status: 400, type: "ValidationException" });
  });

  test("updates, deletes and tags answer without a body", async () => {
    const group = await raw("POST", "/runGroup", JSON.stringify({ requestId: "r" }));
    expect(group.status).toBe(201);
    const { id, arn } = JSON.parse(group.body) as { id: string; arn: string };
    expect(await raw("POST", `/tags/${encodeURIComponent(arn)}`, JSON.stringify({ tags: { a: "b" } }))).toEqual({
      status: 204,
      type: null,
      body: "",
    });
    expect(await raw("POST", `/runGroup/${id}`, JSON.stringify({ maxRuns: 1 }))).toEqual({ status: 202, type: null, body: "" });
    expect(await raw("DELETE", `/runGroup/${id}`)).toEqual({ status: 202, type: null, body: "" });
    expect(await raw("GET", `/runGroup/${id}`)).toMatchObject({ status: 404, type: "ResourceNotFoundException" });
  });
});
