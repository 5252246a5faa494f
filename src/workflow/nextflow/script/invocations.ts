import type { Process, Workflow } from "../syntax/ast.ts";
import { walk } from "../syntax/walk.ts";
import type { Import, Module } from "./module.ts";

/** A process as a workflow calls it. */
export interface Invocation {
  readonly process: Process;
  readonly module: Module;
  /** The name it is called by: its own, or an alias. */
  readonly name: string;
  /** With the workflows around it: `WF:SUB:PROC`. */
  readonly fullName: string;
}

/** Names multiply where workflows call workflows twice; no pipeline comes near. */
const MOST_INVOCATIONS = 20_000;

/**
 * Every process that a run may start, under any condition: what the entry workflow calls, and what that calls.
 * A script without one offers all that it defines and includes.
 */
export function findInvocations(main: Module): readonly Invocation[] {
  const found: Invocation[] = [];
  const called = new Map<Workflow, readonly string[]>();
  const state: Search = { found, called, seen: new Set() };
  for (const name of startingNames(main, state)) follow(state, { module: main, name, alias: name }, []);
  return found;
}

/** Scripts that one name may stand for, by a condition. */
const MOST_OTHERS = 8;

interface Search {
  readonly found: Invocation[];
  readonly called: Map<Workflow, readonly string[]>;
  readonly seen: Set<string>;
}

function startingNames(main: Module, search: Search): readonly string[] {
  if (main.entry !== undefined) return calledNames(main, main.entry, search);
  const all = [...main.processes.keys(), ...main.workflows.keys(), ...main.imports.keys()];
  const inner = new Set([...main.workflows.values()].flatMap((workflow) => calledNames(main, workflow, search)));
  const outer = all.filter((name) => !inner.has(name));
  return outer.length > 0 ? outer : all;
}

interface Target {
  readonly module: Module;
  /** The name in that module. */
  readonly name: string;
  /** The name it is called by. */
  readonly alias: string;
}

function follow(search: Search, { module, name, alias }: Target, path: readonly string[]): void {
  const fullName = [...path, alias].join(":");
  if (search.found.length >= MOST_INVOCATIONS || path.length > 50) return;
  const process = module.processes.get(name);
  if (process !== undefined) {
    if (!search.seen.has(fullName)) search.found.push({ process, module, name: alias, fullName });
    search.seen.add(fullName);
    return;
  }
  const workflow = module.workflows.get(name);
  if (workflow === undefined) return followImport(search, { module, name, alias }, path);
  const mark = `${fullName}\n${module.file.path}`;
  if (search.seen.has(mark)) return;
  search.seen.add(mark);
  for (const each of calledNames(module, workflow, search)) follow(search, { module, name: each, alias: each }, [...path, alias]);
}

function followImport(search: Search, { module, name, alias }: Target, path: readonly string[]): void {
  const first = module.imports.get(name);
  for (const start of first === undefined ? [] : [first, ...first.others].slice(0, MOST_OTHERS)) {
    let at: Import | undefined = start;
    for (let hops = 0; at !== undefined && hops < 50; hops++) {
      const { module: target, name: original }: Import = at;
      if (target.processes.has(original) || target.workflows.has(original)) {
        follow(search, { module: target, name: original, alias }, path);
        break;
      }
      at = target.imports.get(original);
    }
  }
}

/** The processes and workflows that the workflow's text names. */
function calledNames(module: Module, workflow: Workflow, { called }: Search): readonly string[] {
  const known = called.get(workflow);
  if (known !== undefined) return known;
  const names = new Set<string>();
  walk(workflow.body, (expr) => {
    if (expr.kind === "name" && isComponent(module, expr.name)) names.add(expr.name);
  });
  const list = [...names];
  called.set(workflow, list);
  return list;
}

const isComponent = (module: Module, name: string): boolean =>
  module.processes.has(name) || module.workflows.has(name) || module.imports.has(name);
