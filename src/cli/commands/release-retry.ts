import type { Command } from "commander";
import { type Cli, printResult } from "../cli.ts";
import { onRelease, type ReleaseFlags } from "./release-options.ts";

/** `omx release retry` */
export function releaseRetry(group: Command, cli: Cli): void {
  onRelease(group.command("retry"))
    .summary("try the stage of a release that failed again")
    .description(
      "Tries the stage in which a release failed or was stopped again, and goes on from there: with the same commit, the same images and the same approval. Actions of the stage that succeeded are not repeated.",
    )
    .option(
      "--json",
      'one JSON document: {"workflow", "pipelineExecutionId", "stage", "actions": [{"action", "status", "error"}], "by"}: what is tried again, and how it had ended',
    )
    .addHelpText(
      "after",
      "\nA release that was rejected asks for its approval again. It can't be retried once a later release has been in the same stage.",
    )
    .action((workflow: string, flags: ReleaseFlags) => retry(cli, workflow, flags));
}

async function retry(cli: Cli, workflow: string, flags: ReleaseFlags): Promise<void> {
  const { openRelease } = await import("../release/open.ts");
  const { failedStage, retryStage } = await import("../release/retry.ts");
  const { session, id, read } = await openRelease(cli, workflow, flags);
  const { codepipeline } = session.clients;
  const state = await read();
  const { stage, actions } = await failedStage(codepipeline, state);
  await retryStage(codepipeline, state, stage);
  printResult(cli, flags, {
    value: { workflow, pipelineExecutionId: id, stage, actions, by: session.arn },
    lines: [
      `${workflow} ${id}: tries ${stage} again`,
      ...actions.map(({ action, status, error }) => `  ${action} had ended ${status}${error ? `: ${error}` : ""}`),
      `Follow it: omx release watch ${workflow} --execution ${id}`,
    ],
  });
}
