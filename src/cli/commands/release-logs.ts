import type { Command } from "commander";
import { type Cli, Problem } from "../cli.ts";
import { onRelease, type ReleaseFlags } from "./release-options.ts";

interface LogsFlags extends ReleaseFlags {
  readonly stage?: string;
}

/** `omx release logs` */
export function releaseLogs(group: Command, cli: Cli): void {
  onRelease(group.command("logs"))
    .summary("what the steps of a release said")
    .description(
      "Prints the logs of a release in the order of its steps: its builds, the workflow engine and the tasks of its test runs, and the messages of steps that failed.",
    )
    .option("--stage <name>", "of this stage alone: Source, Build, Test, Approve, Promote")
    .option("--json", 'one JSON document a line: {"stage", "action", "source", "at", "message"}')
    .action((workflow: string, flags: LogsFlags) => print(cli, workflow, flags));
}

async function print(cli: Cli, workflow: string, flags: LogsFlags): Promise<void> {
  const { openRelease } = await import("../release/open.ts");
  const { logClients, readStepLog } = await import("../../release/step-logs.ts");
  const { session, read } = await openRelease(cli, workflow, flags);
  const clients = logClients(session.clients.target);
  const { actions } = await read();
  const wanted = actions.filter(({ stage }) => !flags.stage || stage.toLowerCase() === flags.stage.toLowerCase());
  if (wanted.length === 0)
    throw new Problem(
      `no step of the release is in a stage ${flags.stage ?? ""}`,
      "Source, Build, Test, Approve and Promote are there once they began",
    );
  for (const step of wanted) {
    const { stage, action, status, error } = step;
    let source = "";
    if (error) {
      title(`${stage} ${action}: ${status}`);
      line({ stage, action, message: error });
    }
    for await (const entry of readStepLog(clients, step)) {
      if (entry.source !== source) title(`${stage} ${action}: ${(source = entry.source)}`);
      line({ stage, action, ...entry });
    }
  }

  function title(text: string): void {
    if (!flags.json) cli.out(`── ${text}\n`);
  }

  function line(event: {
    readonly stage: string;
    readonly action: string;
    readonly message: string;
    readonly source?: string;
    readonly at?: string;
  }): void {
    cli.out(flags.json ? `${JSON.stringify(event)}\n` : `${event.message.replace(/\n$/, "")}\n`);
  }
}
