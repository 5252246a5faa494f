import type { Command } from "commander";
import type { Session } from "../aws/session.ts";
import { type Cli, NotDone } from "../cli.ts";
import type { ReleaseState } from "../release/pipeline.ts";
import { describeFirstStart, describeStep, releaseJson } from "../release/render.ts";
import { onRelease, type ReleaseFlags } from "./release-options.ts";

interface WatchFlags extends ReleaseFlags {
  readonly untilApproval?: boolean;
}

/** `omx release watch` */
export function releaseWatch(group: Command, cli: Cli): void {
  onRelease(group.command("watch"))
    .summary("follow a release to its end")
    .description("Follows a release until it has ended, and tells each step when it changes. Exit code 1 when it did not succeed.")
    .option("--until-approval", "return when it waits for an approval (exit code 0)")
    .option("--json", "one JSON document a line, whenever something changed: what `omx release status --json` prints")
    .action((workflow: string, flags: WatchFlags) => watch(cli, workflow, flags));
}

const RUNNING: readonly string[] = ["InProgress", "Stopping"];

async function watch(cli: Cli, workflow: string, flags: WatchFlags): Promise<void> {
  const { openRelease } = await import("../release/open.ts");
  const { read, id, session } = await openRelease(cli, workflow, flags);
  if (!flags.json) cli.out(`${workflow} ${id}\n`);
  const told = new Set<string>();
  for (;;) {
    const state = await read();
    if (state.isFirstStart) return nothingPushed(cli, state, flags);
    tell(cli, { state, told, flags });
    if (!RUNNING.includes(state.status)) return ended(cli, state, flags.json ? undefined : await failedLines(session, state));
    if (state.approval && flags.untilApproval) return;
    await cli.clock.sleep(session.local ? 500 : 5000);
  }
}

function nothingPushed(cli: Cli, state: ReleaseState, { json }: WatchFlags): never {
  cli.out(json ? `${JSON.stringify(releaseJson(state))}\n` : `${describeFirstStart(state).join("\n")}\n`);
  throw new NotDone();
}

interface Telling {
  readonly state: ReleaseState;
  /** What was said before; grows. */
  readonly told: Set<string>;
  readonly flags: WatchFlags;
}

function tell(cli: Cli, { state, told, flags }: Telling): void {
  const lines = flags.json
    ? [JSON.stringify(releaseJson(state))]
    : [
        ...state.actions.map(describeStep),
        ...(state.approval
          ? [`  waits for an approval: omx release approve ${state.workflow}${state.approval.link ? ` (${state.approval.link})` : ""}`]
          : []),
      ];
  for (const line of lines.filter((each) => !told.has(each))) {
    told.add(line);
    cli.out(`${line}\n`);
  }
}

/** What the step that failed said in the end. */
async function failedLines({ clients }: Session<"codepipeline">, state: ReleaseState): Promise<readonly string[]> {
  const { failedStep } = await import("../release/pipeline.ts");
  const failed = failedStep(state);
  if (!failed) return [];
  const { lastLines, logClients } = await import("../../release/step-logs.ts");
  return lastLines(logClients(clients.target), failed);
}

function ended(cli: Cli, { status, workflow, message }: ReleaseState, said: readonly string[] | undefined): void {
  if (said) cli.out([`${status}${message ? `: ${message}` : ""}`, ...said.map((line) => `  │ ${line}`), ""].join("\n"));
  if (status === "Succeeded") return;
  cli.say(`look at all that it said: omx release logs ${workflow}; try it again from there: omx release retry ${workflow}`);
  throw new NotDone();
}
