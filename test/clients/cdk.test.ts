import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { BatchGetBuildsCommand, ListBuildsForProjectCommand } from "@aws-sdk/client-codebuild";
import { CodeCommitClient, CreateBranchCommand, CreatePullRequestCommand, GetBranchCommand } from "@aws-sdk/client-codecommit";
import { PutApprovalResultCommand, StartPipelineExecutionCommand } from "@aws-sdk/client-codepipeline";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { ListFunctionsCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand, GetObjectCommand, ListBucketsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCdk } from "../../src/local/cloudformation/testing/cdk.ts";
import { until } from "../../src/local/codebuild/testing/code-lab.ts";
import { type PipelineLab, pipelineLab } from "../../src/local/codepipeline/testing/pipeline-lab.ts";
import { startAccounts, type TestAccounts } from "../../src/local/testing/accounts.ts";

let accounts: TestAccounts;
let lab: PipelineLab;
beforeAll(async () => {
  accounts = await startAccounts();
  lab = pipelineLab(accounts);
});
afterAll(() => accounts[Symbol.asyncDispose]());

async function outputs(StackName: string): Promise<Readonly<Record<string, string>>> {
  const { Stacks } = await new CloudFormationClient(accounts.config()).send(new DescribeStacksCommand({ StackName }));
  return Object.fromEntries(Stacks![0]!.Outputs!.map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]));
}

const ssm = (): SSMClient => new SSMClient(accounts.config());
const parameter = (Name: string): Promise<string | undefined> =>
  ssm()
    .send(new GetParameterCommand({ Name }))
    .then(
      ({ Parameter }) => Parameter?.Value,
      () => undefined,
    );
/** What a function that notes its event has heard. */
const heard = async (mark: string, what: RegExp): Promise<string> =>
  (await until(
    () => parameter(`/heard/${mark}`),
    (text) => what.test(text ?? ""),
  ))!;
const emails = (): readonly string[] => {
  const folder = join(accounts.dataDir, "work/sns/outbox");
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
};

/** Files, events, topics, functions and state machines work together as they were deployed. */
async function useData(version: string): Promise<void> {
  const { BucketName: Bucket = "", MachineArn: stateMachineArn, Twice } = await outputs("Data");
  expect(Twice).toBe(String(2 * Number(version)));
  expect([await parameter("/data/size"), await parameter("/data/called")]).toEqual([`${version} GB`, version]);
  const site = await lab.s3.send(new GetObjectCommand({ Bucket, Key: "site/index.html" }));
  expect(await site.Body?.transformToString()).toBe(`<p>version ${version}</p>`);

  await lab.s3.send(new PutObjectCommand({ Bucket, Key: `in/a b ${version}.txt`, Body: "acgt" }));
  expect(await heard("ByS3", new RegExp(`a\\+b\\+${version}\\.txt`))).toContain(Bucket);
  const events = new EventBridgeClient(accounts.config());
  await events.send(
    new PutEventsCommand({
      Entries: [{ Source: "lab", DetailType: "Run ended", Detail: JSON.stringify({ size: 11, name: `run-${version}` }) }],
    }),
  );
  expect(await heard("ByTopic", new RegExp(`run run-${version}`))).toContain("aws:sns");
  expect(await heard("ByRule", new RegExp(`run-${version}`))).toContain("Run ended");
  expect(emails().some((text) => text.includes("someone@example.org") && text.includes(`run run-${version}`))).toBe(true);
  await lab.s3.send(new DeleteObjectCommand({ Bucket, Key: `in/a b ${version}.txt` }));

  const sfn = new SFNClient(accounts.config());
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ names: ["lambda", "phix"] }) }),
  );
  const ended = await until(
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    ({ status }) => status !== "RUNNING",
  );
  expect(ended, ended.cause).toMatchObject({ status: "SUCCEEDED" });
  expect(JSON.parse(ended.output ?? "{}")).toMatchObject({
    looks: [
      { name: "lambda", length: 6, version },
      { name: "phix", length: 4 },
    ],
    parameter: { size: `${version} GB` },
  });
}

/** A push is built, looked at, approved; a pull request is checked. */
async function useCi(): Promise<void> {
  const { PipelineName: name = "", ChecksName: projectName = "" } = await outputs("Ci");
  const [first = ""] = await lab.executions(name);
  const answer = async (id: string) =>
    lab.codepipeline.send(
      new PutApprovalResultCommand({
        pipelineName: name,
        stageName: "Approve",
        actionName: "Ask",
        token: await lab.token(name, id),
        result: { status: "Approved", summary: "" },
      }),
    );
  await Promise.race([answer(first), lab.ended(name, first)]);
  const ended = await lab.ended(name, first);
  expect(
    ended,
    JSON.stringify((await lab.actions(name, first)).map(({ actionName, output }) => [actionName, output?.executionResult?.errorDetails])),
  ).toMatchObject({ status: "Succeeded" });
  expect(emails().some((text) => text.includes("approver@example.org") && text.includes("2 lines"))).toBe(true);

  const { pipelineExecutionId: second = "" } = await lab.codepipeline.send(
    new StartPipelineExecutionCommand({ name, variables: [{ name: "level", value: "high" }] }),
  );
  await answer(second);
  expect(await lab.ended(name, second)).toMatchObject({ status: "Succeeded", variables: [{ name: "level", resolvedValue: "high" }] });

  const codecommit = new CodeCommitClient(accounts.config());
  const { branch } = await codecommit.send(new GetBranchCommand({ repositoryName: "code", branchName: "main" }));
  await codecommit.send(new CreateBranchCommand({ repositoryName: "code", branchName: "change", commitId: branch?.commitId }));
  await codecommit.send(
    new CreatePullRequestCommand({
      title: "Change",
      targets: [{ repositoryName: "code", sourceReference: "change", destinationReference: "main" }],
    }),
  );
  const { ids = [] } = await until(
    () => lab.codebuild.send(new ListBuildsForProjectCommand({ projectName })),
    ({ ids: found = [] }) => found.length > 0,
  );
  const checked = await until(
    () => lab.codebuild.send(new BatchGetBuildsCommand({ ids })),
    ({ builds }) => builds?.[0]?.buildStatus !== "IN_PROGRESS",
  );
  expect(checked.builds?.[0]).toMatchObject({ buildStatus: "SUCCEEDED" });
}

test("a stranger's CDK app deploys, works, is compared, updated and destroyed by the real cdk", async () => {
  using cdk = openCdk(accounts.configFile, join(import.meta.dirname, "cdk-app/app.ts"));
  const run = async (...args: string[]) => {
    const { code, output } = await cdk.run(...args, "--profile", "cicd");
    expect(code, output).toBe(0);
    return output;
  };
  await run("bootstrap", "aws://111122223333/us-east-1");
  await run("deploy", "--all", "--require-approval", "never", "--concurrency", "2");
  await useData("1");
  await useCi();
  expect(await run("diff", "--fail")).toContain("Number of stacks with differences: 0");
  await run("deploy", "Data", "--require-approval", "never", "-c", "version=2");
  await useData("2");
  await run("destroy", "--all", "--force");
  const [{ Buckets = [] }, { Functions }, { repositories }] = await Promise.all([
    lab.s3.send(new ListBucketsCommand({})),
    new LambdaClient(accounts.config()).send(new ListFunctionsCommand({})),
    new ECRClient(accounts.config()).send(new DescribeRepositoriesCommand({})),
  ]);
  expect(Buckets.map(({ Name = "" }) => Name).filter((name) => !name.startsWith("cdk-"))).toEqual([]);
  expect([Functions, repositories?.filter(({ repositoryName }) => !repositoryName?.startsWith("cdk-"))]).toEqual([[], []]);
  expect(await parameter("/data/called")).toBeUndefined();
}, 900_000); // eight runs of cdk and dozens of functions, on a machine that may be busy
