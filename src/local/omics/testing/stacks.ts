import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackDeleteComplete,
} from "@aws-sdk/client-cloudformation";
import { ListWorkflowsCommand, type WorkflowListItem } from "@aws-sdk/client-omics";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { systemClock } from "../../../kit/clock.ts";
import { openLab, zipOf, type OmicsLab } from "./omics.ts";

export const MAIN = 'version 1.1\nworkflow hello { input { String who = "you" } output { String said = who } }\n';

/** An Omics lab with CloudFormation. */
export interface StacksLab extends OmicsLab {
  readonly cloudformation: CloudFormationClient;
  /** The URI of a definition in S3. */
  zipAt(key: string, main?: string): Promise<string>;
  /** Makes a stack of the template; gives its outputs. */
  made(stack: string, written: Written): Promise<Outputs>;
  /** Changes a stack to the template; gives its outputs. */
  updated(stack: string, written: Written): Promise<Outputs>;
  /** A stack's status and outputs once nothing goes on in it. */
  settledStack(stack: string): Promise<{ readonly status: string; readonly outputs: Outputs }>;
  /** What its events say of what went wrong, line by line. */
  reasons(stack: string): Promise<string>;
  removed(stack: string): Promise<void>;
  workflowsNamed(name: string): Promise<readonly WorkflowListItem[]>;
}

type Outputs = Readonly<Record<string, string>>;

export async function openStacksLab(): Promise<StacksLab> {
  const lab = await openLab();
  const client = new CloudFormationClient(lab.config);
  const settledStack: StacksLab["settledStack"] = async (StackName) => {
    for (;;) {
      const { StackStatus: status = "", Outputs = [] } = (await client.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!;
      if (!status.endsWith("IN_PROGRESS"))
        return { status, outputs: Object.fromEntries(Outputs.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue])) };
      await systemClock.sleep(100);
    }
  };
  const reasons: StacksLab["reasons"] = async (StackName) => {
    const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
    return StackEvents.flatMap(({ LogicalResourceId, ResourceStatusReason }) =>
      ResourceStatusReason ? [`${LogicalResourceId}: ${ResourceStatusReason}`] : [],
    ).join("\n");
  };
  const outputsAt = async (stack: string, wanted: string) => {
    const { status, outputs } = await settledStack(stack);
    expect(status, await reasons(stack)).toBe(wanted);
    return outputs;
  };
  const whole = (StackName: string, written: Written) => ({
    StackName,
    TemplateBody: template(written),
    Tags: [{ Key: "stack", Value: StackName }],
  });
  return {
    ...lab,
    cloudformation: client,
    settledStack,
    reasons,
    async zipAt(key, main = MAIN) {
      await lab.s3.send(new PutObjectCommand({ Bucket: lab.bucket, Key: key, Body: zipOf({ "main.wdl": main }) }));
      return `s3://${lab.bucket}/${key}`;
    },
    async made(stack, written) {
      await client.send(new CreateStackCommand(whole(stack, written)));
      return outputsAt(stack, "CREATE_COMPLETE");
    },
    async updated(stack, written) {
      await client.send(new UpdateStackCommand(whole(stack, written)));
      return outputsAt(stack, "UPDATE_COMPLETE");
    },
    async removed(StackName) {
      await client.send(new DeleteStackCommand({ StackName }));
      await waitUntilStackDeleteComplete({ client, maxWaitTime: 200, minDelay: 0.1, maxDelay: 0.5 }, { StackName });
    },
    async workflowsNamed(name) {
      return (await lab.omics.send(new ListWorkflowsCommand({ name }))).items ?? [];
    },
  };
}

export interface Written {
  readonly name: string;
  readonly definition: string;
  readonly version?: string;
  readonly more?: object;
}

/** A workflow, a version of it and a run group, with everything that a template can ask of them as an output. */
export const template = ({ name, definition, version = "1.0.0", more = {} }: Written) =>
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
