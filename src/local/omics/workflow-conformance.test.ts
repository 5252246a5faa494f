import {
  CreateWorkflowCommand,
  DeleteWorkflowCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  ListWorkflowsCommand,
  ListWorkflowVersionsCommand,
  UpdateWorkflowCommand,
} from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HELLO, openConformanceLab, refused } from "./testing/conformance-lab.ts";
import { zipOf, type OmicsLab } from "./testing/omics.ts";

// What a client can see of workflows, fact by fact: the mistakes that a compatible server would most probably make.

let lab: OmicsLab;
let workflowId: string;
beforeAll(async () => {
  ({ lab, workflowId } = await openConformanceLab());
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

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
