import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { startDetached } from "../accounts/detach.ts";
import { findRunning, type Running } from "../accounts/data-dir.ts";
import type { KeptOptions } from "../accounts/kept-options.ts";
import { type Cli, printResult, Problem } from "../cli.ts";
import { account, DEFAULT_PORT, port, region, upstream } from "../options.ts";

interface StartFlags extends KeptOptions {
  readonly detach?: boolean;
  readonly port: number;
  readonly data: string;
  readonly json?: boolean;
  readonly upstream?: Readonly<Record<string, string>>;
  readonly account?: NonNullable<KeptOptions["accounts"]>;
}

/** `omx local start` */
export function localStart(group: Command, cli: Cli): void {
  group
    .command("start")
    .summary("start the local accounts")
    .description(
      "Starts the local accounts, and resumes what was interrupted when they ended last. Runs until Ctrl-C; with --detach in the background.",
    )
    .option("--detach", "start in the background and return when they answer; the log goes to local.log in the data folder")
    .option("--port <n>", "port on 127.0.0.1; 0 takes a free one", port, DEFAULT_PORT)
    .option("--data <dir>", "folder of all state", cli.settings.dataDir)
    .option("--region <region>", "region of the written profiles (default: us-east-1) *", region)
    .option("--upstream <host=url>", "read a registry's images from elsewhere, as in quay.io=http://127.0.0.1:5001; repeatable *", upstream)
    .option("--account <id=name>", "the accounts instead of 111122223333=cicd and 444455556666=production; repeatable *", account)
    .addOption(
      new Option("--containers <how>", "where tasks and RUN lines execute; auto asks the machine (default: auto) *").choices([
        "auto",
        "docker",
        "podman",
        "host",
      ]),
    )
    .option("--json", "one JSON document: url, port, pid, dataDir, configFile, accounts")
    .addHelpText(
      "after",
      '\n* is remembered in the data folder for the next start, until `omx local reset`.\n\nExamples:\n  omx local start --detach\n  eval "$(omx local env --profile cicd)" && aws sts get-caller-identity',
    )
    .action((flags: StartFlags) => start(cli, flags));
}

async function start(cli: Cli, flags: StartFlags): Promise<void> {
  const running = findRunning(flags.data);
  if (running)
    throw new Problem(
      `the local accounts of ${flags.data} run already: ${running.url}, process ${running.pid}`,
      "use them as they are (`omx local env`), stop them with `omx local stop`, or choose another folder with --data",
    );
  if (flags.detach) return tell(cli, flags, await startDetached(cli, flags.data, repeated(flags)));
  const options = {
    ...(flags.region && { region: flags.region }),
    ...(flags.upstream && { upstreams: { ...flags.upstream } }),
    ...(flags.account && { accounts: [...flags.account] }),
    ...(flags.containers && { containers: flags.containers }),
  };
  // The services are loaded only by who serves: every other command starts without them.
  const { serveAccounts } = await import("../accounts/serve.ts");
  await serveAccounts(cli, { dataDir: flags.data, port: flags.port, ...options }, (ready) => tell(cli, flags, ready));
}

function tell(cli: Cli, flags: StartFlags, { startedAt: _mark, ...running }: Running): void {
  const { url, pid, configFile, accounts, dataDir } = running;
  printResult(cli, flags, {
    value: running,
    lines: [
      `The local accounts answer at ${url} (process ${pid}, state in ${dataDir}).`,
      ...accounts.map(({ id, name, profile }) => `  ${id} ${name.padEnd(10)} --profile ${profile}`),
      `Use them:  export AWS_CONFIG_FILE=${configFile}`,
      flags.detach
        ? `Stop them: omx local stop${resolve(flags.data) === resolve(cli.settings.dataDir) ? "" : ` --data ${flags.data}`}`
        : "Stop them: Ctrl-C",
    ],
  });
}

/** The flags as they are given to the process in the background. */
const repeated = (flags: StartFlags): readonly string[] => [
  "--json",
  "--port",
  String(flags.port),
  "--data",
  flags.data,
  ...(flags.region ? ["--region", flags.region] : []),
  ...Object.entries(flags.upstream ?? {}).flatMap(([host, url]) => ["--upstream", `${host}=${url}`]),
  ...(flags.account ?? []).flatMap(({ id, name }) => ["--account", `${id}=${name}`]),
  ...(flags.containers ? ["--containers", flags.containers] : []),
];
