import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackDeleteComplete,
} from "@aws-sdk/client-cloudformation";
import {
  CreateWorkflowVersionCommand,
  GetRunGroupCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  ListRunGroupsCommand,
  ListTagsForResourceCommand,
  ListWorkflowsCommand,
} from "@aws-sdk/client-omics";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { gitRepository } from "../testing/git-repository.ts";
import { openLab, zipOf, type OmicsLab } from "./testing/omics.ts";

// Definitions are checked by miniwdl, which takes its time on a machine that is busy.
vi.setConfig({ testTimeout: 240_000 });

let lab: OmicsLab;
let client: CloudFormationClient;
beforeAll(async () => {
  lab = await openLab();
  client = new CloudFormationClient(lab.config);
});
afterAll(() => lab[Symbol.asyncDispose]());

const MAIN = 'version 1.1\nworkflow hello { input { String who = "you" } output { String said = who } }\n';

async function zipAt(key: string, main = MAIN): Promise<string> {
  await lab.s3.send(new PutObjectCommand({ Bucket: lab.bucket, Key: key, Body: zipOf({ "main.wdl": main }) }));
  return `s3://${lab.bucket}/${key}`;
}

interface Written {
  readonly name: string;
  readonly definition: string;
  readonly version?: string;
  readonly more?: object;
}

const template = ({ name, definition, version = "1.0.0", more = {} }: Written) =>
  JSON.stringify({
    Resources: {
      Flow: {
        Type: "AWS::Omics::Workflow",
        Properties: {
          Name: name,
          Description: `${name} says hello`,
          Engine: "WDL",
          Main: "main.wdl",
          DefinitionUri: definition,
          StorageType: "STATIC",
          StorageCapacity: "1200",
          readmeMarkdown: `# ${name}`,
          Tags: { team: "phages", own: name },
          ParameterTemplate: { who: { Description: "Whom to greet", Optional: "true" } },
          ContainerRegistryMap: {
            RegistryMappings: [{ UpstreamRegistryUrl: "quay.io", EcrRepositoryPrefix: "quay" }],
            ImageMappings: [{ SourceImage: "ubuntu:24.04", DestinationImage: "111122223333.dkr.ecr.us-east-1.amazonaws.com/ubuntu:24.04" }],
          },
          ...more,
        },
      },
      Version: {
        Type: "AWS::Omics::WorkflowVersion",
        Properties: {
          WorkflowId: { "Fn::GetAtt": ["Flow", "Id"] },
          VersionName: version,
          Engine: "WDL",
          DefinitionUri: definition,
          Description: name,
          StorageType: "DYNAMIC",
        },
      },
      Group: { Type: "AWS::Omics::RunGroup", Properties: { Name: name, MaxRuns: 3, MaxCpus: name.length, Tags: { own: name } } },
    },
    Outputs: Object.fromEntries(
      [
        ["Flow", { Ref: "Flow" }],
        ["Version", { Ref: "Version" }],
        ["Group", { Ref: "Group" }],
        ...[
          "Flow.Arn",
          "Flow.Status",
          "Flow.Type",
          "Flow.Uuid",
          "Flow.CreationTime",
          "Version.Arn",
          "Version.Status",
          "Version.Type",
          "Version.Uuid",
          "Version.CreationTime",
          "Group.Arn",
          "Group.Id",
          "Group.CreationTime",
        ].map((path) => [path.replace(".", ""), { "Fn::GetAtt": path.split(".") }]),
      ].map(([id, Value]) => [id, { Value }]),
    ),
  });

/** The stack's status and outputs once nothing goes on in it. */
async function settled(StackName: string): Promise<{ readonly status: string; readonly outputs: Readonly<Record<string, string>> }> {
  for (;;) {
    const { StackStatus: status = "", Outputs = [] } = (await client.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!;
    if (!status.endsWith("IN_PROGRESS"))
      return { status, outputs: Object.fromEntries(Outputs.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue])) };
    await systemClock.sleep(100);
  }
}

async function made(StackName: string, written: Written): Promise<Readonly<Record<string, string>>> {
  await client.send(new CreateStackCommand({ StackName, TemplateBody: template(written), Tags: [{ Key: "stack", Value: StackName }] }));
  const { status, outputs } = await settled(StackName);
  expect(status, (await reasons(StackName)).join("\n")).toBe("CREATE_COMPLETE");
  return outputs;
}

async function updated(StackName: string, written: Written): Promise<Readonly<Record<string, string>>> {
  await client.send(new UpdateStackCommand({ StackName, TemplateBody: template(written), Tags: [{ Key: "stack", Value: StackName }] }));
  const { status, outputs } = await settled(StackName);
  expect(status, (await reasons(StackName)).join("\n")).toBe("UPDATE_COMPLETE");
  return outputs;
}

async function reasons(StackName: string): Promise<readonly string[]> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.flatMap(({ LogicalResourceId, ResourceStatusReason }) =>
    ResourceStatusReason ? [`${LogicalResourceId}: ${ResourceStatusReason}`] : [],
  );
}

async function removed(StackName: string): Promise<void> {
  await client.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete({ client, maxWaitTime: 200, minDelay: 0.1, maxDelay: 0.5 }, { StackName });
}

const workflowsNamed = async (name: string) => (await lab.omics.send(new ListWorkflowsCommand({ name }))).items;

test("a stack makes a workflow, a version and a run group, and gives what a template asks of them", async () => {
  const outputs = await made("makes", { name: "made", definition: await zipAt("made.zip") });
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
  await removed("makes");
  expect([await workflowsNamed("made"), (await lab.omics.send(new ListRunGroupsCommand({ name: "made" }))).items]).toEqual([[], []]);
});

test("what HealthOmics can change is changed in place, anything else by a new resource", async () => {
  const definition = await zipAt("changes.zip");
  const before = await made("changes", { name: "before", definition });
  const after = await updated("changes", { name: "after", definition, more: { readmeMarkdown: "# Changed", Tags: { own: "after" } } });
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

  const replaced = await updated("changes", { name: "after", definition, version: "1.0.1" });
  expect(replaced).toMatchObject({ Flow: after["Flow"], Version: `${after["FlowArn"]}/version/1.0.1` });
  const anew = await updated("changes", { name: "after", definition: await zipAt("changes-2.zip"), version: "1.0.1" });
  expect(anew["Flow"]).not.toBe(after["Flow"]);
  expect(await workflowsNamed("after")).toMatchObject([{ id: anew["Flow"] }]);
  await removed("changes");
});

test("a definition that does not parse fails the stack with the service's reason, and nothing is left", async () => {
  await client.send(
    new CreateStackCommand({
      StackName: "broken",
      TemplateBody: template({ name: "broken", definition: await zipAt("broken.zip", "version 1.1\nworkflow broken {") }),
    }),
  );
  expect((await settled("broken")).status).toBe("ROLLBACK_COMPLETE");
  expect((await reasons("broken")).join("\n")).toMatch(/Flow: .*is FAILED: .*main\.wdl/s);
  expect(await workflowsNamed("broken")).toEqual([]);
});

test("a workflow that has a version of somebody else can't be deleted", async () => {
  const definition = await zipAt("kept.zip");
  const { Flow: workflowId = "" } = await made("kept", { name: "kept", definition });
  await lab.omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName: "by-hand", definitionUri: definition }));
  await lab.settledVersion(workflowId, "by-hand");
  await client.send(new DeleteStackCommand({ StackName: "kept" }));
  expect((await settled("kept")).status).toBe("DELETE_FAILED");
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: "kept" }));
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
  await client.send(new CreateStackCommand({ StackName: "repository", TemplateBody }));
  const { status, outputs } = await settled("repository");
  expect(status, (await reasons("repository")).join("\n")).toBe("CREATE_COMPLETE");
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
  const refused = client.send(
    new CreateStackCommand({
      StackName: "unknown",
      TemplateBody: template({ name: "unknown", definition: "s3://nowhere/x.zip", more: { DefinitionZip: "UEs=" } }),
    }),
  );
  await expect(refused).rejects.toThrow("DefinitionZip");
});
