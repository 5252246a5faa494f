import { snapshot } from "../evaluate/bounds.ts";
import { execute } from "../evaluate/choices.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import type { Scope, Value, ValueMap } from "../evaluate/types.ts";
import { observe } from "../evaluate/scope.ts";
import { isMap, plainValue, truth } from "../evaluate/values.ts";
import { moduleDirectory } from "../config/read-config.ts";
import { locate, PROJECT_MARK, report, sourceOf, type Project } from "../project.ts";
import type { Expr, If, Include, Process, Statement, Workflow } from "../syntax/ast.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import { definedIn } from "./defined-in.ts";

/** A script, loaded: what it defines and what it includes. */
export interface Module {
  readonly file: SourceFile;
  readonly scope: Scope;
  readonly processes: ReadonlyMap<string, Process>;
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** The workflow without a name. */
  readonly entry: Workflow | undefined;
  /** By the name it has here. Filled while includes are followed. */
  readonly imports: Map<string, Import>;
  /** What this script has included, by keys: the same script again is the same, whatever was set since (tried with 24.10). */
  readonly included: Map<string, Module>;
}

export interface Import {
  readonly module: Module;
  readonly name: string;
  /** What the name means where a condition includes another script. */
  readonly others: readonly Import[];
}

interface Loading {
  readonly project: Project;
  /** The same script with the same parameters is loaded once. */
  readonly loaded: Map<string, Module>;
  readonly builtin: (name: string) => Value | undefined;
  /** Parameters on which what is included, or other parameters, hang. */
  readonly inputs: Set<string>;
  readonly mainParams: ValueMap;
  count: number;
  depth: number;
}

const MOST_MODULES = 5_000;
/** Scripts that include each other with other parameters each time would never end. */
const DEEPEST_INCLUDE = 60;

/** Loads the main script and what it includes; `builtin` gives what Nextflow provides to scripts. */
export function loadMain(
  project: Project,
  file: SourceFile,
  context: { readonly params: ValueMap; readonly builtin: Loading["builtin"]; readonly inputs: Set<string> },
): Module {
  const { builtin, inputs } = context;
  const loading: Loading = { project, loaded: new Map(), builtin, inputs, mainParams: context.params, count: 0, depth: 0 };
  return load(loading, file, { params: context.params, key: moduleKey(file.path, undefined) });
}

function load(loading: Loading, file: SourceFile, { params, key }: { readonly params: ValueMap; readonly key: string }): Module {
  const directory = moduleDirectory(file.path);
  const scope: Scope = {
    evaluation: loading.project.evaluation,
    file,
    params,
    builtin: (name) =>
      name === "moduleDir" ? directory : name === "projectDir" || name === "baseDir" ? PROJECT_MARK : loading.builtin(name),
    variables: new Map(),
    functions: new Map(),
  };
  const module: Module = { file, scope, ...definitions(file.statements), imports: new Map(), included: new Map() };
  MODULES.set(scope, module);
  // Known before it is run: a script may include itself over others.
  loading.loaded.set(key, module);
  for (const statement of file.statements) runTopLevel(loading, module, statement);
  return module;
}

const MODULES = new WeakMap<Scope, Module>();

/** The script that a function was written in, by the function's scope. */
export const moduleOf = (scope: Scope): Module | undefined => MODULES.get(scope);

function definitions(statements: readonly Statement[]): Pick<Module, "processes" | "workflows" | "entry"> {
  const processes = new Map<string, Process>();
  const workflows = new Map<string, Workflow>();
  let entry: Workflow | undefined;
  for (const each of definedIn(statements)) {
    if (each.kind === "process") processes.set(each.name, each);
    else if (each.kind === "workflow" && each.name !== undefined) workflows.set(each.name, each);
    else if (each.kind === "workflow") entry = each;
  }
  return { processes, workflows, entry };
}

function runTopLevel(loading: Loading, module: Module, statement: Statement): void {
  const { scope } = module;
  if (statement.kind === "include") return include(loading, module, { statement, isTaken: true });
  if (statement.kind === "params") {
    for (const { name, value } of statement.declarations)
      setParam(scope, name, value === undefined ? null : evaluateNoting(loading, value, scope));
    return;
  }
  if (statement.kind === "if") runBranches(loading, module, statement);
  const param = assignedParam(statement);
  if (param !== undefined) return setParam(scope, param.name, evaluateNoting(loading, param.value, scope));
  execute(statement, scope);
}

/** Both sides may include under one name: the one taken by default is what the name means, the other what it may mean. */
function runBranches(loading: Loading, module: Module, { condition, then, otherwise }: If): void {
  const isTrue = truth(evaluateNoting(loading, condition, module.scope)) ?? true;
  for (const each of isTrue ? otherwise : then) runBranch(loading, module, { statement: each, isTaken: false });
  for (const each of isTrue ? then : otherwise) runBranch(loading, module, { statement: each, isTaken: true });
}

interface BranchStatement {
  readonly statement: Statement;
  readonly isTaken: boolean;
}

function runBranch(loading: Loading, module: Module, { statement, isTaken }: BranchStatement): void {
  if (statement.kind === "include") return include(loading, module, { statement, isTaken });
  if (statement.kind === "if") return runBranches(loading, module, statement);
  const param = isTaken ? assignedParam(statement) : undefined;
  if (param !== undefined) setParam(module.scope, param.name, evaluateNoting(loading, param.value, module.scope));
}

/** `params.x = …` */
function assignedParam(statement: Statement): { readonly name: string; readonly value: Expr } | undefined {
  const assignment = statement.kind === "expression" && statement.expression.kind === "assignment" ? statement.expression : undefined;
  const target = assignment?.target;
  if (assignment === undefined || target?.kind !== "property" || typeof target.name !== "string") return undefined;
  const isParam = target.object.kind === "name" && target.object.name === "params";
  return isParam ? { name: target.name, value: assignment.value } : undefined;
}

function evaluateNoting({ inputs }: Loading, value: Expr, scope: Scope): Value {
  const seen = observe(scope.evaluation, () => evaluate(value, scope));
  for (const input of seen.inputs) inputs.add(input);
  return seen.result;
}

/** A script's assignment is a default: a value that the configuration or an including script gave stays (tried with 24.10). */
function setParam({ params }: Scope, name: string, value: Value): void {
  if (!params.has(name)) params.set(name, snapshot(value) ?? null);
}

const moduleKey = (path: string, params: string | undefined): string => JSON.stringify([path, params ?? null]);

function include(
  loading: Loading,
  module: Module,
  { statement, isTaken }: { readonly statement: Include; readonly isTaken: boolean },
): void {
  const path = evaluateNoting(loading, statement.from, module.scope);
  if (typeof path !== "string" || path.startsWith("plugin/")) return;
  const file = scriptAt(loading, module, { path, statement });
  if (file === undefined) return;
  const params = includedParams(loading, module, statement);
  const own = ownParams(loading, params);
  const here = moduleKey(file.path, own);
  // Scripts only ever add parameters: how many there are tells what was set before.
  const key = moduleKey(file.path, `${params.size} ${own ?? ""}`);
  const target = module.included.get(here) ?? loading.loaded.get(key) ?? loadIncluded(loading, { file, key, params });
  if (target === undefined) return;
  if (isTaken) module.included.set(here, target);
  const names =
    statement.names.length > 0
      ? statement.names
      : [...target.processes.keys(), ...target.workflows.keys()].map((name) => ({ name, alias: name }));
  for (const { name, alias } of names) bind(loading, { module, target, name, alias, statement });
}

interface Included {
  readonly file: SourceFile;
  readonly key: string;
  readonly params: ValueMap;
}

function loadIncluded(loading: Loading, { file, key, params }: Included): Module | undefined {
  if (++loading.count > MOST_MODULES || loading.depth >= DEEPEST_INCLUDE) return undefined;
  loading.depth++;
  const module = load(loading, file, { params, key });
  loading.depth--;
  return module;
}

/** What an included script sees: the parameters of the script that includes it, and what the include adds. */
function includedParams(loading: Loading, from: Module, statement: Include): ValueMap {
  const params: ValueMap = new Map(from.scope.params);
  const added = statement.params === undefined ? null : evaluateNoting(loading, statement.params, from.scope);
  if (isMap(added)) for (const [name, value] of added) params.set(name, value);
  return params;
}

/** The parameters that differ from those of the main script, as a text; a script is loaded again only where they do. */
function ownParams({ mainParams }: Loading, params: ValueMap): string | undefined {
  const own = [...params].filter(([name, value]) => mainParams.get(name) !== value);
  return own.length === 0 ? undefined : JSON.stringify(own.map(([name, value]) => [name, plainValue(value)]));
}

interface Binding {
  readonly module: Module;
  readonly target: Module;
  readonly name: string;
  readonly alias: string;
  readonly statement: Include;
}

function bind(loading: Loading, { module, target, name, alias, statement }: Binding): void {
  const called = target.scope.functions.get(name) ?? functionIn(target, name);
  if (called !== undefined) return void module.scope.functions.set(alias, called);
  const isThere = target.processes.has(name) || target.workflows.has(name) || target.imports.has(name);
  if (isThere) {
    const before = module.imports.get(alias);
    const others = before === undefined || before.module === target ? [] : [before, ...before.others];
    return void module.imports.set(alias, { module: target, name, others });
  }
  const isType = target.file.statements.some((each) => each.kind === "type" && each.name === name);
  if (isType || target.file.problem !== undefined) return;
  const message = `${target.file.path} defines no process, workflow or function named ${name}`;
  report(loading.project, { rule: "nextflow-missing-definition", severity: "error", file: module.file, offset: statement.start, message });
}

function functionIn({ file, scope }: Module, name: string) {
  const definition = file.statements.find((each) => each.kind === "function" && each.name === name);
  return definition?.kind === "function" ? { definition, scope } : undefined;
}

interface Wanted {
  readonly path: string;
  readonly statement: Include;
}

/** `./x` means `x`, `x.nf` or `x/main.nf`, in this order. */
function scriptAt({ project }: Loading, { file }: Module, { path, statement }: Wanted): SourceFile | undefined {
  const base = locate(project, file.path, path);
  const found = base === undefined ? undefined : [base, `${base}.nf`, `${base}/main.nf`].find((each) => project.tree.has(each));
  if (found !== undefined) return sourceOf(project, found);
  const written = path.replace(/^\/?\u0001project(\/\u0001root)?/, "${projectDir}");
  const message =
    base === undefined
      ? `${written} lies outside the definition; HealthOmics has only the files of the definition`
      : `${written} is not in the definition (looked for ${base}, ${base}.nf and ${base}/main.nf)`;
  report(project, { rule: "nextflow-missing-include", severity: "error", file, offset: statement.start, message });
  return undefined;
}
