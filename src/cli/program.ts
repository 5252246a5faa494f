import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { Cli } from "./cli.ts";

type Add = (program: Command, cli: Cli) => void;

/** The commands, in the order of the manual. Each is loaded when it is asked for: together they take four times as long. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  init: async () => (await import("./commands/init.ts")).init,
  check: async () => (await import("./commands/check.ts")).check,
  inspect: async () => (await import("./commands/inspect.ts")).inspect,
  lint: async () => (await import("./commands/lint.ts")).lint,
  local: async () => (await import("./commands/local.ts")).local,
  run: async () => (await import("./commands/run.ts")).run,
  publish: async () => (await import("./commands/publish.ts")).publish,
  images: async () => (await import("./commands/images.ts")).images,
  deploy: async () => (await import("./commands/deploy.ts")).deploy,
  workflow: async () => (await import("./commands/workflow.ts")).workflow,
  release: async () => (await import("./commands/release.ts")).release,
  console: async () => (await import("./commands/console.ts")).consoleCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
};

/** Of a manual, in characters; one at a narrower terminal is as wide as that. */
const WIDEST = 120;

/** The command line for these arguments: the one command that they name, or all of them. */
export async function buildProgram(cli: Cli, [named = ""]: readonly string[]): Promise<Command> {
  const width = (): number => Math.min(cli.columns ?? WIDEST, WIDEST);
  const program = new Command("omx")
    .description("Release engineering for AWS HealthOmics workflows, on AWS and on this machine.")
    .version(versionOf(cli.settings.root), "-V, --version", "print the version of omx")
    .helpOption("-h, --help", "print the manual of a command")
    .showHelpAfterError("(`omx help COMMAND` is the manual)")
    .showSuggestionAfterError()
    .configureOutput({ writeOut: cli.out, writeErr: (text) => cli.say(text.trimEnd()), getOutHelpWidth: width, getErrHelpWidth: width })
    .addHelpText("after", "\nExit codes: 0 done, 1 not done, 2 wrong usage. With --json stdout holds JSON alone.")
    .exitOverride();
  const asked = Object.hasOwn(COMMANDS, named) ? [named] : Object.keys(COMMANDS);
  for (const name of asked) (await COMMANDS[name]?.())?.(program, cli);
  return program;
}

const versionOf = (root: string): string =>
  (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }).version;
