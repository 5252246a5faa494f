import { type Command, Option } from "commander";
import { openFolder } from "../../workflow/folder-tree.ts";
import { inspect as inspectTree, inspectAll, toJson, unread } from "../../workflow/inspect.ts";
import type { Diagnostic, Engine, Inspection } from "../../workflow/inspection.ts";
import { folded } from "../../workflow/lint/format.ts";
import { openDefinition } from "../../workflow/open-definition.ts";
import { type Cli, NotDone, printResult, table } from "../cli.ts";

interface InspectFlags {
  readonly main?: string;
  readonly engine?: Engine;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `omx inspect` */
export function inspect(program: Command, cli: Cli): void {
  program.command("inspect").argument("<path>", "a folder, a ZIP or a main file").summary("engine, main file, parameters and images of a workflow")
    .description("Reads a WDL, Nextflow or CWL definition without running it: what HealthOmics would detect and store, the types of the parameters, and every image that a task can use.")
    .option("--main <file>", "the main file, relative to PATH")
    .addOption(new Option("--engine <engine>", "the engine").choices(["WDL", "NEXTFLOW", "CWL"]))
    .option("--all", "every workflow below PATH as if it were the main file of its repository; with --json one document a line")
    .option("--json", "one JSON document: path, engine, languageVersion, main, name, version, parameterTemplate, parameters, images, unresolved, diagnostics")
    .addHelpText("after", "\nExit code 1 when engine or main file can't be told. `omx lint` and `omx check` judge the definition.")
    .action((path: string, flags: InspectFlags) => (flags.all ? everything(cli, path, flags) : one(cli, path, flags)));
}

async function one(cli: Cli, path: string, flags: InspectFlags): Promise<void> {
  const { tree, main, problem } = await openDefinition(path);
  const inspection = problem ? unread(problem) : inspectTree(tree, { main: flags.main ?? main, engine: flags.engine });
  printResult(cli, flags, { value: toJson(inspection), lines: describe(inspection) });
  if (!inspection.engine) throw new NotDone();
}

async function everything(cli: Cli, root: string, { json }: InspectFlags): Promise<void> {
  for (const inspection of inspectAll(openFolder(root))) {
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
    ...section("Parameters", parameters.map((each) => [each.name, each.type, each.optional ? "optional" : "required", `${each.file}:${each.line}`])),
    ...section("Images", images.map((each) => [each.image, each.task, `${each.file}:${each.line}`, [each.how, each.condition && `when ${each.condition}`, each.input && `input ${each.input}`].filter(Boolean).join(", ")])),
    ...section("Images that an input decides", unresolved.map((each) => [each.patterns?.join(", ") ?? each.expression, each.task, `${each.file}:${each.line}`, each.input ?? ""])),
    ...section("Findings", folded(diagnostics).map((each) => [place(each), each.severity, `${each.message} [${each.rule}]`])),
  ];
}

const section = (title: string, rows: readonly (readonly string[])[]): readonly string[] => (rows.length === 0 ? [] : ["", title, ...table(rows).map((row) => `  ${row}`)]);

const place = ({ file, line, column }: Diagnostic): string => (file === "" ? "definition" : `${file}:${line}:${column}`);
