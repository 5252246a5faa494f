import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient, DescribeLogGroupsCommand, ListTagsLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { DescribeKeyCommand, GetKeyRotationStatusCommand, KMSClient, ListAliasesCommand } from "@aws-sdk/client-kms";
import { GetTopicAttributesCommand, ListSubscriptionsByTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";

import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let cloudformation: CloudFormationClient;
beforeAll(async () => {
  accounts = await startAccounts();
  cloudformation = new CloudFormationClient(accounts.config("cicd"));
});
afterAll(() => accounts[Symbol.asyncDispose]());

async function settled(StackName: string): Promise<Stack> {
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
    if (!Stacks![0]!.StackStatus!.endsWith("IN_PROGRESS")) return Stacks![0]!;
    await accounts.accounts.core.clock.sleep(10);
  }
}
const outputs = (stack: Stack) => Object.fromEntries((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
const reasons = async (StackName: string) =>
  (await cloudformation.send(new DescribeStackEventsCommand({ StackName })))
    .StackEvents!.flatMap(({ ResourceStatusReason }) => ResourceStatusReason ?? [])
    .join("\n");

interface Settings {
  readonly action: string;
  readonly managed: string;
  readonly days: number;
  readonly value: string;
  readonly mail: string;
}

const template = ({ action, managed, days, value, mail }: Settings) => ({
  Resources: {
    Role: {
      Type: "AWS::IAM::Role",
      Properties: {
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
        ManagedPolicyArns: [{ "Fn::Sub": `arn:\${AWS::Partition}:iam::aws:policy/${managed}` }],
        Policies: [
          {
            PolicyName: `inline-${action.replace(":", "-")}`,
            PolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] },
          },
        ],
        MaxSessionDuration: "7200",
        Tags: [{ Key: "value", Value: value }],
      },
    },
    Default: {
      Type: "AWS::IAM::Policy",
      Properties: {
        PolicyName: "DefaultPolicy",
        Roles: [{ Ref: "Role" }],
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: action, Resource: { "Fn::GetAtt": ["Group", "Arn"] } }],
        },
      },
    },
    Managed: {
      Type: "AWS::IAM::ManagedPolicy",
      Properties: {
        Roles: [{ Ref: "Role" }],
        PolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] },
      },
    },
    Key: {
      Type: "AWS::KMS::Key",
      Properties: {
        EnableKeyRotation: days > 7,
        KeyPolicy: {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { AWS: { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" } }, Action: "kms:*", Resource: "*" },
          ],
        },
      },
    },
    Alias: { Type: "AWS::KMS::Alias", Properties: { AliasName: "alias/stack", TargetKeyId: { "Fn::GetAtt": ["Key", "Arn"] } } },
    Group: { Type: "AWS::Logs::LogGroup", Properties: { RetentionInDays: days, Tags: [{ Key: "value", Value: value }] } },
    Parameter: { Type: "AWS::SSM::Parameter", Properties: { Name: "/stack/parameter", Type: "String", Value: value, Tags: { value } } },
    Topic: {
      Type: "AWS::SNS::Topic",
      Properties: { DisplayName: value, KmsMasterKeyId: { Ref: "Key" }, Subscription: [{ Protocol: "email", Endpoint: mail }] },
    },
    Subscription: { Type: "AWS::SNS::Subscription", Properties: { TopicArn: { Ref: "Topic" }, Protocol: "email-json", Endpoint: mail } },
    TopicPolicy: {
      Type: "AWS::SNS::TopicPolicy",
      Properties: {
        Topics: [{ Ref: "Topic" }],
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sns:Publish", Resource: { Ref: "Topic" } },
          ],
        },
      },
    },
  },
  Outputs: {
    ...Object.fromEntries(
      ["Role", "Managed", "Key", "Alias", "Group", "Parameter", "Topic", "Subscription"].map((name) => [name, { Value: { Ref: name } }]),
    ),
    RoleArn: { Value: { "Fn::GetAtt": ["Role", "Arn"] } },
  },
});

const FIRST: Settings = { action: "s3:GetObject", managed: "AmazonS3ReadOnlyAccess", days: 7, value: "one", mail: "a@example.org" };
const SECOND: Settings = { action: "s3:PutObject", managed: "AmazonS3FullAccess", days: 14, value: "two", mail: "b@example.org" };
const input = (settings: Settings) => ({
  StackName: "identities",
  TemplateBody: JSON.stringify(template(settings)),
  Capabilities: ["CAPABILITY_NAMED_IAM" as const],
});

test("a stack of all the types is made, changed in place and deleted", async () => {
  await cloudformation.send(new CreateStackCommand(input(FIRST)));
  const made = await settled("identities");
  expect(made.StackStatus, await reasons("identities")).toBe("CREATE_COMPLETE");
  const { Role, Managed, Key, Alias, Group, Parameter, Topic, RoleArn } = outputs(made) as Record<
    "Role" | "Managed" | "Key" | "Alias" | "Group" | "Parameter" | "Topic" | "RoleArn",
    string
  >;
  const iam = new IAMClient(accounts.config());
  const [logs, ssm, kms, sns] = [
    new CloudWatchLogsClient(accounts.config()),
    new SSMClient(accounts.config()),
    new KMSClient(accounts.config()),
    new SNSClient(accounts.config()),
  ];

  expect((await iam.send(new GetRoleCommand({ RoleName: Role }))).Role).toMatchObject({
    Arn: RoleArn,
    MaxSessionDuration: 7200,
    Tags: expect.arrayContaining([{ Key: "value", Value: "one" }]),
  });
  expect((await iam.send(new ListRolePoliciesCommand({ RoleName: Role }))).PolicyNames).toEqual(["DefaultPolicy", "inline-s3-GetObject"]);
  expect(
    decodeURIComponent((await iam.send(new GetRolePolicyCommand({ RoleName: Role, PolicyName: "DefaultPolicy" }))).PolicyDocument!),
  ).toContain(`:log-group:${Group}:*`);
  expect(
    (await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: Role }))).AttachedPolicies!.map(({ PolicyArn }) => PolicyArn).sort(),
  ).toEqual([Managed, "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"].sort());
  expect((await kms.send(new ListAliasesCommand({ KeyId: Key }))).Aliases).toMatchObject([{ AliasName: Alias }]);
  expect(Topic).toMatch(new RegExp(`^arn:aws:sns:${REGION}:${CICD}:identities-Topic-`));
  expect((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: Topic }))).Subscriptions!.length).toBe(2);

  await cloudformation.send(new UpdateStackCommand(input(SECOND)));
  const changed = await settled("identities");
  expect(changed.StackStatus, await reasons("identities")).toBe("UPDATE_COMPLETE");
  expect(outputs(changed)).toMatchObject({ Role, Managed, Key, Group, Parameter, Topic });
  expect((await iam.send(new ListRolePoliciesCommand({ RoleName: Role }))).PolicyNames).toEqual(["DefaultPolicy", "inline-s3-PutObject"]);
  expect(
    (await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: Role }))).AttachedPolicies!.map(({ PolicyName }) => PolicyName),
  ).toContain("AmazonS3FullAccess");
  const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn: Managed }));
  const current = Versions!.find(({ IsDefaultVersion }) => IsDefaultVersion)!;
  expect(
    decodeURIComponent(
      (await iam.send(new GetPolicyVersionCommand({ PolicyArn: Managed, VersionId: current.VersionId }))).PolicyVersion!.Document!,
    ),
  ).toContain("s3:PutObject");
  expect((await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: Group }))).logGroups![0]).toMatchObject({
    retentionInDays: 14,
  });
  expect((await logs.send(new ListTagsLogGroupCommand({ logGroupName: Group }))).tags).toMatchObject({ value: "two" });
  expect((await ssm.send(new GetParameterCommand({ Name: Parameter }))).Parameter).toMatchObject({ Value: "two", Version: 2 });
  expect((await sns.send(new GetTopicAttributesCommand({ TopicArn: Topic }))).Attributes).toMatchObject({
    DisplayName: "two",
    KmsMasterKeyId: Key,
    Policy: expect.stringContaining("events.amazonaws.com"),
  });
  expect(
    (await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: Topic })))
      .Subscriptions!.map(({ Protocol, Endpoint }) => `${Protocol} ${Endpoint}`)
      .sort(),
  ).toEqual(["email b@example.org", "email-json b@example.org"]);
  expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId: Key }))).KeyRotationEnabled).toBe(true);

  await cloudformation.send(new DeleteStackCommand({ StackName: "identities" }));
  expect((await settled(made.StackId!)).StackStatus, await reasons(made.StackId!)).toBe("DELETE_COMPLETE");
  await expect(iam.send(new GetRoleCommand({ RoleName: Role }))).rejects.toMatchObject({ name: "NoSuchEntityException" });
  await expect(ssm.send(new GetParameterCommand({ Name: Parameter }))).rejects.toMatchObject({ name: "ParameterNotFound" });
  expect((await kms.send(new DescribeKeyCommand({ KeyId: Key }))).KeyMetadata!.KeyState).toBe("PendingDeletion");
  expect((await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: Group }))).logGroups).toEqual([]);
});
