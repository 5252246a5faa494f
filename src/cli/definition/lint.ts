import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseOmxYaml } from "../../release/project/omx-yaml.ts";
import { unread } from "../../workflow/inspect.ts";
import type { Engine } from "../../workflow/inspection.ts";
import { formatLint, type LintFormat } from "../../workflow/lint/format.ts";
import type { LintContext } from "../../workflow/lint/general.ts";
import { lint, lintInspection } from "../../workflow/lint/lint.ts";
import { openDefinition } from "../../workflow/open-definition.ts";
import { type Cli, NotDone } from "../cli.ts";
import { definitionAt } from "./named.ts";

export interface LintFlags {
  readonly format: LintFormat;
  readonly json?: boolean;
  readonly main?: string;
  readonly engine?: Engine;
  readonly strict?: boolean;
}

/** Prints what the rules say of a definition. @throws NotDone when that is bad enough */
export async function lintOne(cli: Cli, named: string, flags: LintFlags): Promise<void> {
  const path = definitionAt(named, flags.engine);
  const { tree, main, problem } = await openDefinition(path);
  const project = projectAt(path);
  const asked = { main: flags.main ?? main ?? project.main, engine: flags.engine ?? project.engine };
  const linted = problem ? lintInspection(tree, unread(problem)) : lint(tree, asked, project.context);
  cli.out(formatLint(linted, flags.json ? "json" : flags.format));
  if (linted.diagnostics.some(({ severity }) => severity === "error" || (flags.strict && severity === "warning"))) throw new NotDone();
}

/** What an omx.yaml says of the definition beside it. */
export interface ProjectFacts {
  readonly main?: string | undefined;
  readonly engine?: Engine | undefined;
  readonly context: LintContext;
}

/** What the omx.yaml of a folder says of its definition. */
export function projectAt(path: string): ProjectFacts {
  if (/\.zip$/i.test(path)) return { context: { zipBytes: statSync(path).size } };
  const file = join(path, "omx.yaml");
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory() || !existsSync(file)) return { context: {} };
  const { main, engine, readme } = parseOmxYaml(readFileSync(file, "utf8"));
  return { main, engine: engine === "WDL_LENIENT" ? "WDL" : engine, context: { areImagesStaged: true, ...(readme && { readme }) } };
}
