import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { DescribeRuleCommand, EventBridgeClient, ListTargetsByRuleCommand, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { GetFunctionConfigurationCommand, GetPolicyCommand, LambdaClient, ListTagsCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ListExecutionsCommand,
  ListTagsForResourceCommand,
  SFNClient,
} from "@aws-sdk/client-sfn";
import { zipSync, strToU8 } from "fflate";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());

const WAIT = { maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 };
const cloudformation = () => new CloudFormationClient(accounts.config());

const roleFor = (service: string, ...statements: object[]) => ({
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
    },
    ...(statements.length > 0 && { Policies: [{ PolicyName: "p", PolicyDocument: { Version: "2012-10-17", Statement: statements } }] }),
  },
});
const allow = (Action: unknown, Resource: unknown = "*") => ({ Effect: "Allow", Action, Resource });
const arn = (name: string) => ({ "Fn::GetAtt": [name, "Arn"] });

/** A function, a machine that calls it, a rule that starts the machine on an event, as CDK writes them. */
const template = ({ answer, timeout, state }: { answer: string; timeout: number; state: string }) => ({
  Resources: {
    FunctionRole: roleFor("lambda.amazonaws.com", allow("logs:*")),
    Function: {
      Type: "AWS::Lambda::Function",
      Properties: {
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: arn("FunctionRole"),
        Timeout: timeout,
        Environment: { Variables: { ANSWER: answer } },
        Code: { ZipFile: "exports.handler = async (event) => ({ answer: process.env.ANSWER, saw: event.detail.n });" },
        Tags: [{ Key: "part", Value: "function" }],
      },
    },
    Permission: {
      Type: "AWS::Lambda::Permission",
      Properties: {
        FunctionName: arn("Function"),
        Action: "lambda:InvokeFunction",
        Principal: "events.amazonaws.com",
        SourceArn: arn("Rule"),
      },
    },
    MachineRole: roleFor("states.amazonaws.com", allow("lambda:InvokeFunction", arn("Function"))),
    Machine: {
      Type: "AWS::StepFunctions::StateMachine",
      Properties: {
        RoleArn: arn("MachineRole"),
        DefinitionString: JSON.stringify({
          StartAt: "${first}",
          States: { "${first}": { Type: "Task", Resource: "${function}", ResultPath: "$.result", OutputPath: "$.result", End: true } },
        }),
        DefinitionSubstitutions: { function: arn("Function"), first: state },
        Tags: [{ Key: "part", Value: state }],
      },
    },
    RuleRole: roleFor("events.amazonaws.com", allow("states:StartExecution", { Ref: "Machine" })),
    Rule: {
      Type: "AWS::Events::Rule",
      Properties: {
        EventPattern: { source: ["test"], detail: { n: [{ numeric: [">", 0] }] } },
        State: "ENABLED",
        Targets: [{ Id: "Target0", Arn: { Ref: "Machine" }, RoleArn: arn("RuleRole") }],
      },
    },
  },
  Outputs: {
    Machine: { Value: { Ref: "Machine" } },
    Name: { Value: { "Fn::GetAtt": ["Machine", "Name"] } },
    Function: { Value: { Ref: "Function" } },
    Rule: { Value: { Ref: "Rule" } },
    RuleArn: { Value: arn("Rule") },
  },
});

const outputs = async (StackName: string): Promise<Record<string, string>> => {
  const { Stacks } = await cloudformation().send(new DescribeStacksCommand({ StackName }));
  return Object.fromEntries(Stacks![0]!.Outputs!.map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!]));
};

/** Sends an event and gives the output of the execution it starts. */
async function fire(machine: string, n: number): Promise<unknown> {
  const sfn = new SFNClient(accounts.config());
  const before = (await sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }))).executions!.length;
  await new EventBridgeClient(accounts.config()).send(
    new PutEventsCommand({ Entries: [{ Source: "test", DetailType: "t", Detail: JSON.stringify({ n }) }] }),
  );
  return vi.waitFor(
    async () => {
      const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: machine }));
      expect(executions!.length).toBe(before + 1);
      const { status, output, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn: executions![0]!.executionArn }));
      expect(status).not.toBe("RUNNING");
      return JSON.parse(output ?? cause!) as unknown;
    },
    { timeout: 90_000, interval: 50 },
  );
}

test("a stack of a function, a machine and a rule works, is updated and goes", async () => {
  const StackName = "work";
  const create = { StackName, Capabilities: ["CAPABILITY_IAM" as const], Tags: [{ Key: "stack", Value: "work" }] };
  await cloudformation().send(
    new CreateStackCommand({ ...create, TemplateBody: JSON.stringify(template({ answer: "one", timeout: 10, state: "Ask" })) }),
  );
  await waitUntilStackCreateComplete({ client: cloudformation(), ...WAIT }, { StackName });
  const made = await outputs(StackName);
  const [sfn, lambda, events] = [
    new SFNClient(accounts.config()),
    new LambdaClient(accounts.config()),
    new EventBridgeClient(accounts.config()),
  ];
  expect(made["Name"]).toMatch(/^work-Machine-|^Machine/);
  expect(await fire(made["Machine"]!, 7)).toEqual({ answer: "one", saw: 7 });
  expect((await sfn.send(new ListTagsForResourceCommand({ resourceArn: made["Machine"] }))).tags).toEqual(
    expect.arrayContaining([
      { key: "part", value: "Ask" },
      { key: "stack", value: "work" },
    ]),
  );
  const { FunctionArn } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: made["Function"] }));
  expect((await lambda.send(new ListTagsCommand({ Resource: FunctionArn }))).Tags).toEqual({ part: "function", stack: "work" });
  expect(JSON.parse((await lambda.send(new GetPolicyCommand({ FunctionName: made["Function"] }))).Policy!)).toMatchObject({
    Statement: [{ Condition: { ArnLike: { "AWS:SourceArn": made["RuleArn"] } } }],
  });
  expect((await events.send(new ListTargetsByRuleCommand({ Rule: made["Rule"] }))).Targets).toHaveLength(1);

  await cloudformation().send(
    new UpdateStackCommand({ ...create, TemplateBody: JSON.stringify(template({ answer: "two", timeout: 12, state: "AskAgain" })) }),
  );
  await waitUntilStackUpdateComplete({ client: cloudformation(), ...WAIT }, { StackName });
  expect(await outputs(StackName)).toEqual(made);
  expect(await fire(made["Machine"]!, 8)).toEqual({ answer: "two", saw: 8 });
  expect((await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: made["Machine"] }))).definition).toContain(
    `"StartAt":"AskAgain"`,
  );
  expect(await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: made["Function"] }))).toMatchObject({ Timeout: 12 });

  await cloudformation().send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete({ client: cloudformation(), ...WAIT }, { StackName });
  await expect(sfn.send(new DescribeStateMachineCommand({ stateMachineArn: made["Machine"] }))).rejects.toMatchObject({
    name: "StateMachineDoesNotExist",
  });
  await expect(lambda.send(new GetFunctionConfigurationCommand({ FunctionName: made["Function"] }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(events.send(new DescribeRuleCommand({ Name: made["Rule"] }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
}, 240_000);

test("a definition from S3, and a layer", async () => {
  const s3 = new S3Client(accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: "definitions" }));
  await s3.send(
    new PutObjectCommand({
      Bucket: "definitions",
      Key: "m.json",
      Body: JSON.stringify({ StartAt: "S", States: { S: { Type: "Pass", Result: "${word}", End: true } } }),
    }),
  );
  await s3.send(new PutObjectCommand({ Bucket: "definitions", Key: "layer.zip", Body: zipSync({ "a.txt": strToU8("a") }) }));
  const StackName = "from-s3";
  const Resources = {
    Role: roleFor("states.amazonaws.com"),
    Machine: {
      Type: "AWS::StepFunctions::StateMachine",
      Properties: {
        RoleArn: arn("Role"),
        StateMachineName: "named",
        DefinitionS3Location: { Bucket: "definitions", Key: "m.json" },
        DefinitionSubstitutions: { word: "hello" },
      },
    },
    Layer: {
      Type: "AWS::Lambda::LayerVersion",
      Properties: { Content: { S3Bucket: "definitions", S3Key: "layer.zip" }, CompatibleRuntimes: ["nodejs24.x"] },
    },
  };
  const Outputs = { Machine: { Value: { Ref: "Machine" } }, Layer: { Value: { Ref: "Layer" } } };
  await cloudformation().send(
    new CreateStackCommand({ StackName, Capabilities: ["CAPABILITY_IAM"], TemplateBody: JSON.stringify({ Resources, Outputs }) }),
  );
  await waitUntilStackCreateComplete({ client: cloudformation(), ...WAIT }, { StackName });
  const made = await outputs(StackName);
  expect(made["Machine"]).toMatch(/:stateMachine:named$/);
  expect(made["Layer"]).toMatch(/:layer:[\w-]+:1$/);
  expect(
    (await new SFNClient(accounts.config()).send(new DescribeStateMachineCommand({ stateMachineArn: made["Machine"] }))).definition,
  ).toContain('"hello"');
}, 240_000);
