import type { Command } from "commander";
import { findRunning } from "../accounts/data-dir.ts";
import { type Cli, NotDone, printResult } from "../cli.ts";

/** `omx local status` */
export function localStatus(group: Command, cli: Cli): void {
  group
    .command("status")
    .summary("whether the local accounts run, and where")
    .description("Says whether the local accounts run, and where they answer. Exit code 1 when they don't.")
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .option("--json", 'one JSON document: {"running"} and what `start --json` prints')
    .action(async (flags: { readonly data: string; readonly json?: boolean }) => {
      const found = findRunning(flags.data);
      const answers =
        found !== undefined &&
        (await fetch(found.url, { signal: AbortSignal.timeout(5000) }).then(
          () => true,
          () => false,
        ));
      const { startedAt: _mark, ...running } = found ?? {};
      printResult(cli, flags, {
        value: { running: answers, dataDir: flags.data, ...running },
        lines: found
          ? [
              `${found.url} ${answers ? "answers" : "does not answer (yet)"}: process ${found.pid}, state in ${found.dataDir}`,
              `AWS config file: ${found.configFile}`,
            ]
          : [`No local accounts run on ${flags.data}. Start them with: omx local start --detach`],
      });
      if (!answers) throw new NotDone();
    });
}
