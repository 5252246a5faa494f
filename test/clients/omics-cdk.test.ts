import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import {
  GetRunCommand,
  GetRunGroupCommand,
  GetWorkflowCommand,
  ListRunGroupsCommand,
  ListRunsCommand,
  ListWorkflowsCommand,
  ListWorkflowVersionsCommand,
  OmicsClient,
} from "@aws-sdk/client-omics";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, GetExecutionHistoryCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCdk } from "../../src/local/cloudformation/testing/cdk.ts";
import { until } from "../../src/local/codebuild/testing/code-lab.ts";
import { startAccounts, type TestAccounts } from "../../src/local/testing/accounts.ts";

let accounts: TestAccounts;
let omics: OmicsClient;
beforeAll(async () => {
  accounts = await startAccounts();
  omics = new OmicsClient(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

async function outputs(): Promise<Readonly<Record<string, string>>> {
  const { Stacks } = await new CloudFormationClient(accounts.config()).send(new DescribeStacksCommand({ StackName: "Flows" }));
  return Object.fromEntries(Stacks![0]!.Outputs!.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]));
}

const heardOf = (runId: string) =>
  until(
    () =>
      new SSMClient(accounts.config()).send(new GetParameterCommand({ Name: `/flows/ended/${runId}` })).then(
        ({ Parameter }) => Parameter?.Value,
        () => undefined,
      ),
    (text) => text !== undefined,
  );

/** A run that the state machine starts, waits for and ends with. */
async function runOnce(stateMachineArn: string, who: string) {
  const sfn = new SFNClient(accounts.config());
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ who }) }));
  const ended = await until(
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    ({ status }) => status !== "RUNNING",
  );
  const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 2 }));
  expect(ended, JSON.stringify(events)).toMatchObject({ status: "SUCCEEDED" });
  return (
    JSON.parse(ended.output ?? "{}") as {
      run: {
        readonly Id: string;
        readonly Status: string;
        readonly RunGroupId: string;
        readonly WorkflowVersionName: string;
        readonly Parameters: object;
      };
    }
  ).run;
}

test("a stranger's CDK app deploys workflows, runs them by a state machine, hears of their end, changes and removes them", async () => {
  using cdk = openCdk(accounts.configFile, join(import.meta.dirname, "omics-cdk/app.ts"));
  const run = async (...args: string[]) => {
    const { code, output } = await cdk.run(...args, "--profile", "cicd");
    expect(code, output).toBe(0);
    return output;
  };
  await run("bootstrap", "aws://111122223333/us-east-1");
  await run("deploy", "--require-approval", "never");
  const { WorkflowId: id = "", VersionArn, GroupId = "", MachineArn = "", BucketName: Bucket = "" } = await outputs();
  expect(await omics.send(new GetWorkflowCommand({ id }))).toMatchObject({
    name: "hello",
    status: "ACTIVE",
    description: "says hello (1)",
    tags: { from: "cdk" },
    parameterTemplate: { who: { description: "Whom to greet" } },
  });
  expect(VersionArn).toBe(`arn:aws:omics:us-east-1:111122223333:workflow/${id}/version/1.0.0`);

  const first = await runOnce(MachineArn, "phage");
  expect(first).toMatchObject({ Status: "COMPLETED", RunGroupId: GroupId, WorkflowVersionName: "1.0.0", Parameters: { who: "phage" } });
  expect(JSON.parse((await heardOf(first.Id)) ?? "{}")).toMatchObject({
    source: "aws.omics",
    "detail-type": "Run Status Change",
    detail: { runId: first.Id, status: "COMPLETED" },
  });
  await new S3Client(accounts.config()).send(new PutObjectCommand({ Bucket, Key: "in/reads.fastq", Body: "acgt" }));
  const { items: started = [] } = await until(
    () => omics.send(new ListRunsCommand({ name: "a file" })),
    ({ items = [] }) => ["COMPLETED", "FAILED"].includes(items[0]?.status ?? ""),
  );
  expect(await omics.send(new GetRunCommand({ id: started[0]?.id }))).toMatchObject({ status: "COMPLETED", parameters: { who: "a file" } });

  expect(await run("diff", "--fail")).toContain("Number of stacks with differences: 0");
  await run("deploy", "--require-approval", "never", "-c", "version=2");
  expect(await outputs()).toMatchObject({
    WorkflowId: id,
    VersionArn: `arn:aws:omics:us-east-1:111122223333:workflow/${id}/version/2.0.0`,
    GroupId,
  });
  expect(await omics.send(new GetRunGroupCommand({ id: GroupId }))).toMatchObject({ maxRuns: 2 });
  expect((await omics.send(new ListWorkflowVersionsCommand({ workflowId: id }))).items).toMatchObject([{ versionName: "2.0.0" }]);
  expect(await runOnce(MachineArn, "again")).toMatchObject({ Status: "COMPLETED", WorkflowVersionName: "2.0.0" });
  await run("destroy", "--force");
  expect([(await omics.send(new ListWorkflowsCommand({}))).items, (await omics.send(new ListRunGroupsCommand({}))).items]).toEqual([
    [],
    [],
  ]);
}, 900_000); // five runs of cdk, three of workflows
