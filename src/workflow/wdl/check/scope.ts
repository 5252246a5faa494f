/** What the names in a workflow or task mean, and which declaration, call or section needs which. */
import type { Call, Conditional, Declaration, Finding, Scatter, Span, Task, Workflow, WorkflowElement } from "../ast.ts";
import { resolveCall } from "../calls.ts";
import type { Document } from "../document.ts";
import { inputsOf } from "../interface.ts";
import { arrayOf, type Type, withOptional } from "../types.ts";
import type { Scope } from "./typing.ts";

type Section = Scatter | Conditional;
/** What can depend on another: a value, a call, or a section (on what its condition or array needs). */
export type Node = Declaration | Call | Section;

interface Entry {
  readonly element: Declaration | Call;
  readonly sections: readonly Section[];
}

/** The checking of one workflow or task. */
export interface Checking {
  readonly document: Document;
  readonly unit: Workflow | Task;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly needs: Map<Node, Set<Node>>;
  readonly findings: Finding[];
  /** The element whose expressions are being looked at. */
  current: Node | undefined;
}

/** Collects the names of a workflow or task, and reports those that are taken. */
export function beginChecking(document: Document, unit: Workflow | Task, findings: Finding[]): Checking {
  const entries = new Map<string, Entry>();
  const add = (element: Declaration | Call, sections: readonly Section[]): void => {
    if (entries.has(element.name))
      findings.push(finding("wdl-duplicate-name", `"${element.name}" is already the name of another value or call`, element));
    else entries.set(element.name, { element, sections });
  };
  const addAll = (elements: readonly WorkflowElement[], sections: readonly Section[]): void => {
    for (const element of elements) {
      if (element.kind === "scatter" || element.kind === "if") addAll(element.body, [...sections, element]);
      else add(element, sections);
    }
  };
  addAll(unit.inputs ?? [], []);
  addAll(unit.kind === "task" ? unit.declarations : unit.body, []);
  return { document, unit, entries, needs: new Map(), findings, current: undefined };
}

export const finding = (rule: string, message: string, { start, end }: Span): Finding => ({ rule, message, start, end });

/** The place of an expression: which sections are around it, and what their scatter variables are. */
export interface Place {
  readonly sections: readonly Section[];
  readonly variables: ReadonlyMap<string, Type>;
  /** The section whose condition or array it is: what stands in that section is not there for it. */
  readonly opening?: Section;
}

export const TOP: Place = { sections: [], variables: new Map() };

export function scopeAt(checking: Checking, place: Place): Scope {
  const { document, entries, findings } = checking;
  const entryOf = (name: string): Entry | undefined => {
    const entry = entries.get(name);
    return entry && place.opening && entry.sections.includes(place.opening) ? undefined : entry;
  };
  return {
    rank: document.rank,
    structs: document.structs,
    typeOf(name) {
      const variable = place.variables.get(name);
      if (variable) return variable;
      const entry = entryOf(name);
      if (entry?.element.kind !== "declaration") return undefined;
      need(checking, entry);
      return seenFrom(place, entry, document.typeOf(entry.element));
    },
    outputsOf(name) {
      const entry = entryOf(name);
      if (entry?.element.kind !== "call") return undefined;
      need(checking, entry);
      const outputs = callOutputs(document, entry.element);
      return new Map([...outputs].map(([output, type]) => [output, seenFrom(place, entry, type)]));
    },
    report: (rule, message, at) => findings.push(finding(rule, message, at)),
  };
}

/** Remembers that what is being checked needs `entry`, and so all that the sections around that need. */
function need(checking: Checking, entry: Entry): void {
  if (checking.current) needsOf(checking, checking.current).add(entry.element);
}

export function needsOf(checking: Checking, node: Node): Set<Node> {
  const needs = checking.needs.get(node) ?? new Set<Node>();
  checking.needs.set(node, needs);
  return needs;
}

/** Outside its sections a value is an array (scatter) or may be absent (conditional). */
function seenFrom(place: Place, entry: Entry, type: Type): Type {
  let seen = type;
  for (let depth = entry.sections.length - 1; depth >= 0; depth -= 1) {
    const section = entry.sections[depth];
    if (section === place.sections[depth]) break;
    seen = section?.kind === "scatter" ? arrayOf(seen) : withOptional(seen, true);
  }
  return seen;
}

const OUTPUTS = new WeakMap<Workflow | Task, ReadonlyMap<string, Type>>();

/** The outputs of a call with their types; of a draft-2 workflow those of its calls, `call.out`. */
export function callOutputs(document: Document, call: Call): ReadonlyMap<string, Type> {
  const callee = resolveCall(document, call);
  if (!callee) return new Map();
  const outputs = unitOutputs(callee.document, callee.unit);
  return call.tolerant ? new Map([...outputs].map(([name, type]) => [name, withOptional(type, true)])) : outputs;
}

function unitOutputs(document: Document, unit: Workflow | Task): ReadonlyMap<string, Type> {
  const known = OUTPUTS.get(unit);
  if (known) return known;
  const declared = (unit.outputs ?? []).map((output): [string, Type] => [output.name, document.typeOf(output)]);
  const named = unit.kind === "workflow" && unit.outputNames.length > 0 ? namedOutputs(document, unit) : [];
  const outputs = new Map([...declared, ...named]);
  OUTPUTS.set(unit, outputs);
  return outputs;
}

function namedOutputs(document: Document, unit: Workflow): [string, Type][] {
  const checking = beginChecking(document, unit, []);
  const scope = scopeAt(checking, TOP);
  return unit.outputNames.flatMap(({ path }): [string, Type][] => {
    const [first = "", second] = path;
    if (second === undefined) return typed(first, scope.typeOf(first));
    const outputs = [...(scope.outputsOf(first) ?? [])];
    return outputs.filter(([name]) => second === "*" || name === path.slice(1).join(".")).map(([name, type]) => [`${first}.${name}`, type]);
  });
}

const typed = (name: string, type: Type | undefined): [string, Type][] => (type ? [[name, type]] : []);

/** The inputs a caller may give. */
export const calleeInputs = (unit: Workflow | Task): ReadonlyMap<string, Declaration> =>
  new Map(inputsOf(unit).map((input) => [input.name, input]));
