import { openFolder } from "../../workflow/folder-tree.ts";
import { inspect, inspectAll, toJson, unread } from "../../workflow/inspect.ts";
import type { Diagnostic, Engine, Inspection } from "../../workflow/inspection.ts";
import { folded } from "../../workflow/lint/format.ts";
import { openDefinition } from "../../workflow/open-definition.ts";
import { type Cli, NotDone, printResult, table } from "../cli.ts";
import type { ProjectFacts } from "./lint.ts";
import { definitionAt, folderAt, repositoryAt } from "./named.ts";

export interface InspectFlags {
  readonly main?: string;
  readonly engine?: Engine;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Prints what one definition says of itself. @throws NotDone when its engine or main file can't be told, or that is empty or no text */
export async function inspectOne(cli: Cli, path: string, flags: InspectFlags): Promise<void> {
  const { tree, main, problem } = await openDefinition(definitionAt(path, flags.engine));
  const project = await projectOf(path);
  const inspection = problem
    ? unread(problem)
    : inspect(tree, { main: flags.main ?? main ?? project.main, engine: flags.engine ?? project.engine });
  printResult(cli, flags, { value: toJson(inspection), lines: describe(inspection) });
  if (!inspection.engine || inspection.hasNoText) throw new NotDone();
}

/** Of a folder it is told what HealthOmics would detect; who names an omx.yaml asks for what that says. */
async function projectOf(path: string): Promise<Pick<ProjectFacts, "main" | "engine">> {
  const folder = repositoryAt(path);
  if (folder === path) return {};
  const { projectAt } = await import("./lint.ts");
  return projectAt(folder);
}

/** Prints every workflow of a folder, as it is read. */
export async function inspectEach(cli: Cli, root: string, { json }: InspectFlags): Promise<void> {
  for (const inspection of inspectAll(openFolder(folderAt(root)))) {
    if (json) cli.out(`${JSON.stringify(toJson(inspection))}\n`);
    else cli.out(`${summaryOf(inspection)}\n`);
  }
}

const summaryOf = ({ path, engine, parameters, images, diagnostics }: Inspection): string =>
  `${path}: ${engine ?? "?"}, ${counted(parameters.length, "parameter")}, ${counted(images.length, "image")}, ${counted(diagnostics.filter(({ severity }) => severity === "error").length, "error")}`;

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function describe(inspection: Inspection): readonly string[] {
  const { engine, languageVersion, main, name, parameters, images, unresolved, diagnostics } = inspection;
  return [
    ...(engine ? [`${name ?? main}: ${engine}${languageVersion ? ` ${languageVersion}` : ""}, main file ${main}`] : []),
    ...section(
      "Parameters",
      parameters.map((each) => [each.name, each.type, each.optional ? "optional" : "required", `${each.file}:${each.line}`]),
    ),
    ...section(
      "Images",
      images.map((each) => [
        each.image,
        each.task,
        `${each.file}:${each.line}`,
        [each.how, each.condition && `when ${each.condition}`, each.input && `input ${each.input}`].filter(Boolean).join(", "),
      ]),
    ),
    ...section(
      "Images that an input decides",
      unresolved.map((each) => [each.patterns?.join(", ") ?? each.expression, each.task, `${each.file}:${each.line}`, each.input ?? ""]),
    ),
    ...section(
      "Findings",
      folded(diagnostics).map((each) => [place(each), each.severity, `${each.message} [${each.rule}]`]),
    ),
  ];
}

const section = (title: string, rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : ["", title, ...table(rows).map((row) => `  ${row}`)];

const place = ({ file, line, column }: Diagnostic): string => (file === "" ? "definition" : `${file}:${line}:${column}`);
