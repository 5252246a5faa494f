import type { Command } from "commander";
import type { ChildRecord } from "../../local/children/children.ts";
import { type Cli, printResult } from "../cli.ts";

interface Flags {
  readonly data: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `omx local stop` */
export function localStop(group: Command, cli: Cli): void {
  group
    .command("stop")
    .summary("stop the local accounts; state stays")
    .description(
      "Stops the local accounts and waits until they have ended. State stays; workflow runs and builds that go on are named, and taken up by the next start. After a kill it ends the functions that were left.",
    )
    .option("--all", "end workflow runs and builds too: the next start finds them failed")
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .option("--json", 'one JSON document: {"stopped", "pid", "left": [{"kind", "owner", "pid"}]}')
    .action(async (flags: Flags) => {
      const { endLeft, stopAccounts } = await import("../accounts/end.ts");
      const stopped = await stopAccounts(cli, flags.data);
      const left = await endLeft(cli, flags.data, flags.all === true);
      printResult(cli, flags, {
        value: {
          stopped: stopped !== undefined,
          ...(stopped && { pid: stopped.pid }),
          ...(left.length > 0 && { left: left.map(described) }),
        },
        lines: [
          stopped
            ? `Stopped (process ${stopped.pid}). State stays in ${flags.data}; \`omx local start\` goes on with it.`
            : `No local accounts run on ${flags.data}.`,
          ...(left.length === 0
            ? []
            : ["These go on until the next start takes them up (`omx local stop --all` ends them):", ...left.map(lineOf)]),
        ],
      });
    });
}

const described = ({ kind, owner, pid, container }: ChildRecord) => ({
  kind,
  owner,
  ...(pid !== undefined && { pid }),
  ...(container && { container: container.name }),
});

const lineOf = ({ kind, owner, pid, container }: ChildRecord): string =>
  `  ${kind} of ${owner}: ${container ? `${container.runtime} container ${container.name}` : `process ${pid}`}`;
