import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CodeCommitClient, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import {
  CreateWorkflowCommand,
  CreateWorkflowVersionCommand,
  DeleteWorkflowCommand,
  DeleteWorkflowVersionCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  ListTagsForResourceCommand,
  ListWorkflowsCommand,
  ListWorkflowVersionsCommand,
  paginateListWorkflows,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateWorkflowCommand,
  UpdateWorkflowVersionCommand,
  waitUntilWorkflowActive,
  waitUntilWorkflowVersionActive,
} from "@aws-sdk/client-omics";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { systemClock } from "../../kit/clock.ts";
import { gitCredential } from "../codecommit/git-password.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLab, zipOf, type OmicsLab } from "./testing/omics.ts";

let lab: OmicsLab;
beforeAll(async () => {
  lab = await openLab();
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

const HELLO = `version 1.1
workflow Hello {
  input { String name  Int times = 2  File? note }
  call greet { input: name = name }
  output { String said = greet.said }
  parameter_meta { name: "whom to greet" }
}
task greet { input { String name } command <<< echo ~{name} >>> output { String said = read_string(stdout()) } }`;
const SMALL = { "main.wdl": "version 1.1\nworkflow W {}" };
const TEMPLATE = {
  name: { description: "whom to greet", optional: false },
  times: { description: "", optional: true },
  note: { description: "", optional: true },
};

const create = async (files: Readonly<Record<string, string>>, more = {}) =>
  (await lab.omics.send(new CreateWorkflowCommand({ name: "w", definitionZip: zipOf(files), ...more }))).id!;

describe("CreateWorkflow", () => {
  test("answers CREATING; then engine, main file and parameters are found, and the outline is the statusMessage", async () => {
    const created = await lab.omics.send(
      new CreateWorkflowCommand({ name: "hello", description: "greets", definitionZip: zipOf({ "main.wdl": HELLO }), tags: { Team: "A" } }),
    );
    expect(created).toMatchObject({
      status: "CREATING",
      id: expect.stringMatching(/^\d{7}$/),
      arn: `arn:aws:omics:us-east-1:111122223333:workflow/${created.id}`,
      tags: { Team: "A" },
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    await waitUntilWorkflowActive({ client: lab.omics, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { id: created.id });
    expect(await lab.omics.send(new GetWorkflowCommand({ id: created.id }))).toMatchObject({
      name: "hello",
      description: "greets",
      status: "ACTIVE",
      type: "PRIVATE",
      engine: "WDL",
      main: "main.wdl",
      parameterTemplate: TEMPLATE,
      tags: { Team: "A" },
      storageType: "STATIC",
      storageCapacity: 1200,
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      creationTime: expect.any(Date),
      statusMessage: expect.stringMatching(/^main\.wdl\n {4}workflow Hello\n[^]* {8}call greet\n {4}task greet$/),
    });
  });

  test.each([
    ["bytes that are no ZIP", { definitionZip: new TextEncoder().encode("version 1.1") }, /^Invalid zip file/],
    [
      "a WDL with an unknown call",
      { definitionZip: zipOf({ "main.wdl": "version 1.1\nworkflow W { call nobody }" }) },
      /^\(main\.wdl Ln 2 Col 14\) No such task\/workflow: nobody\n {4}workflow W \{ call nobody \}/,
    ],
    [
      "an import that is not there",
      { definitionZip: zipOf({ "main.wdl": 'version 1.1\nimport "x.wdl" as x\nworkflow W {}' }) },
      /^\(main\.wdl Ln 2 Col 1\).*x\.wdl/,
    ],
    [
      "an import by address",
      { definitionZip: zipOf({ "main.wdl": 'version 1.1\nimport "https://example.org/x.wdl" as x\nworkflow W {}' }) },
      /imports by address are not followed/,
    ],
    [
      "two files of which none is main",
      { definitionZip: zipOf({ "a.wdl": "version 1.1\nworkflow A {}", "b.wdl": "version 1.1\nworkflow B {}" }) },
      /say which one with `main`/,
    ],
    ["a main that is not there", { definitionZip: zipOf(SMALL), main: "other.wdl" }, /there is no file "other\.wdl"/i],
    ["no workflow at all", { definitionZip: zipOf({ "README.md": "# no" }) }, /no file ends in \.wdl/],
    ["a definition in S3 that is not there", { definitionUri: "s3://lab-bucket/not/there.zip" }, /NoSuchKey/],
  ])("with %s becomes FAILED and says why", async (_what, input, message) => {
    const { id = "" } = await lab.omics.send(new CreateWorkflowCommand(input));
    const { status, statusMessage } = await lab.settled(id);
    expect([status, statusMessage]).toEqual(["FAILED", expect.stringMatching(message)]);
  });

  test("takes the definition, the registry map and the README from S3", async () => {
    const zip = zipOf({ "main.wdl": HELLO });
    await lab.s3.send(new PutObjectCommand({ Bucket: lab.bucket, Key: "hello.zip", Body: zip }));
    const map = { registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }] };
    const [containerRegistryMapUri, readmeUri] = [await lab.put("map.json", JSON.stringify(map)), await lab.put("README.md", "# Hello")];
    const { id = "" } = await lab.omics.send(
      new CreateWorkflowCommand({ definitionUri: "s3://lab-bucket/hello.zip", containerRegistryMapUri, readmeUri }),
    );
    expect(await lab.settled(id)).toMatchObject({ status: "ACTIVE", parameterTemplate: TEMPLATE, containerRegistryMap: map });
    const { readme = "", definition = "" } = await lab.omics.send(new GetWorkflowCommand({ id, export: ["README", "DEFINITION"] }));
    expect(await (await fetch(readme)).text()).toBe("# Hello");
    expect(new Uint8Array(await (await fetch(definition)).arrayBuffer())).toEqual(zip);
    expect((await fetch(`${readme}x`)).status).toBe(403);
  });

  test("takes a supplied template instead of the found one", async () => {
    const parameterTemplate = { only: { description: "this" } };
    expect(await lab.settled(await create({ "main.wdl": HELLO }, { parameterTemplate }))).toMatchObject({ parameterTemplate });
  });

  test.each([
    ["no definition", {}, /One of definitionZip, definitionUri, definitionRepository must be given/],
    ["two definitions", { definitionZip: zipOf(SMALL), definitionUri: "s3://b/k" }, /Only one of/],
    ["a reserved tag", { definitionZip: zipOf(SMALL), tags: { "aws:x": "y" } }, /reserved/],
    ["a README of more than 500 KiB", { definitionZip: zipOf(SMALL), readmeMarkdown: "x".repeat(512_001) }, /500 KiB/],
    [
      "a template path without a repository",
      { definitionZip: zipOf(SMALL), parameterTemplatePath: "t.json" },
      /only together with definitionRepository/,
    ],
    [
      "a name with a newline",
      { definitionZip: zipOf(SMALL), name: "a\nb" },
      /'name' failed to satisfy constraint: Member must satisfy regular expression pattern/,
    ],
  ])("with %s is refused at once", async (_what, input, message) => {
    await expect(lab.omics.send(new CreateWorkflowCommand(input))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message),
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("with the same requestId makes one workflow", async () => {
    const input = { definitionZip: zipOf(SMALL), name: "once", requestId: "once-only" };
    const [first, second] = [
      await lab.omics.send(new CreateWorkflowCommand(input)),
      await lab.omics.send(new CreateWorkflowCommand(input)),
    ];
    expect(second.id).toBe(first.id);
    await expect(lab.omics.send(new CreateWorkflowCommand({ ...input, name: "twice" }))).rejects.toMatchObject({
      name: "ConflictException",
    });
  });
});

describe("a repository of CodeCommit", () => {
  const git = (cwd: string, ...args: string[]) =>
    promisify(execFile)("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", ...args], {
      cwd,
      env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
    });

  test("gives its branch as the definition, and its README", { timeout: 60_000 }, async () => {
    await new CodeCommitClient(lab.config).send(new CreateRepositoryCommand({ repositoryName: "hello" }));
    const folder = mkdtempSync(join(tmpdir(), "omx-repository-"));
    writeFileSync(join(folder, "main.wdl"), HELLO);
    writeFileSync(join(folder, "README.md"), "# From CodeCommit");
    const { endpoint, credentials } = lab.config;
    const path = "/v1/repos/hello";
    const { username, password } = gitCredential({
      ...credentials,
      region: "us-east-1",
      host: new URL(endpoint).host,
      path,
      now: systemClock.now(),
    });
    const remote = `${endpoint.replace("http://", `http://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`)}${path}`;
    for (const args of [
      ["init", "--quiet"],
      ["add", "."],
      ["commit", "--quiet", "-m", "first"],
      ["push", "--quiet", remote, "main"],
    ])
      await git(folder, ...args);
    const connectionArn = "arn:aws:codeconnections:us-east-1:111122223333:connection/1";
    const definitionRepository = {
      connectionArn,
      fullRepositoryId: "team/hello",
      sourceReference: { type: "BRANCH" as const, value: "main" },
    };
    const { id = "" } = await lab.omics.send(new CreateWorkflowCommand({ definitionRepository }));
    const workflow = await lab.settled(id);
    expect([workflow.status, workflow.main, workflow.readmePath]).toEqual(["ACTIVE", "main.wdl", "README.md"]);
    expect(workflow.definitionRepositoryDetails).toMatchObject(definitionRepository);
    expect(workflow.parameterTemplate).toBeUndefined();
    const { readme = "" } = await lab.omics.send(new GetWorkflowCommand({ id, export: ["README"] }));
    expect(await (await fetch(readme)).text()).toBe("# From CodeCommit");
  });
});

describe("versions", () => {
  test("inherit nothing, are named once, and go before their workflow", async () => {
    const workflowId = await create({ "main.wdl": HELLO }, { readmeMarkdown: "# one", storageCapacity: 5000 });
    const version = { workflowId, versionName: "1.0.0" };
    await lab.omics.send(new CreateWorkflowVersionCommand({ ...version, definitionZip: zipOf(SMALL) }));
    await waitUntilWorkflowVersionActive({ client: lab.omics, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, version);
    const got = await lab.omics.send(new GetWorkflowVersionCommand({ ...version, export: ["README"] }));
    expect(got).toMatchObject({
      ...version,
      status: "ACTIVE",
      engine: "WDL",
      storageCapacity: 1200,
      arn: `arn:aws:omics:us-east-1:111122223333:workflow/${workflowId}/version/1.0.0`,
    });
    expect([got.readme, got.parameterTemplate]).toEqual([undefined, undefined]);
    await expect(lab.omics.send(new CreateWorkflowVersionCommand({ ...version, definitionZip: zipOf(SMALL) }))).rejects.toMatchObject({
      name: "ConflictException",
    });
    expect((await lab.omics.send(new ListWorkflowVersionsCommand({ workflowId }))).items).toMatchObject([version]);
    await expect(lab.omics.send(new DeleteWorkflowCommand({ id: workflowId }))).rejects.toMatchObject({ name: "ConflictException" });
    await lab.omics.send(new DeleteWorkflowVersionCommand(version));
    await lab.omics.send(new CreateWorkflowVersionCommand({ ...version, definitionZip: zipOf(SMALL), requestId: "again" }));
    expect(await lab.settledVersion(workflowId, "1.0.0")).toMatchObject({ status: "ACTIVE" });
    await lab.omics.send(new DeleteWorkflowVersionCommand(version));
    await lab.omics.send(new DeleteWorkflowCommand({ id: workflowId }));
    await expect(lab.omics.send(new GetWorkflowCommand({ id: workflowId }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `Workflow ${workflowId} not found`,
    });
  });

  test("can be updated: description, storage, README", async () => {
    const workflowId = await create(SMALL);
    await lab.settled(workflowId);
    await lab.omics.send(
      new UpdateWorkflowCommand({ id: workflowId, name: "renamed", description: "new", storageCapacity: 2000, readmeMarkdown: "# new" }),
    );
    expect(await lab.settled(workflowId)).toMatchObject({ name: "renamed", description: "new", storageCapacity: 2400, status: "ACTIVE" });
    await lab.omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName: "v", definitionZip: zipOf(SMALL) }));
    await lab.settledVersion(workflowId, "v");
    await lab.omics.send(new UpdateWorkflowVersionCommand({ workflowId, versionName: "v", storageType: "DYNAMIC" }));
    expect(await lab.settledVersion(workflowId, "v")).toMatchObject({ storageType: "DYNAMIC" });
  });
});

describe("lists and tags", () => {
  test("workflows are listed newest first, page by page, and by exact name", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.unshift(await create(SMALL, { name: "paged" }));
    const pages: string[][] = [];
    for await (const { items = [] } of paginateListWorkflows({ client: lab.omics, pageSize: 2 }, { name: "paged" }))
      pages.push(items.map(({ id = "" }) => id));
    expect(pages.flat()).toEqual(ids);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect((await lab.omics.send(new ListWorkflowsCommand({ name: "page" }))).items).toEqual([]);
    await expect(lab.omics.send(new ListWorkflowsCommand({ startingToken: "made-up" }))).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  test("tags of a version are found by its encoded ARN", async () => {
    const workflowId = await create(SMALL);
    const { arn: resourceArn = "" } = await lab.omics.send(
      new CreateWorkflowVersionCommand({ workflowId, versionName: "1.0", definitionZip: zipOf(SMALL), tags: { a: "1" } }),
    );
    await lab.omics.send(new TagResourceCommand({ resourceArn, tags: { "b c": "2" } }));
    expect((await lab.omics.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({ a: "1", "b c": "2" });
    await lab.omics.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a", "zzz"] }));
    expect((await lab.omics.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({ "b c": "2" });
    await expect(lab.omics.send(new ListTagsForResourceCommand({ resourceArn: `${resourceArn}9` }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});
