import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inputMembers } from "../../model/request.ts";
import { pythonWithBoto3 } from "./testing/boto.ts";
import { openVersionLab, type VersionLab, versionSource } from "./testing/version-lab.ts";
import { versionRows } from "./testing/version-rows.ts";

// CreateWorkflowVersion by table: one row for each of its parameters, sent by boto3.

const python = pythonWithBoto3();

const source = versionSource();
afterAll(() => source[Symbol.dispose]());
const ROWS = versionRows(source.fromRepository);

describe.skipIf(python === undefined)("CreateWorkflowVersion, sent by boto3", () => {
  let versions: VersionLab;
  beforeAll(async () => {
    versions = await openVersionLab(python ?? "");
  }, 120_000);
  afterAll(() => versions[Symbol.asyncDispose]());

  test.each(ROWS)("$parameter: accepted, and read back", async (row) => {
    const { output = {} } = await versions.created(versions.request(row));
    const { readme } = output;
    const text = typeof readme === "string" ? await (await fetch(readme)).text() : undefined;
    expect({ ...output, ...(text !== undefined && { readme: text }) }).toMatchObject({ status: "ACTIVE", ...row.got });
  });

  test.each(ROWS.flatMap((row) => row.refused.map(([sent, code, message]) => ({ parameter: row.parameter, sent, code, message }))))(
    "$parameter: refused with $code $message",
    async ({ sent, code, message }) => {
      expect(await versions.boto.send("create_workflow_version", versions.request({ sent }))).toMatchObject({
        error: { code, message: expect.stringMatching(message) },
      });
    },
  );

  test("a name that is taken conflicts; the same request does not", async () => {
    const input = { ...versions.request({ sent: {} }), requestId: "again" };
    await versions.created(input);
    expect(await versions.boto.send("create_workflow_version", input)).toMatchObject({ status: 201 });
    expect(await versions.boto.send("create_workflow_version", { ...input, requestId: "other" })).toMatchObject({
      error: { code: "ConflictException", status: 409 },
    });
  });

  test("every parameter of the model has its row", () => {
    expect(ROWS.map(({ parameter }) => parameter).toSorted()).toEqual(Object.keys(inputMembers("CreateWorkflowVersion")).toSorted());
  });
});
