import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { Cli } from "./cli.ts";
import { check } from "./commands/check.ts";
import { consoleCommand } from "./commands/console.ts";
import { deploy } from "./commands/deploy.ts";
import { doctor } from "./commands/doctor.ts";
import { images } from "./commands/images.ts";
import { init } from "./commands/init.ts";
import { inspect } from "./commands/inspect.ts";
import { lint } from "./commands/lint.ts";
import { local } from "./commands/local.ts";
import { publish } from "./commands/publish.ts";
import { release } from "./commands/release.ts";
import { run } from "./commands/run.ts";
import { workflow } from "./commands/workflow.ts";

/** The whole command line. */
export function buildProgram(cli: Cli): Command {
  const program = new Command("omx")
    .description("Release engineering for AWS HealthOmics workflows, on AWS and on this machine.")
    .version(versionOf(cli.settings.root), "-V, --version", "print the version of omx")
    .helpOption("-h, --help", "print the manual of a command")
    .showHelpAfterError("(`omx help COMMAND` is the manual)")
    .showSuggestionAfterError()
    .configureOutput({ writeOut: cli.out, writeErr: (text) => cli.say(text.trimEnd()), getOutHelpWidth: () => 120, getErrHelpWidth: () => 120 })
    .addHelpText("after", "\nExit codes: 0 done, 1 not done, 2 wrong usage. With --json stdout holds JSON alone.")
    .exitOverride();
  for (const add of [init, check, inspect, lint, local, run, publish, images, deploy, workflow, release, consoleCommand, doctor]) add(program, cli);
  return program;
}

const versionOf = (root: string): string => (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }).version;
