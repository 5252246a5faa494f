import { settingAt } from "../config/settings.ts";
import { openedChoices } from "../evaluate/choices.ts";
import type { Choice, Scope, Value } from "../evaluate/types.ts";
import { isClosure, isList, isMap, isUnknown, textOf, truth } from "../evaluate/values.ts";
import { chooseFirst, type Directive } from "../images/directives.ts";
import type { Task } from "../images/containers.ts";
import type { Pipeline } from "../pipeline.ts";
import { PROJECT_MARK, report, type Project } from "../project.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { walk } from "../syntax/walk.ts";

/** All that HealthOmics exports of what processes publish. */
const PUBLISHED = "/mnt/workflow/pubdir";

/** Whether what tasks and the workflow publish reaches the run's output. */
export function checkOutputs(project: Project, pipeline: Pipeline): void {
  for (const task of pipeline.tasks) {
    for (const { value, inputs, file, offset } of published(task)) checkPath(project, { value, inputs, file, offset });
  }
  for (const statement of pipeline.main.file.statements) {
    if (statement.kind === "expression") checkOutputBlock(project, pipeline.main.file, [statement]);
  }
  checkTrace(project, pipeline);
}

type Published = Pick<Choice, "value" | "inputs" | "file" | "offset">;

/** The folders a task publishes to: those a selector sets instead of the script's. */
function published({ configured, directives, scope }: Task): readonly Published[] {
  const selected = configured.settings.get("publishDir");
  const own = directives.filter(({ name, conditions }) => name === "publishDir" && conditions.length === 0);
  if (selected?.how === "selector" || own.length === 0) {
    const choices = selected === undefined ? [] : openedChoices(selected.setting.choices, scope).slice(0, 1);
    return choices.flatMap((choice) => pathsIn(choice, scope));
  }
  return own.flatMap((directive) => ownPath(directive, scope));
}

function ownPath(directive: Directive, scope: Scope): readonly Published[] {
  const path = directive.args.find(({ name }) => name === "path") ?? directive.args.find(({ name }) => name === undefined);
  const enabled = directive.args.find(({ name }) => name === "enabled")?.value;
  if (path === undefined || (enabled !== undefined && truth(evaluate(enabled, directive.scope)) === false)) return [];
  const choices = chooseFirst({ ...directive, args: [{ value: path.value }] }, scope.builtin).slice(0, 1);
  return choices
    .flatMap((choice) => pathsIn(choice, scope))
    .map((each) => ({ ...each, file: directive.scope.file, offset: directive.offset }));
}

/** A path, a map with one, or a list of these. */
function pathsIn(choice: Published, scope: Scope): readonly Published[] {
  const { value } = choice;
  if (isList(value)) return value.flatMap((each) => pathsIn({ ...choice, value: each }, scope));
  if (isMap(value)) {
    const enabled = value.get("enabled") ?? true;
    const path = value.get("path") ?? null;
    return path === null || truth(enabled) === false ? [] : pathsIn({ ...choice, value: path }, scope);
  }
  if (!isClosure(value)) return value === null || typeof value === "boolean" ? [] : [choice];
  const called = openedChoices([{ ...choice, conditions: [], how: "closure" }], scope)[0];
  return called === undefined || isClosure(called.value) ? [] : [{ ...choice, value: called.value, inputs: called.inputs }];
}

function checkPath(project: Project, { value, inputs, file, offset }: Published): void {
  const known = knownStart(value);
  if (known === undefined || isInside(known)) return;
  const input = isUnknown(value) ? value.inputs[0] : inputs[0];
  const say = (message: string, severity: "warning" | "info"): void =>
    report(project, { rule: "nextflow-publish-dir", severity, file, offset, message });
  if (known === "") {
    if (input !== undefined)
      say(`what is published here reaches the output only when the run sets ${input} to ${PUBLISHED} or a folder below it`, "info");
    return;
  }
  const path = known.replaceAll(/\/?\u0001(?:project|root)/g, "${projectDir}");
  const remedy = input === undefined ? `write ${PUBLISHED}` : `set ${input} to ${PUBLISHED}`;
  say(
    `this publishes to ${path}, and HealthOmics exports ${PUBLISHED} alone: the run completes and its output is lost; ${remedy}`,
    "warning",
  );
}

/** The text, or as much of its beginning as is known; undefined where it is no path. */
function knownStart(value: Value): string | undefined {
  if (isUnknown(value)) return value.prefix ?? (value.inputs.length > 0 ? "" : undefined);
  return textOf(value);
}

const isInside = (path: string): boolean =>
  path === PUBLISHED || path.startsWith(`${PUBLISHED}/`) || (path !== "" && PUBLISHED.startsWith(path) && path.startsWith("/mnt"));

/** `output { x { path '/absolute' } }`: from 25.10 on HealthOmics wants relative paths there. */
function checkOutputBlock(project: Project, file: SourceFile, statements: Parameters<typeof walk>[0]): void {
  walk(statements, (expr) => {
    if (expr.kind !== "call" || expr.callee.kind !== "name" || expr.callee.name !== "output") return false;
    const body = expr.args.at(-1)?.value;
    if (body?.kind === "closure") walk(body.body, (inner) => checkOutputPath(project, file, inner));
    return false;
  });
}

function checkOutputPath(project: Project, file: SourceFile, expr: Parameters<Parameters<typeof walk>[1]>[0]): void {
  if (expr.kind !== "call" || expr.callee.kind !== "name" || expr.callee.name !== "path") return;
  const value = expr.args[0]?.value;
  const text =
    value?.kind === "literal"
      ? String(value.value)
      : value?.kind === "template" && typeof value.parts[0] === "string"
        ? value.parts[0]
        : "";
  if (!text.startsWith("/") && !text.startsWith(PROJECT_MARK)) return;
  const message = `the path ${text} of an output is absolute; HealthOmics exports it only relative to the output folder`;
  report(project, { rule: "nextflow-output-path", severity: "error", file, offset: expr.start, message });
}

/** Reports ask each task's image for `ps`. */
function checkTrace(project: Project, { config }: Pipeline): void {
  for (const name of ["trace", "report", "timeline"]) {
    const setting = settingAt(config.root, name, "enabled");
    const choice = setting?.choices[0];
    if (setting === undefined || choice === undefined || truth(choice.value) !== true) continue;
    const message = `${name}.enabled makes Nextflow run \`ps\` in every task: each image needs it (Debian's package procps)`;
    report(project, { rule: "nextflow-image-needs-ps", severity: "info", file: choice.file, offset: setting.offset, message });
  }
}
