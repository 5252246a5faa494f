import { describe, expect, test } from "vitest";
import { operations } from "./generated/tables.ts";
import { readRequest } from "./request.ts";
import { routeOf } from "./route.ts";

describe("routeOf", () => {
  test("every operation is found by its own method and path", () => {
    for (const [name, { method, uri }] of Object.entries(operations))
      expect(routeOf(method, uri.replaceAll(/\{\w+\}/g, "7"))).toMatchObject({ kind: "operation", operation: name });
  });

  test("an ARN travels as one encoded segment", () => {
    expect(routeOf("POST", "/tags/arn%3Aaws%3Aomics%3Aus-east-1%3A111122223333%3Aworkflow%2F1%2Fversion%2F1.0")).toEqual({
      kind: "operation",
      operation: "TagResource",
      labels: { resourceArn: "arn:aws:omics:us-east-1:111122223333:workflow/1/version/1.0" },
    });
  });

  test("cancel and delete of a batch are no batch ids", () => {
    expect(routeOf("POST", "/runBatch/cancel")).toMatchObject({ operation: "CancelRunBatch" });
    expect(routeOf("POST", "/runBatch/delete")).toMatchObject({ operation: "DeleteRunBatch" });
  });

  test("operations of the stores are known by name", () => {
    expect(routeOf("POST", "/referencestore")).toEqual({ kind: "other", operation: "CreateReferenceStore" });
  });

  test("a path of nobody, and a broken escape, are none", () => {
    expect(routeOf("GET", "/nothing")).toBeUndefined();
    expect(routeOf("GET", "/run/%zz")).toBeUndefined();
    expect(routeOf("GET", "/run/")).toBeUndefined();
  });
});

describe("readRequest", () => {
  test("members come from where the model says", () => {
    const query = new URLSearchParams("export=DEFINITION&export=README&type=PRIVATE&other=1");
    expect(readRequest("GetWorkflow", { labels: { id: "7" }, query, body: { id: "9" } })).toEqual({
      id: "7",
      type: "PRIVATE",
      export: ["DEFINITION", "README"],
    });
  });

  test("a page size is a number, what is no number stays text", () => {
    const read = (text: string) => readRequest("ListRuns", { labels: {}, query: new URLSearchParams(text), body: {} });
    expect(read("maxResults=10")).toEqual({ maxResults: 10 });
    expect(read("maxResults=many")).toEqual({ maxResults: "many" });
  });

  test("ListShares pages in the query and filters in the body", () => {
    const query = new URLSearchParams("maxResults=3");
    expect(readRequest("ListShares", { labels: {}, query, body: { resourceOwner: "SELF", maxResults: 9 } })).toEqual({
      resourceOwner: "SELF",
      maxResults: 3,
    });
  });
});
