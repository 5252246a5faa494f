import type { CodePipelineClient, PipelineExecutionSummary } from "@aws-sdk/client-codepipeline";
import type { Command } from "commander";
import { isFirstStart, nameFirstStart } from "../../release/first-start.ts";
import { pipelineName } from "../../release/names.ts";
import { type Cli, printResult, table } from "../cli.ts";
import { count } from "../options.ts";
import { describeRelease, releaseJson } from "../release/render.ts";
import { onRelease, type ReleaseFlags } from "./release-options.ts";

interface StatusFlags extends ReleaseFlags {
  readonly list?: number;
}

/** `omx release status` */
export function releaseStatus(group: Command, cli: Cli): void {
  onRelease(group.command("status"))
    .summary("how a release stands")
    .description("Shows the steps of a workflow's latest release, or of the one named, or lists the last releases.")
    .option("--list <n>", "list the last n releases instead", count)
    .option(
      "--json",
      'one JSON document: {"workflow", "pipelineExecutionId", "status", "commit", "actions", "approval"}; with --list {"releases"}',
    )
    .action(async (workflow: string, flags: StatusFlags) =>
      flags.list ? list(cli, workflow, { ...flags, list: flags.list }) : show(cli, workflow, flags),
    );
}

async function show(cli: Cli, workflow: string, flags: StatusFlags): Promise<void> {
  const { openRelease } = await import("../release/open.ts");
  const { read } = await openRelease(cli, workflow, flags);
  const state = await read();
  printResult(cli, flags, { value: releaseJson(state), lines: describeRelease(state) });
}

async function list(cli: Cli, workflow: string, flags: StatusFlags & { readonly list: number }): Promise<void> {
  const { openSession } = await import("../aws/session.ts");
  const { codepipeline } = await import("../../aws/services/codepipeline.ts");
  const { listReleases } = await import("../release/pipeline.ts");
  const { clients } = await openSession(cli, flags, { codepipeline });
  const found = await listReleases(clients.codepipeline, workflow, flags.list);
  const releases = await Promise.all(found.map((one) => listed(clients.codepipeline, workflow, one)));
  printResult(cli, flags, {
    value: { releases },
    lines:
      releases.length > 0
        ? table(
            releases.map((each) => [
              each.pipelineExecutionId,
              each.isFirstStart ? "–" : each.status,
              each.startedAt,
              each.isFirstStart
                ? `${nameFirstStart(each.message)}: ${each.message ?? "the pipeline's own start"}`
                : each.commit.slice(0, 12),
            ]),
          )
        : [`nothing of ${workflow} was released yet`],
  });
}

/** Of the start that comes with a pipeline, of which there is one, the list does not say why it found nothing. */
async function listed(codepipeline: CodePipelineClient, workflow: string, summary: PipelineExecutionSummary) {
  const { pipelineExecutionId = "", status, startTime, sourceRevisions = [], trigger } = summary;
  const commit = sourceRevisions.find(({ revisionId }) => /^[0-9a-f]{40}$/.test(revisionId ?? ""))?.revisionId ?? "";
  const isFirst = isFirstStart({ status, trigger }, sourceRevisions);
  const { readSourceError } = await import("../../release/source-error.ts");
  const message = isFirst ? await readSourceError(codepipeline, { pipelineName: pipelineName(workflow), pipelineExecutionId }) : undefined;
  return {
    pipelineExecutionId,
    status: status ?? "",
    startedAt: startTime?.toISOString() ?? "",
    commit,
    ...(isFirst && { isFirstStart: true }),
    ...(message && { message }),
  };
}
