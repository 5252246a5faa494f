import type { ActionDeclaration, PipelineDeclaration, StageDeclaration } from "@aws-sdk/client-codepipeline";
import { notImplemented } from "../gateway/aws-error.ts";
import { invalidStructure } from "./errors.ts";

type Named = PipelineDeclaration & { readonly name: string };

/**
 * The structure CodePipeline insists on.
 * @throws AwsError InvalidStructureException, or 501 for what AWS has and the local accounts have not
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
 */
export function checked(pipeline: PipelineDeclaration | undefined): Named {
  const { name, stages = [] } = pipeline ?? {};
  if (!pipeline || !name) throw invalidStructure("Pipeline has no name");
  if (!pipeline.artifactStore?.location) throw invalidStructure("Pipeline has no artifact store");
  if (stages.length < 2) throw invalidStructure("Pipeline has only one stage(s). There should be a minimum of 2 stages in a pipeline");
  unique(
    stages.map((stage) => stage.name ?? ""),
    (twice) => `Stage name ${twice} is used more than once`,
  );
  checkType(pipeline);
  checkTriggers(pipeline);
  for (const stage of stages) checkStage(stage);
  checkArtifacts(stages);
  return { ...pipeline, name };
}

function unique(names: readonly string[], message: (twice: string) => string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidStructure(message(twice));
}

/** Variables, triggers and the modes of execution came with V2. */
function checkType({ pipelineType = "V1", executionMode = "SUPERSEDED", variables = [], triggers = [] }: PipelineDeclaration): void {
  if (pipelineType === "V2")
    return unique(
      variables.map(({ name = "" }) => name),
      (twice) => `Variable ${twice} is declared more than once`,
    );
  if (executionMode !== "SUPERSEDED") throw invalidStructure(`Execution mode ${executionMode} needs a pipeline of type V2`);
  if (variables.length > 0) throw invalidStructure("Variables need a pipeline of type V2");
  if (triggers.length > 0) throw invalidStructure("Triggers need a pipeline of type V2");
}

/** Triggers are for sources behind a connection alone: CodeCommit and S3 start pipelines by rules of EventBridge. */
function checkTriggers({ triggers = [], stages = [] }: PipelineDeclaration): void {
  const sources = stages[0]?.actions ?? [];
  for (const { gitConfiguration } of triggers) {
    const name = gitConfiguration?.sourceActionName;
    const source = sources.find((action) => action.name === name);
    if (!source) throw invalidStructure(`A trigger names source action ${name}, which the pipeline does not have`);
    for (const { branches, filePaths, tags } of [
      ...(gitConfiguration?.push ?? []),
      ...(gitConfiguration?.pullRequest ?? []).map((filter) => ({ ...filter, tags: undefined })),
    ]) {
      // https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html: tags, branches, or branches and file paths.
      if (tags && (branches || filePaths))
        throw invalidStructure(`A filter of the trigger on ${name} has tags beside branches or file paths: write two filters`);
      if (!tags && !branches) throw invalidStructure(`A filter of the trigger on ${name} has neither branches nor tags`);
      if (filePaths) throw notImplemented("codepipeline", `triggers with file paths (${name})`);
    }
    if (source.actionTypeId?.provider !== "CodeStarSourceConnection")
      throw invalidStructure(
        `Triggers are for source actions of CodeStarSourceConnection; ${name} is one of ${source.actionTypeId?.provider}`,
      );
  }
}

function checkStage(stage: StageDeclaration): void {
  unique(
    (stage.actions ?? []).map((action) => action.name ?? ""),
    (twice) => `Action name ${twice} is used more than once in stage ${stage.name}`,
  );
  const absent = [
    stage.beforeEntry && "beforeEntry",
    stage.onSuccess && "onSuccess",
    stage.onFailure?.conditions && "onFailure.conditions",
    stage.onFailure?.result && !["FAIL", "RETRY"].includes(stage.onFailure.result) && `onFailure.result ${stage.onFailure.result}`,
  ].find(Boolean);
  if (absent) throw notImplemented("codepipeline", `${absent} (stage ${stage.name})`);
}

/** Sources in the first stage alone, and inputs that somebody made before. */
function checkArtifacts(stages: readonly StageDeclaration[]): void {
  const made = new Set<string>();
  for (const [index, stage] of stages.entries())
    for (const action of [...(stage.actions ?? [])].sort((a, b) => (a.runOrder ?? 1) - (b.runOrder ?? 1))) {
      checkPlace(action, index);
      const missing = (action.inputArtifacts ?? []).find((artifact) => !made.has(artifact.name ?? ""));
      if (missing)
        throw invalidStructure(
          `Input Artifact Bundle ${missing.name} in action ${action.name} is not declared as Output Artifact Bundle in any of the preceding actions`,
        );
      for (const { name = "" } of action.outputArtifacts ?? []) {
        if (made.has(name)) throw invalidStructure(`Output Artifact Bundle name must be unique within the pipeline: ${name}`);
        made.add(name);
      }
    }
}

function checkPlace(action: ActionDeclaration, stageIndex: number): void {
  const isSource = action.actionTypeId?.category === "Source";
  if (isSource !== (stageIndex === 0))
    throw invalidStructure(
      stageIndex === 0
        ? `The first stage can only have source actions: ${action.name}`
        : `Source action ${action.name} can only be in the first stage`,
    );
}
