import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { parseOmxYaml } from "../../release/project/omx-yaml.ts";
import { unread } from "../../workflow/inspect.ts";
import type { Engine } from "../../workflow/inspection.ts";
import { formatLint, type LintFormat } from "../../workflow/lint/format.ts";
import type { LintContext } from "../../workflow/lint/general.ts";
import { lint as lintTree, lintInspection } from "../../workflow/lint/lint.ts";
import { openDefinition } from "../../workflow/open-definition.ts";
import { type Cli, NotDone } from "../cli.ts";

interface LintFlags {
  readonly format: LintFormat;
  readonly json?: boolean;
  readonly main?: string;
  readonly engine?: Engine;
  readonly strict?: boolean;
}

/** `omx lint` */
export function lint(program: Command, cli: Cli): void {
  program.command("lint").argument("<path>", "a folder, a ZIP or a main file").summary("what HealthOmics refuses, or silently does differently")
    .description("Judges a definition by the rules of docs/rules.md. A comment `omx-ignore: RULE reason` takes a finding back. An omx.yaml beside the definition is used: its main file, its registry map, and that a release stages the images.")
    .addOption(new Option("--format <format>", "what to print").choices(["human", "json", "sarif"]).default("human"))
    .option("--json", "the same as --format json")
    .option("--main <file>", "the main file, relative to PATH")
    .addOption(new Option("--engine <engine>", "the engine").choices(["WDL", "NEXTFLOW", "CWL"]))
    .option("--strict", "warnings fail it too")
    .addHelpText("after", "\nExit code 1 when there is an error (with --strict also a warning).")
    .action(async (path: string, flags: LintFlags) => {
      const { tree, main, problem } = await openDefinition(path);
      const project = projectAt(path);
      const asked = { main: flags.main ?? main ?? project.main, engine: flags.engine ?? project.engine };
      const linted = problem ? lintInspection(tree, unread(problem)) : lintTree(tree, asked, project.context);
      cli.out(formatLint(linted, flags.json ? "json" : flags.format));
      if (linted.diagnostics.some(({ severity }) => severity === "error" || (flags.strict && severity === "warning"))) throw new NotDone();
    });
}

interface ProjectFacts {
  readonly main?: string | undefined;
  readonly engine?: Engine | undefined;
  readonly context: LintContext;
}

function projectAt(path: string): ProjectFacts {
  if (/\.zip$/i.test(path)) return { context: { zipBytes: statSync(path).size } };
  const file = join(path, "omx.yaml");
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory() || !existsSync(file)) return { context: {} };
  const { main, engine, readme } = parseOmxYaml(readFileSync(file, "utf8"));
  return { main, engine: engine === "WDL_LENIENT" ? "WDL" : engine, context: { areImagesStaged: true, ...(readme && { readme }) } };
}
