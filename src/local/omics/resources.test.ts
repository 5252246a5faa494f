import { CreateStackCommand, DeleteStackCommand, DescribeStackResourcesCommand } from "@aws-sdk/client-cloudformation";
import {
  CreateWorkflowVersionCommand,
  GetRunGroupCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  ListRunGroupsCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-omics";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { gitRepository } from "../testing/git-repository.ts";
import { MAIN, openStacksLab, type StacksLab, template } from "./testing/stacks.ts";

// Definitions are checked by miniwdl, which takes its time on a machine that is busy.
vi.setConfig({ testTimeout: 240_000 });

let lab: StacksLab;
beforeAll(async () => {
  lab = await openStacksLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

test("a stack makes a workflow, a version and a run group, and gives what a template asks of them", async () => {
  const outputs = await lab.made("makes", { name: "made", definition: await lab.zipAt("made.zip") });
  const id = outputs["Flow"];
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string;
  const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;
  const workflowArn = `arn:aws:omics:us-east-1:111122223333:workflow/${id}`;
  const group = outputs["Group"];
  expect(outputs).toEqual({
    Flow: expect.stringMatching(/^\d+$/),
    FlowArn: workflowArn,
    FlowStatus: "ACTIVE",
    FlowType: "PRIVATE",
    FlowUuid: uuid,
    FlowCreationTime: time,
    Version: `${workflowArn}/version/1.0.0`,
    VersionArn: `${workflowArn}/version/1.0.0`,
    VersionStatus: "ACTIVE",
    VersionType: "PRIVATE",
    VersionUuid: uuid,
    VersionCreationTime: time,
    Group: expect.stringMatching(/^\d+$/),
    GroupId: group,
    GroupArn: `arn:aws:omics:us-east-1:111122223333:runGroup/${group}`,
    GroupCreationTime: time,
  });
  expect(await lab.omics.send(new GetWorkflowCommand({ id }))).toMatchObject({
    name: "made",
    description: "made says hello",
    main: "main.wdl",
    storageType: "STATIC",
    storageCapacity: 1200,
    parameterTemplate: { who: { description: "Whom to greet", optional: true } },
    tags: { team: "phages", own: "made", stack: "makes" },
    containerRegistryMap: {
      registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }],
      imageMappings: [{ sourceImage: "ubuntu:24.04" }],
    },
  });
  expect(await lab.omics.send(new GetWorkflowVersionCommand({ workflowId: id, versionName: "1.0.0" }))).toMatchObject({
    description: "made",
    storageType: "DYNAMIC",
    tags: { stack: "makes" },
  });
  expect(await lab.omics.send(new GetRunGroupCommand({ id: group }))).toMatchObject({
    name: "made",
    maxRuns: 3,
    maxCpus: 4,
    tags: { own: "made", stack: "makes" },
  });
  await lab.removed("makes");
  expect([await lab.workflowsNamed("made"), (await lab.omics.send(new ListRunGroupsCommand({ name: "made" }))).items]).toEqual([[], []]);
});

test("what HealthOmics can change is changed in place, anything else by a new resource", async () => {
  const definition = await lab.zipAt("changes.zip");
  const before = await lab.made("changes", { name: "before", definition });
  const after = await lab.updated("changes", { name: "after", definition, more: { readmeMarkdown: "# Changed", Tags: { own: "after" } } });
  expect(after).toEqual(before);
  expect(await lab.omics.send(new GetWorkflowCommand({ id: after["Flow"] }))).toMatchObject({
    name: "after",
    description: "after says hello",
    tags: { own: "after", stack: "changes" },
  });
  expect((await lab.omics.send(new ListTagsForResourceCommand({ resourceArn: after["FlowArn"] }))).tags).toEqual({
    own: "after",
    stack: "changes",
  });
  expect(await lab.omics.send(new GetWorkflowVersionCommand({ workflowId: after["Flow"], versionName: "1.0.0" }))).toMatchObject({
    description: "after",
  });
  expect(await lab.omics.send(new GetRunGroupCommand({ id: after["Group"] }))).toMatchObject({
    name: "after",
    maxCpus: 5,
    tags: { own: "after" },
  });

  const replaced = await lab.updated("changes", { name: "after", definition, version: "1.0.1" });
  expect(replaced).toMatchObject({ Flow: after["Flow"], Version: `${after["FlowArn"]}/version/1.0.1` });
  const anew = await lab.updated("changes", { name: "after", definition: await lab.zipAt("changes-2.zip"), version: "1.0.1" });
  expect(anew["Flow"]).not.toBe(after["Flow"]);
  expect(await lab.workflowsNamed("after")).toMatchObject([{ id: anew["Flow"] }]);
  await lab.removed("changes");
});

test("a definition that does not parse fails the stack with the service's reason, and nothing is left", async () => {
  await lab.cloudformation.send(
    new CreateStackCommand({
      StackName: "broken",
      TemplateBody: template({ name: "broken", definition: await lab.zipAt("broken.zip", "version 1.1\nworkflow broken {") }),
    }),
  );
  expect((await lab.settledStack("broken")).status).toBe("ROLLBACK_COMPLETE");
  expect(await lab.reasons("broken")).toMatch(/Flow: .*is FAILED: .*main\.wdl/s);
  expect(await lab.workflowsNamed("broken")).toEqual([]);
});

test("a workflow that has a version of somebody else can't be deleted", async () => {
  const definition = await lab.zipAt("kept.zip");
  const { Flow: workflowId = "" } = await lab.made("kept", { name: "kept", definition });
  await lab.omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName: "by-hand", definitionUri: definition }));
  await lab.settledVersion(workflowId, "by-hand");
  await lab.cloudformation.send(new DeleteStackCommand({ StackName: "kept" }));
  expect((await lab.settledStack("kept")).status).toBe("DELETE_FAILED");
  const { StackResources = [] } = await lab.cloudformation.send(new DescribeStackResourcesCommand({ StackName: "kept" }));
  expect(StackResources.find(({ LogicalResourceId }) => LogicalResourceId === "Flow")).toMatchObject({
    ResourceStatus: "DELETE_FAILED",
    ResourceStatusReason: expect.stringContaining("has 1 version") as string,
  });
});

test("a workflow and its version come from a repository", async () => {
  using origin = gitRepository({
    "main.wdl": MAIN,
    "other.wdl": "not WDL",
    "template.json": '{"who": {"description": "whom", "optional": true}}',
    "docs.md": "# Docs",
  });
  const fromGit = {
    DefinitionRepository: {
      connectionArn: "arn:aws:codeconnections:us-east-1:111122223333:connection/1",
      fullRepositoryId: origin.url,
      sourceReference: { type: "BRANCH", value: "main" },
      excludeFilePatterns: ["other.wdl"],
    },
    ParameterTemplatePath: "template.json",
    readmePath: "docs.md",
    Accelerators: "GPU",
  };
  const TemplateBody = JSON.stringify({
    Resources: {
      Flow: { Type: "AWS::Omics::Workflow", Properties: fromGit },
      Version: { Type: "AWS::Omics::WorkflowVersion", Properties: { ...fromGit, WorkflowId: { Ref: "Flow" }, VersionName: "1" } },
    },
    Outputs: { Flow: { Value: { Ref: "Flow" } } },
  });
  await lab.cloudformation.send(new CreateStackCommand({ StackName: "repository", TemplateBody }));
  const { status, outputs } = await lab.settledStack("repository");
  expect(status, await lab.reasons("repository")).toBe("CREATE_COMPLETE");
  const found = {
    status: "ACTIVE",
    accelerators: "GPU",
    readmePath: "docs.md",
    parameterTemplate: { who: { description: "whom", optional: true } },
    definitionRepositoryDetails: { sourceReference: { type: "BRANCH", value: "main" } },
  };
  expect(await lab.omics.send(new GetWorkflowCommand({ id: outputs["Flow"] }))).toMatchObject(found);
  expect(await lab.omics.send(new GetWorkflowVersionCommand({ workflowId: outputs["Flow"], versionName: "1" }))).toMatchObject(found);
});

test("a property nobody knows fails the template by its name", async () => {
  const refused = lab.cloudformation.send(
    new CreateStackCommand({
      StackName: "unknown",
      TemplateBody: template({ name: "unknown", definition: "s3://nowhere/x.zip", more: { DefinitionZip: "UEs=" } }),
    }),
  );
  await expect(refused).rejects.toThrow("DefinitionZip");
});
