import {
  CreateWorkflowVersionCommand,
  GetWorkflowVersionCommand,
  StartRunCommand,
  UpdateWorkflowVersionCommand,
  type CreateWorkflowVersionCommandInput,
} from "@aws-sdk/client-omics";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { gitRepository } from "../testing/git-repository.ts";
import { openLab, zipOf, type OmicsLab } from "./testing/omics.ts";

// What CreateWorkflowVersion accepts and finds wrong afterwards: the version is FAILED, says why, and can't be run.

vi.setConfig({ testTimeout: 120_000 });

const WDL = "version 1.1\nworkflow W {}";
const definitionZip = zipOf({ "main.wdl": WDL });
const CONNECTION = "arn:aws:codeconnections:us-east-1:111122223333:connection/1";

const origin = gitRepository({ "main.wdl": WDL, "odd.json": '{"a": {"description": 7}}', "broken.json": "{", "extra.wdl": WDL });
afterAll(() => origin[Symbol.dispose]());
const fullRepositoryId = origin.url;
const from = (more: object = {}) => ({
  definitionZip: undefined,
  definitionRepository: { connectionArn: CONNECTION, fullRepositoryId, excludeFilePatterns: ["extra.wdl"], ...more },
});

let lab: OmicsLab;
let workflowId: string;
let count = 0;
beforeAll(async () => {
  lab = await openLab();
  workflowId = await lab.workflow({ "main.wdl": WDL });
  await lab.put("text.json", "not JSON");
  await lab.put("map.json", '{"registryMappings": [{"upstreamRegistryUrl": "quay.io"}]}');
  await lab.put("large.md", "x".repeat(512_001));
  await lab.s3.send(new PutObjectCommand({ Bucket: lab.bucket, Key: "hello.zip", Body: definitionZip }));
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

type Sent = Partial<CreateWorkflowVersionCommandInput>;

async function failed(sent: Sent): Promise<string> {
  const versionName = `v${++count}`;
  const created = await lab.omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName, definitionZip, ...sent }));
  expect(created.status).toBe("CREATING");
  const { status, statusMessage = "" } = await lab.settledVersion(workflowId, versionName);
  expect([status, statusMessage]).toEqual(["FAILED", expect.any(String)]);
  await expect(
    lab.omics.send(
      new StartRunCommand({ workflowId, workflowVersionName: versionName, roleArn: lab.roleArn, outputUri: "s3://lab-bucket/runs" }),
    ),
  ).rejects.toMatchObject({ name: "ConflictException" });
  return statusMessage;
}

test.each<readonly [string, Sent, RegExp]>([
  ["containerRegistryMapUri", { containerRegistryMapUri: "s3://lab-bucket/none.json" }, /^NoSuchKey: .*s3:\/\/lab-bucket\/none\.json/],
  ["containerRegistryMapUri", { containerRegistryMapUri: "s3://lab-bucket/text.json" }, /text\.json is not JSON/],
  ["containerRegistryMapUri", { containerRegistryMapUri: "s3://lab-bucket/map.json" }, /map\.json: .*ecrRepositoryPrefix/],
  ["definitionRepository", from({ sourceReference: { type: "BRANCH", value: "none" } }), /can't be read at refs\/heads\/none/],
  ["definitionRepository", from({ sourceReference: { type: "TAG", value: "v9" } }), /can't be read at refs\/tags\/v9/],
  ["definitionRepository", from({ sourceReference: { type: "COMMIT", value: "0".repeat(40) } }), /can't be read at 0{40}/],
  ["definitionRepository", from({ fullRepositoryId: "team/none" }), /RepositoryDoesNotExist/],
  ["definitionUri", { definitionZip: undefined, definitionUri: "s3://lab-bucket/none.zip" }, /^NoSuchKey/],
  ["definitionUri", { definitionZip: undefined, definitionUri: "s3://lab-bucket/text.json" }, /^Invalid zip file/],
  ["definitionZip", { definitionZip: new TextEncoder().encode("no ZIP") }, /^Invalid zip file/],
  ["engine", { engine: "CWL" }, /\.cwl/],
  ["main", { main: "other.wdl" }, /there is no file "other\.wdl"/i],
  ["parameterTemplatePath", { ...from(), parameterTemplatePath: "none.json" }, /has no file none\.json/],
  ["parameterTemplatePath", { ...from(), parameterTemplatePath: "broken.json" }, /broken\.json is not JSON/],
  ["parameterTemplatePath", { ...from(), parameterTemplatePath: "odd.json" }, /odd\.json: .*description/],
  ["readmePath", { ...from(), readmePath: "none.md" }, /has no file none\.md/],
  ["readmeUri", { readmeUri: "s3://lab-bucket/none.md" }, /^NoSuchKey/],
  ["readmeUri", { readmeUri: "s3://lab-bucket/large.md" }, /512000/],
  [
    "workflowBucketOwnerId",
    { definitionZip: undefined, definitionUri: "s3://lab-bucket/hello.zip", workflowBucketOwnerId: "444455556666" },
    /^AccessDenied: .*444455556666/,
  ],
])("%s %j fails the version", async (_parameter, sent, message) => {
  expect(await failed(sent)).toMatch(message);
});

test("a FAILED version can be updated, and stays FAILED", async () => {
  await failed({ main: "other.wdl" });
  const named = { workflowId, versionName: `v${count}` };
  await lab.omics.send(new UpdateWorkflowVersionCommand({ ...named, description: "does not work" }));
  expect(await lab.omics.send(new GetWorkflowVersionCommand(named))).toMatchObject({ status: "FAILED", description: "does not work" });
});
