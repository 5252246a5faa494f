import type { Command } from "commander";
import { type Cli, printResult } from "../cli.ts";

/** `omx local stop` */
export function localStop(group: Command, cli: Cli): void {
  group
    .command("stop")
    .summary("stop the local accounts; state stays")
    .description("Stops the local accounts and waits until they have ended. State stays; workflow runs and builds that go on are taken up by the next start.")
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .option("--json", 'one JSON document: {"stopped", "pid"}')
    .action(async (flags: { readonly data: string; readonly json?: boolean }) => {
      const { stopAccounts } = await import("../accounts/end.ts");
      const stopped = await stopAccounts(cli, flags.data);
      printResult(cli, flags, {
        value: { stopped: stopped !== undefined, ...(stopped && { pid: stopped.pid }) },
        lines: [
          stopped
            ? `Stopped (process ${stopped.pid}). State stays in ${flags.data}; \`omx local start\` goes on with it.`
            : `No local accounts run on ${flags.data}.`,
        ],
      });
    });
}
