import type { Command } from "commander";
import { describeFirstStart, sourceErrorIn } from "../../release/first-start.ts";
import { NAMES, pipelineName } from "../../release/names.ts";
import { type Cli, printResult, Problem, UsageError } from "../cli.ts";
import { onRelease, type ReleaseFlags } from "./release-options.ts";

interface DecideFlags extends ReleaseFlags {
  readonly comment?: string;
}

/** `omx release approve` */
export function releaseApprove(group: Command, cli: Cli): void {
  deciding(group, cli, {
    verb: "approve",
    status: "Approved",
    about: "Approves a release that waits for it: its version goes to production. The record keeps who, when and why.",
  });
}

/** `omx release reject` */
export function releaseReject(group: Command, cli: Cli): void {
  deciding(group, cli, {
    verb: "reject",
    status: "Rejected",
    about: "Rejects a release that waits for an approval: nothing of it goes to production. The record keeps who, when and why.",
  });
}

interface Decision {
  readonly verb: "approve" | "reject";
  readonly status: "Approved" | "Rejected";
  readonly about: string;
}

function deciding(group: Command, cli: Cli, decision: Decision): void {
  onRelease(group.command(decision.verb))
    .summary(`${decision.verb} a release that waits for it`)
    .description(decision.about)
    .option("--comment <why>", "the reason; asked for where it is not given")
    .option("--json", 'one JSON document: {"workflow", "pipelineExecutionId", "decision", "by", "at", "comment"}')
    .addHelpText("after", "\nIn the local accounts the identity is approver unless --profile or AWS_PROFILE says otherwise.")
    .action((workflow: string, flags: DecideFlags) => decide(cli, workflow, { flags, decision }));
}

async function decide(
  cli: Cli,
  workflow: string,
  { flags, decision }: { readonly flags: DecideFlags; readonly decision: Decision },
): Promise<void> {
  const { PutApprovalResultCommand } = await import("@aws-sdk/client-codepipeline");
  const { openRelease } = await import("../release/open.ts");
  const { session, id, read } = await openRelease(cli, workflow, { ...flags, localProfile: "approver" });
  const { approval, status, isFirstStart, actions } = await read();
  if (isFirstStart)
    throw new Problem(`there is no release of ${workflow} to ${decision.verb}: ${describeFirstStart(sourceErrorIn(actions))}`);
  if (!approval)
    throw new Problem(
      `release ${id} of ${workflow} does not wait for an approval (it is ${status})`,
      `see how it stands: omx release status ${workflow}`,
    );
  const comment = (flags.comment ?? (await cli.ask(`Why do you ${decision.verb} it? `)) ?? "").trim();
  if (comment === "") throw new UsageError("give the reason with --comment: the record of the release keeps it");
  const { approvedAt } = await session.clients.codepipeline.send(
    new PutApprovalResultCommand({
      pipelineName: pipelineName(workflow),
      stageName: NAMES.approvalStage,
      actionName: NAMES.approvalAction,
      token: approval.token,
      result: { status: decision.status, summary: comment },
    }),
  );
  const at = (approvedAt ?? cli.clock.now()).toISOString();
  printResult(cli, flags, {
    value: { workflow, pipelineExecutionId: id, decision: decision.status, by: session.arn, at, comment },
    lines: [`${decision.status} by ${session.arn} at ${at}: ${comment}`, `Follow it: omx release watch ${workflow}`],
  });
}
