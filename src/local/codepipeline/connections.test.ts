import {
  CodeCommitClient,
  CreateBranchCommand,
  CreateCommitCommand,
  CreatePullRequestCommand,
  CreateRepositoryCommand,
} from "@aws-sdk/client-codecommit";
import type { ActionDeclaration, PipelineTriggerDeclaration } from "@aws-sdk/client-codepipeline";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { until } from "../codebuild/testing/code-lab.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { approval, type PipelineLab, pipelineLab } from "./testing/pipeline-lab.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const CONNECTION = "arn:aws:codeconnections:us-east-1:111122223333:connection/6f1d";
let accounts: TestAccounts;
let lab: PipelineLab;
let codecommit: CodeCommitClient;
beforeAll(async () => {
  accounts = await startAccounts();
  lab = pipelineLab(accounts);
  codecommit = new CodeCommitClient(accounts.config());
  await lab.s3.send(new CreateBucketCommand({ Bucket: "store" }));
});
afterAll(() => accounts[Symbol.asyncDispose]());

/** A repository with one commit on main; gives the commit. */
async function repository(name: string): Promise<string> {
  await codecommit.send(new CreateRepositoryCommand({ repositoryName: name }));
  return commit(name, "main");
}

async function commit(repositoryName: string, branchName: string, parentCommitId?: string): Promise<string> {
  const filePath = `${parentCommitId ?? "first"}.txt`;
  const { commitId } = await codecommit.send(
    new CreateCommitCommand({
      repositoryName,
      branchName,
      parentCommitId,
      commitMessage: `Add ${filePath}`,
      putFiles: [{ filePath, fileContent: Buffer.from("text\n") }],
    }),
  );
  return commitId!;
}

const source = (name: string, more: Readonly<Record<string, string>> = {}): ActionDeclaration => ({
  name: "Git",
  actionTypeId: { category: "Source", owner: "AWS", provider: "CodeStarSourceConnection", version: "1" },
  configuration: { ConnectionArn: CONNECTION, FullRepositoryId: `our-org/${name}`, BranchName: "main", ...more },
  outputArtifacts: [{ name: "source" }],
  namespace: "Git",
});

async function pipeline(
  name: string,
  {
    more,
    trigger,
    may = "codeconnections:UseConnection",
  }: {
    readonly more?: Readonly<Record<string, string>>;
    readonly trigger?: PipelineTriggerDeclaration["gitConfiguration"];
    readonly may?: string;
  } = {},
): Promise<string> {
  const roleArn = await lab.role("codepipeline", `${name}-pipeline`, ["s3:*", may]);
  const triggers = trigger && [{ providerType: "CodeStarSourceConnection" as const, gitConfiguration: trigger }];
  return lab.pipeline(name, { Source: [source(name, more)], Approve: [approval()] }, { roleArn, ...(triggers && { triggers }) });
}

/** What became of an execution's source action. */
const sourceOf = async (name: string, id: string) => (await lab.actions(name, id)).find(({ actionName }) => actionName === "Git");
const taken = (name: string, id: string) =>
  until(
    () => sourceOf(name, id),
    (git) => git !== undefined && git.status !== "InProgress",
  );

/** The commit of each of a pipeline's executions, once there are so many. */
async function commitsOf(name: string, count: number): Promise<readonly (string | undefined)[]> {
  const ids = await until(
    () => lab.executions(name),
    (all) => all.length >= count,
  );
  return Promise.all(ids.map(async (id) => (await taken(name, id))?.output?.outputVariables?.["CommitId"]));
}

test("a push to the branch of a repository behind a connection starts its pipeline", async () => {
  const first = await repository("flow");
  const id = await pipeline("flow");
  expect((await taken("flow", id))?.output?.outputVariables).toMatchObject({
    CommitId: first,
    BranchName: "main",
    FullRepositoryName: "our-org/flow",
    ConnectionArn: CONNECTION,
    CommitMessage: "Add first.txt",
  });
  await codecommit.send(new CreateBranchCommand({ repositoryName: "flow", branchName: "idea", commitId: first }));
  await commit("flow", "idea", first);
  const second = await commit("flow", "main", first);
  expect(await commitsOf("flow", 2)).toEqual([second, first]);
  const [latest = ""] = await lab.executions("flow");
  expect((await lab.execution("flow", latest)).trigger).toEqual({ triggerType: "WebhookV2", triggerDetail: CONNECTION });
});

test("where changes are not to be detected, nothing starts by itself; a trigger's branches and pull requests decide", async () => {
  const [quiet, chosen] = [await repository("quiet"), await repository("chosen")];
  await pipeline("quiet", { more: { DetectChanges: "false" } });
  await pipeline("chosen", {
    trigger: {
      sourceActionName: "Git",
      push: [{ branches: { includes: ["release/**"], excludes: ["release/old"] } }],
      pullRequest: [{ events: ["OPEN"], branches: { includes: ["main"] } }],
    },
  });
  for (const branchName of ["release/old", "release/1.x/fix"])
    await codecommit.send(new CreateBranchCommand({ repositoryName: "chosen", branchName, commitId: chosen }));
  await commit("quiet", "main", quiet);
  await commit("chosen", "release/old", chosen);
  const fix = await commit("chosen", "release/1.x/fix", chosen);
  await codecommit.send(
    new CreatePullRequestCommand({
      title: "Fix",
      targets: [{ repositoryName: "chosen", sourceReference: "release/1.x/fix", destinationReference: "main" }],
    }),
  );
  // The branch's making, its commit and the pull request, behind the pipeline's first execution.
  expect(await commitsOf("chosen", 4)).toEqual([fix, fix, chosen, chosen]);
  expect(await lab.executions("quiet")).toHaveLength(1);
});

test("a role that may not use the connection, and a repository that is not there, fail the source", async () => {
  await repository("closed");
  const failed = async (name: string, may?: string) => {
    const id = await pipeline(name, may === undefined ? {} : { may });
    await lab.ended(name, id);
    return (await sourceOf(name, id))?.output?.executionResult?.errorDetails?.message;
  };
  expect(await failed("closed", "codecommit:*")).toMatch(/assumed-role\/closed-pipeline\/.*UseConnection.*6f1d/);
  expect(await failed("closed-to-the-old-name", "codestar-connections:UseConnection")).toMatch(/codeconnections:UseConnection.*6f1d/);
  expect(await failed("nowhere")).toMatch(/our-org\/nowhere stands for a CodeCommit repository of this account: .*nowhere/);
});
