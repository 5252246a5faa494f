import type { Diagnostic } from "../inspection.ts";
import type { Documents } from "./documents.ts";
import { evaluate } from "./evaluate.ts";
import { acceptsNull, declaredDefault, inputsOf } from "./inputs.ts";
import { fragmentOf, itemsOf, type Json, jsonOf, lastName, member, namedItems, type Named, type Node, stringOf } from "./nodes.ts";
import { problem } from "./problems.ts";
import { type Process, runOf, stepsOf } from "./process.ts";
import { combined, inputsIn, isKnown, isNullish, known, limited, orDefault, unknown, type Value } from "./values.ts";

/** A process with what its inputs can be, as it runs in one place of the main process. */
export interface Scope {
  readonly process: Process;
  readonly inputs: ReadonlyMap<string, Value>;
  readonly documents: Documents;
  /** Where it runs and by which step; absent for the main process. */
  readonly within?: Scope;
  readonly step?: Named;
  /** The scopes of its steps, once asked for; "open" while one is made. */
  readonly steps: Map<string, Scope | Diagnostic | "open">;
  /** How many more scopes are made: workflows may hold each other many times over. */
  readonly budget: { left: number };
}

const MAX_SCOPES = 20_000;
const MAX_DEPTH = 50;

/** The main process: an input is its default, null where that is enough, and else for the run to decide. */
export function mainScope(process: Process, documents: Documents): Scope {
  const inputs = inputsOf(process).map(({ id, node }): readonly [string, Value] => {
    const standard = declaredDefault(node);
    if (standard) return [id, known(jsonOf(standard), "default", { at: standard.at, inputs: [id] })];
    return [id, acceptsNull(node, process, documents) ? known(null, "default", { inputs: [id] }) : unknown([id])];
  });
  return { process, inputs: new Map(inputs), documents, steps: new Map(), budget: { left: MAX_SCOPES } };
}

/** The process a step runs with its inputs bound, or why there is none. */
export function stepScope(scope: Scope, step: Named): Scope | Diagnostic {
  const made = scope.steps.get(step.id);
  if (made === "open") return problem("cwl-cycle", step.at, `the step "${step.id}" waits for its own output`);
  if (made) return made;
  scope.steps.set(step.id, "open");
  const next = makeScope(scope, step);
  scope.steps.set(step.id, next);
  return next;
}

function makeScope(scope: Scope, step: Named): Scope | Diagnostic {
  if (scope.budget.left-- <= 0) return problem("cwl-too-large", step.at, `the workflow has more than ${MAX_SCOPES} steps`);
  const process = runOf(step, scope.process.document, scope.documents);
  if ("rule" in process) return process;
  let depth = 0;
  for (let above: Scope | undefined = scope; above; above = above.within) {
    if (++depth > MAX_DEPTH) return problem("cwl-too-large", step.at, `workflows are nested more than ${MAX_DEPTH} deep`);
    if (above.process.node === process.node)
      return problem("cwl-cycle", step.at, `the step "${step.id}" runs the workflow that it is part of`);
  }
  const { documents, budget } = scope;
  return { process, inputs: bound(scope, step, process), documents, within: scope, step, steps: new Map(), budget };
}

/** The inputs of a step's process: source or default, one element where it scatters, then valueFrom, then the tool's own default. */
function bound(scope: Scope, step: Named, process: Process): ReadonlyMap<string, Value> {
  const scattered = new Set(itemsOf(member(step.node, "scatter")).map((name) => lastName(stringOf(name) ?? "")));
  const links = new Map(namedItems(member(step.node, "in")).map(({ id, node }) => [id, node]));
  const linked = new Map(
    [...links].map(([id, link]): readonly [string, Value] => {
      const value = linkValue(scope, link);
      return [id, scattered.has(id) ? elementsOf(value) : value];
    }),
  );
  const final = new Map(linked);
  for (const [id, link] of links) {
    const text = stringOf(member(link, "valueFrom"));
    const at = member(link, "valueFrom")?.at;
    if (text !== undefined)
      final.set(id, overriding(evaluate(text, { inputs: linked, self: linked.get(id) ?? known(null, "literal") }), at));
  }
  for (const input of inputsOf(process))
    final.set(input.id, withDefault(final.get(input.id), input, { process, step, documents: scope.documents }));
  return final;
}

/** A value that a step writes down itself is the caller's word against the tool's own default. */
const overriding = (value: Value, at: Node["at"] | undefined): Value =>
  value.map((each) => ({ ...each, ...(at && !each.at && { at }), ...(each.how === "literal" && { how: "override" }) }));

function withDefault(
  value: Value | undefined,
  { id, node }: Named,
  { process, step, documents }: { process: Process; step: Named; documents: Documents },
): Value {
  const standard = declaredDefault(node);
  if (standard) return orDefault(value ?? known(null, "default"), known(jsonOf(standard), "default", { at: standard.at }));
  if (value) return value;
  return acceptsNull(node, process, documents) ? known(null, "default") : unknown([`${step.id}.${id}`]);
}

function linkValue(scope: Scope, link: Node): Value {
  const written = link.kind === "map" ? member(link, "source") : link;
  const sources = itemsOf(written).map((source) => sourceValue(scope, stringOf(source) ?? ""));
  const value = joined(sources, link);
  const standard = link.kind === "map" ? declaredDefault(link) : undefined;
  return standard ? orDefault(value, known(jsonOf(standard), "override", { at: standard.at })) : value;
}

function joined(sources: readonly Value[], link: Node): Value {
  const [first, ...others] = sources;
  if (!first) return known(null, "default");
  const pick = stringOf(member(link, "pickValue"));
  if (pick === "first_non_null" || pick === "the_only_non_null") return sources.reduceRight((rest, value) => orDefault(value, rest));
  if (others.length === 0 && !member(link, "linkMerge")) return first;
  const isFlat = stringOf(member(link, "linkMerge")) === "merge_flattened";
  return sources.reduce<Value>(
    (list, value) =>
      combined(list, value, (all, one) => [
        ...(all as readonly Json[]),
        ...(isFlat && Array.isArray(one) ? (one as readonly Json[]) : [one]),
      ]),
    known([], "literal"),
  );
}

function elementsOf(value: Value): Value {
  const elements = value.flatMap((each): Value => {
    if (!isKnown(each) || !Array.isArray(each.json)) return isNullish(each) ? [each] : unknown(each.inputs);
    return (each.json as readonly Json[]).map((json) => ({ ...each, json }));
  });
  return elements.length === 0 ? unknown(inputsIn(value)) : limited(elements);
}

/** What an input of the workflow, or an output of one of its steps, can be. */
function sourceValue(scope: Scope, source: string): Value {
  const parts = fragmentOf(source).split("/");
  const name = parts.at(-1) ?? "";
  const from = stepsOf(scope.process).find(({ id }) => parts.length > 1 && id === parts.at(-2));
  if (!from) return scope.inputs.get(name) ?? unknown();
  const inner = stepScope(scope, from);
  if ("rule" in inner) return unknown();
  const value = outputValue(inner, name);
  return member(from.node, "scatter") ? unknown(inputsIn(value)) : value;
}

/** What a workflow hands through, or an expression makes; what a tool writes only a run can tell. */
function outputValue(scope: Scope, name: string): Value {
  const { process } = scope;
  const output = namedItems(member(process.node, "outputs")).find(({ id }) => id === name);
  if (process.class === "Workflow" && output) {
    const sources = itemsOf(output.node.kind === "map" ? member(output.node, "outputSource") : output.node);
    return joined(
      sources.map((source) => sourceValue(scope, stringOf(source) ?? "")),
      output.node,
    );
  }
  const text = process.class === "ExpressionTool" ? stringOf(member(process.node, "expression")) : undefined;
  if (text === undefined) return unknown();
  return evaluate(text, scope).map((each) => {
    const object = each.json;
    const isObject = object !== undefined && object !== null && typeof object === "object" && !Array.isArray(object);
    if (!isObject) return { inputs: each.inputs, how: each.how };
    return {
      ...each,
      how: each.how === "ternary" ? "ternary" : "variable",
      json: Object.hasOwn(object, name) ? ((object as Record<string, Json>)[name] ?? null) : null,
    };
  });
}
