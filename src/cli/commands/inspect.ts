import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import type { InspectFlags } from "../definition/inspect.ts";

/** `omx inspect` */
export function inspect(program: Command, cli: Cli): void {
  program
    .command("inspect")
    .argument("<path>", "a folder, a ZIP or a main file")
    .summary("engine, main file, parameters and images of a workflow")
    .description(
      "Reads a WDL, Nextflow or CWL definition without running it: what HealthOmics would detect and store, the types of the parameters, and every image that a task can use.",
    )
    .option("--main <file>", "the main file, relative to PATH")
    .addOption(new Option("--engine <engine>", "the engine").choices(["WDL", "NEXTFLOW", "CWL"]))
    .option("--all", "every workflow below PATH as if it were the main file of its repository; with --json one document a line")
    .option(
      "--json",
      "one JSON document: path, engine, languageVersion, main, name, version, parameterTemplate, parameters, images, unresolved, diagnostics",
    )
    .addHelpText(
      "after",
      "\nExit code 1 when engine or main file can't be told, or the main file is empty or no text. `omx lint` and `omx check` judge the definition.",
    )
    .action(async (path: string, flags: InspectFlags) => {
      const { inspectEach, inspectOne } = await import("../definition/inspect.ts");
      await (flags.all ? inspectEach : inspectOne)(cli, path, flags);
    });
}
