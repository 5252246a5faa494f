import type { Command } from "commander";
import { type Cli, printResult } from "../cli.ts";
import { port, PROFILE_HELP, region } from "../options.ts";

interface ConsoleFlags {
  readonly profile?: string;
  readonly region?: string;
  readonly port: number;
  readonly json?: boolean;
}

const DEFAULT_PORT = 4578;

/** `omx console` */
export function consoleCommand(program: Command, cli: Cli): void {
  program
    .command("console")
    .summary("the review page: releases, their evidence, approve or reject")
    .description(
      "Serves the review page on this machine, as the identity chosen: an approver approves or rejects there, others look. It asks nobody for a password, so it answers on loopback alone. Runs until Ctrl-C.",
    )
    .option("--port <n>", "port on 127.0.0.1; 0 takes a free one", port, DEFAULT_PORT)
    .option("--profile <name>", `${PROFILE_HELP}; of the local accounts \`approver\``)
    .option("--region <region>", "region of the cicd account", region)
    .option("--json", "one JSON document: url, reportsUrl")
    .action((flags: ConsoleFlags) => serve(cli, flags));
}

async function serve(cli: Cli, flags: ConsoleFlags): Promise<void> {
  const { ALL_SERVICES } = await import("../../aws/clients.ts");
  const { startConsole } = await import("../../console/console.ts");
  const { openSession } = await import("../aws/session.ts");
  const session = await openSession(cli, { localProfile: "approver", ...flags }, ALL_SERVICES);
  const served = await startConsole({
    clients: session.clients,
    region: session.place.region,
    account: session.place.account,
    port: flags.port,
    clock: cli.clock,
  });
  const { url, reportsUrl } = served;
  printResult(cli, flags, { value: { url, reportsUrl }, lines: [`The review page: ${url}  (as ${session.arn})`, "Stop it: Ctrl-C"] });
  await cli.untilStopped();
  await served.close();
}
