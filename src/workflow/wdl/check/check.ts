/** What miniwdl, and so HealthOmics's linter, refuses of a document that can be read: types, names, calls. */
import type { Call, Conditional, Declaration, Expression, Finding, Scatter, Task, Workflow, WorkflowElement } from "../ast.ts";
import { callsIn, missingInput, resolveCall } from "../calls.ts";
import type { Document } from "../document.ts";
import { inputsOf } from "../interface.ts";
import { unknownStructs } from "../structs.ts";
import { ANY, BOOLEAN, parametersOf, printType, STRING, type Type, withOptional } from "../types.ts";
import { V1_2 } from "../version.ts";
import { coerces } from "./coercion.ts";
import { findCycle } from "./cycles.ts";
import { infer } from "./infer.ts";
import { beginChecking, calleeInputs, type Checking, finding, needsOf, type Node, type Place, scopeAt, TOP } from "./scope.ts";
import { taskType } from "./task-type.ts";
import { expectType, type Scope } from "./typing.ts";

const CHECKED = new WeakMap<Document, readonly Finding[]>();

/** The findings of one document, without those of its imports. A document that could not be read whole has none. */
export function checkDocument(document: Document): readonly Finding[] {
  const known = CHECKED.get(document);
  if (known) return known;
  const findings: Finding[] = [];
  if (document.complete) {
    checkNames(document, findings);
    checkStructTypes(document, findings);
    for (const task of document.syntax.tasks) checkTask(document, task, findings);
    for (const workflow of document.syntax.workflows) checkWorkflow(document, workflow, findings);
  }
  CHECKED.set(document, findings);
  return findings;
}

function checkNames({ syntax, imports }: Document, findings: Finding[]): void {
  const taken = (names: readonly { name: string; at: { start: number; end: number } }[], what: string): void => {
    const seen = new Set<string>();
    for (const { name, at } of names) {
      if (seen.has(name)) findings.push(finding("wdl-duplicate-name", `there is already ${what} named "${name}"`, at));
      seen.add(name);
    }
  };
  taken(
    imports.map((each) => ({ name: each.syntax.namespace, at: each.syntax })),
    "an import",
  );
  taken(
    [...syntax.tasks, ...syntax.workflows].map((unit) => ({ name: unit.name, at: unit })),
    "a task or workflow",
  );
  const [, second] = syntax.workflows;
  if (second) findings.push(finding("wdl-duplicate-name", "a document has at most one workflow", second));
}

function checkStructTypes(document: Document, findings: Finding[]): void {
  for (const struct of document.syntax.structs) {
    for (const member of struct.members) checkType(document.structs.get(struct.name)?.members.get(member.name) ?? ANY, member, findings);
  }
}

function checkType(type: Type, at: Declaration, findings: Finding[]): void {
  for (const name of new Set(unknownStructs(type))) findings.push(finding("wdl-struct", `there is no type "${name}"${adviceOn(name)}`, at));
}

/** Types that other engines and versions have. */
function adviceOn(name: string): string {
  if (name === "Directory") return " in this version: write version development";
  return name === "Object" ? ": HealthOmics does not have it; declare a struct" : "";
}

function checkTask(document: Document, task: Task, findings: Finding[]): void {
  const checking = beginChecking(document, task, findings);
  const scope = scopeAt(checking, TOP);
  for (const declaration of [...(task.inputs ?? []), ...task.declarations]) checkDeclaration(checking, declaration, scope);
  if (task.inputs) for (const declaration of task.declarations) requireValue(declaration, findings);
  for (const attribute of task.runtime) infer(attribute.value, scope);
  const within = (where: "command" | "outputs"): Scope => (document.rank >= V1_2 ? withTask(scope, taskType(task, where)) : scope);
  if (task.command) infer(task.command, within("command"));
  checkOutputs(checking, task.outputs, { ...within("outputs"), inTaskOutput: true });
  checkKeys(document, [...inputsOf(task), ...task.outputs], findings);
  reportCycle(checking);
}

const withTask = (scope: Scope, type: Type): Scope => ({
  ...scope,
  typeOf: (name) => scope.typeOf(name) ?? (name === "task" ? type : undefined),
});

function checkDeclaration(checking: Checking, declaration: Declaration, scope: Scope): void {
  const type = checking.document.typeOf(declaration);
  checkType(type, declaration, checking.findings);
  if (declaration.value) checkValue(checking, declaration, { value: declaration.value, type, scope });
}

function checkValue(checking: Checking, node: Node, { value, type, scope }: { value: Expression; type: Type; scope: Scope }): void {
  checking.current = node;
  needsOf(checking, node);
  const found = infer(value, scope);
  if (found) expectType(scope, value, { type: found, expected: type });
  checking.current = undefined;
}

function requireValue(declaration: Declaration, findings: Finding[]): void {
  if (declaration.value || declaration.type.optional) return;
  findings.push(finding("wdl-unbound-declaration", `"${declaration.name}" has no value and is not in the input section`, declaration));
}

/** Outputs see each other, and in a task also those further down. */
function checkOutputs(checking: Checking, outputs: readonly Declaration[], scope: Scope): void {
  const { document, findings } = checking;
  const isTask = checking.unit.kind === "task";
  const seen = new Map<string, Declaration>();
  const visible = new Map(isTask ? outputs.map((output) => [output.name, output]) : []);
  const inner: Scope = {
    ...scope,
    typeOf(name) {
      const output = visible.get(name);
      if (output && checking.current) needsOf(checking, checking.current).add(output);
      return output ? document.typeOf(output) : scope.typeOf(name);
    },
  };
  for (const output of outputs) {
    if (seen.has(output.name) || checking.entries.has(output.name))
      findings.push(finding("wdl-duplicate-name", `"${output.name}" is already the name of another value or call`, output));
    seen.set(output.name, output);
    checkDeclaration(checking, output, inner);
    visible.set(output.name, output);
  }
}

/** A map in an input or output is written as JSON: its keys must be texts or become texts. */
function checkKeys(document: Document, declarations: readonly Declaration[], findings: Finding[]): void {
  for (const declaration of declarations) {
    const type = document.typeOf(declaration);
    if (hasForeignKeys(type, 0))
      findings.push(finding("wdl-type", `"${declaration.name}": the keys of ${printType(type)} cannot be written as JSON`, declaration));
  }
}

/** Deeper structs are not looked into: they may hold themselves. */
const MAX_KEY_DEPTH = 6;

function hasForeignKeys(type: Type, depth: number): boolean {
  if (depth > MAX_KEY_DEPTH) return false;
  if (type.kind === "Map" && !(coerces(type.key, STRING) && coerces(STRING, type.key))) return true;
  return parametersOf(type).some((part) => hasForeignKeys(part, depth + 1));
}

function checkWorkflow(document: Document, workflow: Workflow, findings: Finding[]): void {
  const checking = beginChecking(document, workflow, findings);
  const scope = scopeAt(checking, TOP);
  for (const input of workflow.inputs ?? []) checkDeclaration(checking, input, scope);
  checkBody(checking, workflow.body, TOP);
  checkOutputs(checking, workflow.outputs ?? [], scope);
  checkKeys(document, [...inputsOf(workflow), ...(workflow.outputs ?? [])], findings);
  checkOutputNames(workflow, scope, findings);
  reportCycle(checking);
}

function checkOutputNames(workflow: Workflow, scope: Scope, findings: Finding[]): void {
  for (const { path, ...at } of workflow.outputNames) {
    const [first = "", second] = path;
    const outputs = scope.outputsOf(first);
    const isThere = second === undefined ? scope.typeOf(first) : outputs && (second === "*" || outputs.has(path.slice(1).join(".")));
    if (!isThere) findings.push(finding("wdl-unknown-name", `nothing is called "${path.join(".")}" here`, at));
  }
}

function checkBody(checking: Checking, body: readonly WorkflowElement[], place: Place): void {
  const scope = scopeAt(checking, place);
  for (const element of body) {
    const section = place.sections.at(-1);
    if (section) needsOf(checking, element).add(section);
    if (element.kind === "call") checkCall(checking, element, scope);
    else if (element.kind === "declaration") {
      if (checking.unit.inputs || section) requireValue(element, checking.findings);
      checkDeclaration(checking, element, scope);
    } else checkBody(checking, element.body, enter(checking, element, place));
  }
}

/** Checks what a section is opened with, and gives the place inside it. */
function enter(checking: Checking, section: Scatter | Conditional, place: Place): Place {
  const scope = scopeAt(checking, { ...place, opening: section });
  const sections = [...place.sections, section];
  checking.current = section;
  needsOf(checking, section);
  const expression = section.kind === "if" ? section.condition : section.over;
  const type = infer(expression, scope);
  checking.current = undefined;
  if (section.kind === "if") {
    if (type && !coerces(type, BOOLEAN)) scope.report("wdl-type", `a condition is a Boolean, this is ${printType(type)}`, expression);
    return { ...place, sections };
  }
  if (checking.entries.has(section.variable) || place.variables.has(section.variable))
    checking.findings.push(finding("wdl-duplicate-name", `"${section.variable}" is already the name of another value or call`, section));
  if (type && (type.kind !== "Array" || type.item.kind === "Any"))
    scope.report("wdl-type", `scatter goes over an array, this is ${printType(type)}`, expression);
  const item = type?.kind === "Array" ? type.item : ANY;
  return { sections, variables: new Map(place.variables).set(section.variable, item) };
}

function checkCall(checking: Checking, call: Call, scope: Scope): void {
  const { document, findings, unit } = checking;
  if (call.name === unit.name) findings.push(finding("wdl-duplicate-name", "a call cannot have the workflow's own name", call));
  const callee = resolveCall(document, call);
  if (!callee) {
    findings.push(finding("wdl-unknown-call", `there is no task or workflow "${call.target.join(".")}"`, call));
    return;
  }
  if (callee.unit.kind === "workflow") checkCallable(callee.document, callee.unit, { call, findings });
  checkAfter(checking, call);
  const inputs = calleeInputs(callee.unit);
  for (const { name, value, ...at } of call.inputs) {
    const input = inputs.get(name);
    if (!input) findings.push(finding("wdl-unknown-input", `${call.target.join(".")} has no input "${name}"`, at));
    else {
      const type = callee.document.typeOf(input);
      checkValue(checking, call, { value, type: input.value ? withOptional(type, true) : type, scope });
    }
  }
}

function checkAfter(checking: Checking, call: Call): void {
  for (const name of call.after) {
    const entry = checking.entries.get(name);
    if (entry?.element.kind === "call") needsOf(checking, call).add(entry.element);
    else checking.findings.push(finding("wdl-unknown-call", `there is no call "${name}" to wait for`, call));
  }
}

/** A workflow can be called when its own calls want for nothing and its outputs are declared. */
function checkCallable(document: Document, workflow: Workflow, { call, findings }: { call: Call; findings: Finding[] }): void {
  const incomplete = callsIn(workflow.body).find((inner) => missingInput(document, inner) !== undefined);
  if (incomplete) {
    const message = `workflow ${workflow.name} cannot be called: its call ${incomplete.name} lacks the input "${missingInput(document, incomplete)}"`;
    findings.push(finding("wdl-uncallable-workflow", message, call));
  } else if (!workflow.outputs && callsIn(workflow.body).some((inner) => (resolveCall(document, inner)?.unit.outputs?.length ?? 0) > 0)) {
    findings.push(finding("wdl-uncallable-workflow", `workflow ${workflow.name} cannot be called: it has no output section`, call));
  }
}

function reportCycle(checking: Checking): void {
  const found = findCycle(checking.needs);
  if (!found) return;
  const name = found.kind === "declaration" || found.kind === "call" ? `"${found.name}"` : "this section";
  checking.findings.push(finding("wdl-circular", `${name} depends on itself`, found));
}
