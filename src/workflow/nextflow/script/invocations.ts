import type { FunctionValue } from "../evaluate/types.ts";
import type { FunctionDefinition, Process, Statement, Workflow } from "../syntax/ast.ts";
import { walk } from "../syntax/walk.ts";
import { moduleOf, type Import, type Module } from "./module.ts";

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
const MOST_FOLLOWED = 100_000;

/**
 * Every process that a run may start, under any condition: what the entry workflow calls, and what that calls.
 * A script without one offers all that it defines and includes.
 */
export function findInvocations(main: Module): readonly Invocation[] {
  const found: Invocation[] = [];
  const state: Search = { found, called: new Map(), seen: new Set(), open: new Set(), left: MOST_FOLLOWED };
  for (const target of startingTargets(main, state)) follow(state, target, []);
  return found;
}

/** Scripts that one name may stand for, by a condition. */
const MOST_OTHERS = 8;

interface Search {
  readonly found: Invocation[];
  /** By script and workflow: a script that is loaded twice calls what it includes itself. */
  readonly called: Map<Module, Map<Workflow, readonly Target[]>>;
  readonly seen: Set<string>;
  /** The workflows whose calls are being followed: one that calls itself starts no more by it. */
  readonly open: Set<Workflow>;
  left: number;
}

function startingTargets(main: Module, search: Search): readonly Target[] {
  if (main.entry !== undefined) return targetsOf(main, main.entry, search);
  const all = [...main.processes.keys(), ...main.workflows.keys(), ...main.imports.keys()];
  const called = [...main.workflows.values()].flatMap((workflow) => targetsOf(main, workflow, search));
  const inner = new Set(called.filter(({ module }) => module === main).map(({ name }) => name));
  const outer = all.filter((name) => !inner.has(name));
  return (outer.length > 0 ? outer : all).map((name) => ({ module: main, name, alias: name }));
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
  if (search.found.length >= MOST_INVOCATIONS || path.length > 50 || search.left-- <= 0) return;
  const process = module.processes.get(name);
  if (process !== undefined) {
    if (!search.seen.has(fullName)) search.found.push({ process, module, name: alias, fullName });
    search.seen.add(fullName);
    return;
  }
  const workflow = module.workflows.get(name);
  if (workflow === undefined) return followImport(search, { module, name, alias }, path);
  const mark = `${fullName}\n${module.file.path}`;
  if (search.seen.has(mark) || search.open.has(workflow)) return;
  search.seen.add(mark);
  search.open.add(workflow);
  for (const each of targetsOf(module, workflow, search)) follow(search, each, [...path, alias]);
  search.open.delete(workflow);
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

/** The processes and workflows that the workflow's text names, itself or by the functions it calls. */
function targetsOf(module: Module, workflow: Workflow, { called }: Search): readonly Target[] {
  const inModule = called.get(module) ?? new Map<Workflow, readonly Target[]>();
  called.set(module, inModule);
  const known = inModule.get(workflow);
  if (known !== undefined) return known;
  const targets = new Map<string, Target>();
  collect(module, workflow.body, { targets, functions: new Set() });
  const list = [...targets.values()];
  inModule.set(workflow, list);
  return list;
}

interface Collected {
  readonly targets: Map<string, Target>;
  /** Functions whose text was looked through. */
  readonly functions: Set<FunctionDefinition>;
}

function collect(module: Module, body: readonly Statement[], into: Collected): void {
  const names = new Set<string>();
  walk(body, (expr) => {
    if (expr.kind === "name") names.add(expr.name);
  });
  for (const name of names) {
    if (isComponent(module, name)) into.targets.set(`${module.file.path}\n${name}`, { module, name, alias: name });
    else collectCalled(module.scope.functions.get(name), into);
  }
}

/** What a function calls runs as if the workflow around the call had called it (tried with 24.10). */
function collectCalled(called: FunctionValue | undefined, into: Collected): void {
  const module = called && moduleOf(called.scope);
  if (called === undefined || module === undefined || into.functions.has(called.definition) || into.functions.size > MOST_FUNCTIONS) return;
  into.functions.add(called.definition);
  collect(module, called.definition.body, into);
}

const MOST_FUNCTIONS = 500;

const isComponent = (module: Module, name: string): boolean =>
  module.processes.has(name) || module.workflows.has(name) || module.imports.has(name);
