import { type CodePipelineClient, paginateListActionExecutions } from "@aws-sdk/client-codepipeline";
import { sourceErrorIn } from "./first-start.ts";

/** What the workflow's own source said in a new pipeline's own start, asked of CodePipeline. @throws the SDK's errors */
export async function readSourceError(
  client: CodePipelineClient,
  { pipelineName, pipelineExecutionId }: { readonly pipelineName: string; readonly pipelineExecutionId: string },
): Promise<string | undefined> {
  for await (const page of paginateListActionExecutions({ client }, { pipelineName, filter: { pipelineExecutionId } })) {
    const actions = (page.actionExecutionDetails ?? []).map(({ actionName = "", output }) => ({
      action: actionName,
      error: output?.executionResult?.errorDetails?.message,
    }));
    const error = sourceErrorIn(actions);
    if (error !== undefined) return error;
  }
  return undefined;
}
