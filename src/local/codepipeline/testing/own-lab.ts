import {
  type ErrorDetails,
  GetPipelineStateCommand,
  PutApprovalResultCommand,
  type StageState,
  StartPipelineExecutionCommand,
  type StartPipelineExecutionCommandInput,
} from "@aws-sdk/client-codepipeline";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { type PipelineLab, pipelineLab } from "./pipeline-lab.ts";

/** A pipeline lab in accounts of its own, with sources for `zipSource("sources")`. */
export interface OwnPipelineLab extends PipelineLab, AsyncDisposable {
  readonly accounts: TestAccounts;
  /** Where builds find and leave marks. */
  readonly folder: string;
  /** A project of CodePipeline that runs these commands and exports SAID. */
  pipelineProject(name: string, commands: readonly string[]): Promise<void>;
  /** The id of an execution that was started. */
  start(name: string, more?: Omit<StartPipelineExecutionCommandInput, "name">): Promise<string>;
  /** Answers the approval `Ask` of the stage Approve. */
  answer(pipelineName: string, token: string, status?: "Approved" | "Rejected"): Promise<void>;
  /** The states of a pipeline's stages by name. */
  stages(name: string): Promise<Readonly<Record<string, StageState>>>;
  /** Why an action of an execution failed. */
  errorOf(pipeline: string, id: string, action: string): Promise<ErrorDetails | undefined>;
}

export async function openPipelineLab(): Promise<OwnPipelineLab> {
  const accounts = await startAccounts();
  const lab = pipelineLab(accounts);
  const folder = mkdtempSync(join(tmpdir(), "omx-pipeline-"));
  await lab.s3.send(new CreateBucketCommand({ Bucket: "store" }));
  await lab.archive("sources", { "main.wdl": "version 1.1\n" });
  return {
    ...lab,
    accounts,
    folder,
    pipelineProject(name, commands) {
      const buildspec = { version: "0.2", env: { "exported-variables": ["SAID"] }, phases: { build: { commands } } };
      return lab.project(name, buildspec, {
        source: { type: "CODEPIPELINE", buildspec: JSON.stringify(buildspec) },
        artifacts: { type: "CODEPIPELINE" },
        actions: ["s3:GetObject", "s3:PutObject"],
      });
    },
    async start(name, more = {}) {
      const { pipelineExecutionId } = await lab.codepipeline.send(new StartPipelineExecutionCommand({ name, ...more }));
      return pipelineExecutionId!;
    },
    async answer(pipelineName, token, status = "Approved") {
      const approval = { pipelineName, stageName: "Approve", actionName: "Ask", token };
      await lab.codepipeline.send(new PutApprovalResultCommand({ ...approval, result: { status, summary: "looked at" } }));
    },
    async stages(name) {
      const { stageStates = [] } = await lab.codepipeline.send(new GetPipelineStateCommand({ name }));
      return Object.fromEntries(stageStates.map((stage) => [stage.stageName!, stage]));
    },
    async errorOf(pipeline, id, action) {
      const actions = await lab.actions(pipeline, id);
      return actions.find(({ actionName }) => actionName === action)?.output?.executionResult?.errorDetails;
    },
    async [Symbol.asyncDispose]() {
      await accounts[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
