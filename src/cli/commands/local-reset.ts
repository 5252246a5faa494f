import { existsSync } from "node:fs";
import type { Command } from "commander";
import { hasState } from "../accounts/data-dir.ts";
import { type Cli, printResult, Problem } from "../cli.ts";

/** `omx local reset` */
export function localReset(group: Command, cli: Cli): void {
  group
    .command("reset")
    .summary("delete all state of the local accounts")
    .description(
      "Stops the local accounts, ends everything they started, and deletes all state: workflows, runs, repositories, buckets, images. Installed workflow engines stay.",
    )
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .option("--json", 'one JSON document: {"reset", "dataDir"}')
    .action(async (flags: { readonly data: string; readonly json?: boolean }) => {
      const { data } = flags;
      if (existsSync(data) && !hasState(data))
        throw new Problem(
          `${data} is not a data folder of local accounts: nothing was deleted`,
          "give the folder that `omx local start` used with --data",
        );
      const isThere = existsSync(data);
      if (isThere) {
        const { resetAccounts } = await import("../accounts/end.ts");
        await resetAccounts(cli, data);
      }
      printResult(cli, flags, {
        value: { reset: isThere, dataDir: data },
        lines: [isThere ? `All state in ${data} is deleted.` : `There is no state: ${data} does not exist.`],
      });
    });
}
