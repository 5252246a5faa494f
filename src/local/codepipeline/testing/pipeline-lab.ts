import {
  type ActionDeclaration,
  type ActionExecutionDetail,
  CodePipelineClient,
  CreatePipelineCommand,
  GetPipelineExecutionCommand,
  GetPipelineStateCommand,
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
  type PipelineDeclaration,
  type PipelineExecution,
} from "@aws-sdk/client-codepipeline";
import { type CodeLab, codeLab, until } from "../../codebuild/testing/code-lab.ts";
import type { TestAccounts } from "../../testing/accounts.ts";

/** A code lab with pipelines. */
export interface PipelineLab extends CodeLab {
  readonly codepipeline: CodePipelineClient;
  /** Makes a pipeline whose role may do what its actions need; returns the id of its first execution. */
  pipeline(
    name: string,
    stages: Readonly<Record<string, readonly ActionDeclaration[]>>,
    more?: Partial<PipelineDeclaration>,
  ): Promise<string>;
  /** Ids of a pipeline's executions, newest first. */
  executions(name: string): Promise<readonly string[]>;
  execution(name: string, id: string): Promise<PipelineExecution>;
  /** An execution that has come to its end. */
  ended(name: string, id: string): Promise<PipelineExecution>;
  /** The token of the approval that waits, of this execution where one is named. */
  token(name: string, id?: string): Promise<string>;
  actions(name: string, id: string): Promise<readonly ActionExecutionDetail[]>;
}

const PIPELINE_ROLE = ["s3:*", "codebuild:*", "codecommit:*", "states:*", "lambda:InvokeFunction", "sns:Publish"];

const action = (name: string, category: string, provider: string, more: object): ActionDeclaration =>
  ({ name, actionTypeId: { category, owner: "AWS", provider, version: "1" }, ...more }) as ActionDeclaration;

/** The ZIP of `CodeLab.archive` as the artifact `source`. */
export const zipSource = (bucket: string): ActionDeclaration =>
  action("Zip", "Source", "S3", {
    configuration: { S3Bucket: bucket, S3ObjectKey: "source.zip", PollForSourceChanges: "false" },
    outputArtifacts: [{ name: "source" }],
    namespace: "Zip",
  });

/** A branch of a repository as the artifact `source`. */
export const commitSource = (repository: string, more: Readonly<Record<string, string>> = {}): ActionDeclaration =>
  action("Commit", "Source", "CodeCommit", {
    configuration: { RepositoryName: repository, BranchName: "main", PollForSourceChanges: "false", ...more },
    outputArtifacts: [{ name: "source" }],
    namespace: "Commit",
  });

/** A build of the project on the artifact `source`. */
export const build = (projectName: string, more: Readonly<Record<string, string>> = {}): ActionDeclaration =>
  action("Build", "Build", "CodeBuild", {
    configuration: { ProjectName: projectName, ...more },
    inputArtifacts: [{ name: "source" }],
    namespace: "Build",
  });

export const approval = (more: Readonly<Record<string, string>> = {}): ActionDeclaration =>
  action("Ask", "Approval", "Manual", { configuration: more });

export function pipelineLab(accounts: TestAccounts): PipelineLab {
  const lab = codeLab(accounts);
  const codepipeline = new CodePipelineClient(accounts.config());
  const execution: PipelineLab["execution"] = async (pipelineName, pipelineExecutionId) =>
    (await codepipeline.send(new GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId }))).pipelineExecution!;
  const executions: PipelineLab["executions"] = async (pipelineName) =>
    (await codepipeline.send(new ListPipelineExecutionsCommand({ pipelineName }))).pipelineExecutionSummaries!.map(
      ({ pipelineExecutionId = "" }) => pipelineExecutionId,
    );
  return {
    ...lab,
    codepipeline,
    execution,
    executions,
    async pipeline(name, stages, more = {}) {
      const roleArn = more.roleArn ?? (await lab.role("codepipeline", `${name}-pipeline`, PIPELINE_ROLE));
      await codepipeline.send(
        new CreatePipelineCommand({
          pipeline: {
            name,
            roleArn,
            pipelineType: "V2",
            executionMode: "QUEUED",
            artifactStore: { type: "S3", location: "store" },
            ...more,
            stages: Object.entries(stages).map(([stage, actions]) => ({ name: stage, actions: [...actions] })),
          },
        }),
      );
      return (await executions(name))[0]!;
    },
    ended: (name, id) =>
      until(
        () => execution(name, id),
        ({ status }) => status !== "InProgress" && status !== "Stopping",
      ),
    async token(name, id) {
      const waiting = await until(
        async () => {
          const { stageStates = [] } = await codepipeline.send(new GetPipelineStateCommand({ name }));
          const stages = stageStates.filter(({ latestExecution }) => id === undefined || latestExecution?.pipelineExecutionId === id);
          return stages.flatMap(({ actionStates = [] }) => actionStates.flatMap(({ latestExecution }) => latestExecution?.token ?? []))[0];
        },
        (token) => token !== undefined,
      );
      return waiting!;
    },
    actions: async (pipelineName, pipelineExecutionId) =>
      (await codepipeline.send(new ListActionExecutionsCommand({ pipelineName, filter: { pipelineExecutionId } }))).actionExecutionDetails!,
  };
}
