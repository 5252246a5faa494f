import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import type { LintFlags } from "../definition/lint.ts";

/** `omx lint` */
export function lint(program: Command, cli: Cli): void {
  program
    .command("lint")
    .argument("<path>", "a folder, a ZIP or a main file")
    .summary("what HealthOmics refuses, or silently does differently")
    .description(
      "Judges a definition by the rules of docs/rules.md. A comment `omx-ignore: RULE reason` takes a finding back. An omx.yaml beside the definition is used: its main file, its registry map, and that a release stages the images.",
    )
    .addOption(new Option("--format <format>", "what to print").choices(["human", "json", "sarif"]).default("human"))
    .option("--json", "the same as --format json")
    .option("--main <file>", "the main file, relative to PATH")
    .addOption(new Option("--engine <engine>", "the engine").choices(["WDL", "NEXTFLOW", "CWL"]))
    .option("--strict", "warnings fail it too")
    .addHelpText("after", "\nExit code 1 when there is an error (with --strict also a warning).")
    .action(async (path: string, flags: LintFlags) => {
      const { lintOne } = await import("../definition/lint.ts");
      await lintOne(cli, path, flags);
    });
}
