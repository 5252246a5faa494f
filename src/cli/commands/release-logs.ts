import type { Command } from "commander";
import { type Cli, Problem } from "../cli.ts";
import { onRelease, type ReleaseFlags } from "./release-options.ts";

interface LogsFlags extends ReleaseFlags {
  readonly stage?: string;
}

/** `omx release logs` */
export function releaseLogs(group: Command, cli: Cli): void {
  onRelease(group.command("logs")).summary("what the builds of a release said").description("Prints the logs of a release's builds (stages Build and Promote) in their order, and the messages of other steps that failed.")
    .option("--stage <name>", "of this stage alone: Source, Build, Test, Approve, Promote")
    .option("--json", 'one JSON document a line: {"stage", "action", "at", "message"}')
    .action((workflow: string, flags: LogsFlags) => print(cli, workflow, flags));
}

async function print(cli: Cli, workflow: string, flags: LogsFlags): Promise<void> {
  const { openRelease } = await import("../release/open.ts");
  const { readBuildLog } = await import("../release/build-log.ts");
  const { session, read } = await openRelease(cli, workflow, flags);
  const { actions } = await read();
  const wanted = actions.filter(({ stage }) => !flags.stage || stage.toLowerCase() === flags.stage.toLowerCase());
  if (wanted.length === 0) throw new Problem(`no step of the release is in a stage ${flags.stage ?? ""}`, "Source, Build, Test, Approve and Promote are there once they began");
  for (const { stage, action, status, error, externalId = "" } of wanted) {
    const isBuild = /^[\w-]+:[0-9a-f-]{36}$/.test(externalId);
    if (!flags.json && (isBuild || error)) cli.out(`── ${stage} ${action}: ${status}\n`);
    if (error) line({ stage, action, at: undefined, message: error });
    if (isBuild) for await (const { at, message } of readBuildLog(session.clients, externalId)) line({ stage, action, at, message });
  }

  function line(event: { readonly stage: string; readonly action: string; readonly at: string | undefined; readonly message: string }): void {
    cli.out(flags.json ? `${JSON.stringify(event)}\n` : `${event.message.replace(/\n$/, "")}\n`);
  }
}
