import type { PipelineExecutionSummary } from "@aws-sdk/client-codepipeline";
import type { Command } from "commander";
import { isFirstStart } from "../../release/first-start.ts";
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
  const releases = (await listReleases(clients.codepipeline, workflow, flags.list)).map(listed);
  printResult(cli, flags, {
    value: { releases },
    lines:
      releases.length > 0
        ? table(
            releases.map((each) => [
              each.pipelineExecutionId,
              each.isFirstStart ? "–" : each.status,
              each.startedAt,
              each.isFirstStart ? "nothing pushed yet: the pipeline's own start" : each.commit.slice(0, 12),
            ]),
          )
        : [`nothing of ${workflow} was released yet`],
  });
}

function listed({ pipelineExecutionId = "", status, startTime, sourceRevisions = [], trigger }: PipelineExecutionSummary) {
  const commit = sourceRevisions.find(({ revisionId }) => /^[0-9a-f]{40}$/.test(revisionId ?? ""))?.revisionId ?? "";
  return {
    pipelineExecutionId,
    status: status ?? "",
    startedAt: startTime?.toISOString() ?? "",
    commit,
    ...(isFirstStart({ status, trigger }, sourceRevisions) && { isFirstStart: true }),
  };
}
