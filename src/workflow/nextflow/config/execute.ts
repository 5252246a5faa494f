import { snapshot } from "../evaluate/bounds.ts";
import { assign, inner, observe, sourceText, unknown } from "../evaluate/scope.ts";
import { choose, execute, negation } from "../evaluate/choices.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import type { Choice, Scope, Value, ValueMap } from "../evaluate/types.ts";
import { isClosure, isMap, known, textOf, truth } from "../evaluate/values.ts";
import type { Call, Expr, Statement } from "../syntax/ast.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import { roundsOfCall, roundsOfCompound } from "./repeated.ts";
import { asValue, entryAt, isScope, put, scopeIn, type ConfigMap, type Setting } from "./settings.ts";

/** Where a configuration is being built. */
export interface Builder {
  readonly root: ConfigMap;
  readonly params: ValueMap;
  /** Profiles that are in force. */
  readonly active: ReadonlySet<string>;
  /** Every profile that is defined, in the order of its definition. */
  readonly profiles: Set<string>;
  readonly plugins: PluginUse[];
  /** Where each parameter was last set. */
  readonly paramPlaces: Map<string, ParamPlace>;
  readonly include: (path: Expr, place: Place) => void;
  /** Branches that parameters could take otherwise, and may set containers then. */
  readonly forks: Map<string, Fork>;
  /** The fork to take the other way. */
  readonly flipped: string | undefined;
  /** What profiles that are not in force would set. */
  readonly dormant: Dormant[];
}

/** A profile's block, or an assignment into it. */
export interface Dormant {
  readonly profile: string;
  readonly apply: (into: Builder) => void;
}

/** An `if` of a configuration that another value of a parameter decides otherwise. */
export interface Fork {
  /** What must hold for its other side, as the source says it. */
  readonly condition: string;
  readonly inputs: readonly string[];
}

export interface PluginUse {
  /** As written: `nf-schema@2.0.0`. */
  readonly id: string;
  readonly file: SourceFile;
  readonly offset: number;
}

export interface ParamPlace {
  readonly file: SourceFile;
  readonly offset: number;
  readonly value: Expr;
}

/** The scope that statements stand in. */
export interface Place {
  readonly scope: Scope;
  readonly path: readonly string[];
  readonly profile?: string;
  /** Whether a failed include is caught. */
  readonly isTried: boolean;
}

/** Runs a configuration's statements in their order, as Nextflow does. */
export function run(builder: Builder, statements: readonly Statement[], place: Place): void {
  let selector: string | undefined;
  for (const statement of statements) {
    if (place.scope.evaluation.steps-- <= 0) return;
    if (statement.kind === "label") {
      selector = statement.name;
      continue;
    }
    if (statement.kind === "expression") runExpression(builder, statement.expression, { ...place, selector });
    else if (statement.kind === "if") runIf(builder, statement, place);
    else if (statement.kind === "compound") runCompound(builder, statement, place);
    else execute(statement, place.scope);
    selector = undefined;
  }
}

function runIf(builder: Builder, statement: Extract<Statement, { kind: "if" }>, place: Place): void {
  const { scope } = place;
  const { result, inputs, isVolatile } = observe(scope.evaluation, () => evaluate(statement.condition, scope));
  const isTrue = truth(result);
  if (isTrue === undefined) return;
  const side = (isThen: boolean): readonly Statement[] => (isThen ? statement.then : statement.otherwise);
  const key = `${scope.file.path}:${statement.start}`;
  if (isVolatile && inputs.length > 0 && mayContain(scope.file, side(!isTrue))) {
    const text = sourceText(scope, statement.condition);
    builder.forks.set(key, { condition: isTrue ? negation(text) : text, inputs });
  }
  run(builder, side(builder.flipped === key ? !isTrue : isTrue), place);
}

/** Whether statements could name a container, themselves or by what they include. */
function mayContain(file: SourceFile, statements: readonly Statement[]): boolean {
  const [first] = statements;
  const last = statements.at(-1);
  if (first === undefined || last === undefined) return false;
  return /container|includeConfig|registry/.test(file.text.slice(first.start, last.end));
}

function runCompound(builder: Builder, statement: Extract<Statement, { kind: "compound" }>, place: Place): void {
  run(builder, statement.always, { ...place, isTried: place.isTried || statement.word === "try" });
  for (const { body, scope } of roundsOfCompound(statement, place.scope)) run(builder, body, { ...place, scope });
}

/** The selector is of one statement: what its block holds has its own. */
type SelectorPlace = Place & { readonly selector: string | undefined };

function runExpression(builder: Builder, expression: Expr, place: SelectorPlace): void {
  if (expression.kind === "assignment") runAssignment(builder, expression, place);
  if (expression.kind === "call") runCall(builder, expression, place);
}

function runCall(builder: Builder, call: Call, place: SelectorPlace): void {
  const { callee, args } = call;
  const [first] = args;
  if (first === undefined) return;
  if (callee.kind === "name" && callee.name === "includeConfig") return builder.include(first.value, place);
  if (place.path[0] === "plugins" && callee.kind === "name" && callee.name === "id") return usePlugin(builder, first.value, place);
  const rounds = roundsOfCall(call, place.scope);
  if (rounds !== undefined) {
    for (const { body, scope } of rounds) run(builder, body, { ...place, scope });
    return;
  }
  const body = args.at(-1)?.value;
  if (body?.kind !== "closure") return;
  const names = blockNames(callee, args.length === 2 ? first.value : undefined, place);
  if (names !== undefined) runBlock(builder, { names, body: body.body }, place);
}

function usePlugin(builder: Builder, id: Expr, { scope }: Place): void {
  const text = evaluate(id, scope);
  if (typeof text === "string") builder.plugins.push({ id: text, file: scope.file, offset: id.start });
}

/** The names a block stands under: `a.b {` two, `withName: 'X' {` one with the selector before it. */
function blockNames(callee: Expr, argument: Expr | undefined, { scope, selector }: SelectorPlace): readonly string[] | undefined {
  if (argument !== undefined) {
    const text = argument.kind === "name" ? argument.name : textOf(evaluate(argument, scope));
    const isSelector = callee.kind === "name" && (callee.name === "withName" || callee.name === "withLabel");
    return isSelector && text !== undefined ? [`${callee.name}:${text}`] : undefined;
  }
  const names = pathNames(callee, scope);
  if (names === undefined || selector === undefined) return names;
  return [`${selector}:${names.join(".")}`];
}

/** The names of `a.b.'c'`. */
function pathNames(expr: Expr, scope: Scope): readonly string[] | undefined {
  if (expr.kind === "name") return [expr.name];
  if (expr.kind === "literal" && expr.value !== null) return [String(expr.value)];
  if (expr.kind === "template") return textPath(evaluate(expr, scope));
  if (expr.kind !== "property" && expr.kind !== "index") return undefined;
  const outer = pathNames(expr.object, scope);
  const key = expr.kind === "index" ? expr.index : expr.name;
  const name = typeof key === "string" ? key : textOf(evaluate(key, scope));
  return outer === undefined || name === undefined ? undefined : [...outer, name];
}

function textPath(value: Value): readonly string[] | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : [text];
}

interface Block {
  readonly names: readonly string[];
  readonly body: readonly Statement[];
}

function runBlock(builder: Builder, { names, body }: Block, place: Place): void {
  const path = [...place.path, ...names];
  const scope = inner(place.scope, { builtin: (name) => besideIn(builder, path, name) ?? place.scope.builtin(name) });
  if (path[0] !== "profiles") {
    if (path[0] !== "params") makeScope(builder.root, path);
    else makeParam(builder.params, path.slice(1));
    return run(builder, body, { ...place, scope, path });
  }
  const [, profile, ...rest] = path;
  if (profile === undefined) return run(builder, body, { ...place, scope, path });
  builder.profiles.add(profile);
  const apply = (into: Builder): void => run(into, body, { ...place, scope, path: rest, profile });
  if (builder.active.has(profile)) apply(builder);
  else builder.dormant.push({ profile, apply });
}

/** What the block itself has set by that name: `params { tag = '1'; image = "x:${tag}" }`. */
function besideIn({ root, params }: Builder, path: readonly string[], name: string): Value | undefined {
  if (path[0] === "params") {
    let at: Value = params;
    for (const each of path.slice(1)) at = isMap(at) ? (at.get(each) ?? null) : null;
    return isMap(at) ? at.get(name) : undefined;
  }
  const entry = entryAt(root, [...path, name]);
  return entry === undefined ? undefined : asValue(entry);
}

function makeScope(root: ConfigMap, path: readonly string[]): void {
  let at = root;
  for (const name of path) at = scopeIn(at, name);
}

function makeParam(params: ValueMap, path: readonly string[]): ValueMap {
  let at = params;
  for (const name of path) {
    const found = at.get(name) ?? null;
    const next: ValueMap = isMap(found) ? found : new Map();
    at.set(name, next);
    at = next;
  }
  return at;
}

function runAssignment(builder: Builder, expr: Extract<Expr, { kind: "assignment" }>, place: SelectorPlace): void {
  const { scope } = place;
  const names = pathNames(expr.target, scope);
  if (names === undefined) return;
  const [name] = names;
  if (names.length === 1 && name !== undefined && isVariable(scope, name)) return assign(scope, name, choose(expr.value, scope));
  const isProfile = place.path[0] === "profiles" || (place.path.length === 0 && name === "profiles");
  const full = [...place.path, ...names];
  if (isProfile) return setInProfile(builder, { path: full.slice(1), expr }, place);
  set(builder, { path: full, expr }, place);
}

const isVariable = (scope: Scope, name: string): boolean => {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) if (at.variables.has(name)) return true;
  return false;
};

interface Assigned {
  readonly path: readonly string[];
  readonly expr: Extract<Expr, { kind: "assignment" }>;
}

/** `profiles.docker.process.container = …` */
function setInProfile(builder: Builder, { path, expr }: Assigned, place: Place): void {
  const [profile, ...rest] = path;
  if (profile === undefined) return;
  builder.profiles.add(profile);
  const apply = (into: Builder): void => set(into, { path: rest, expr }, { ...place, profile });
  if (builder.active.has(profile)) apply(builder);
  else builder.dormant.push({ profile, apply });
}

function set(builder: Builder, { path, expr }: Assigned, place: Place): void {
  const { scope, profile } = place;
  if (path[0] === "params") return setParam(builder, { path: path.slice(1), expr }, place);
  const choices = expr.value.kind === "closure" ? closureChoice(expr.value, scope) : choose(expr.value, scope);
  const setting: Setting = {
    kind: "setting",
    choices,
    file: scope.file.path,
    offset: expr.start,
    ...(profile !== undefined && { profile }),
  };
  const value = choices[0]?.value ?? null;
  // Of a process only `ext` is a scope; a directive's map (`publishDir = [path: …]`) is its value.
  if (isMap(value) && (path[0] !== "process" || path.at(-1) === "ext")) return putMap(builder.root, path, { value, setting });
  put(builder.root, path, setting);
}

const closureChoice = (value: Expr, scope: Scope): readonly Choice[] => [
  { value: evaluate(value, scope), conditions: [], inputs: [], how: "closure", file: scope.file, offset: value.start },
];

/** A map assigned is a scope: `process.ext = [args: 'x']`. */
function putMap(
  root: ConfigMap,
  path: readonly string[],
  { value, setting }: { readonly value: ValueMap; readonly setting: Setting },
): void {
  const parent = entryAt(root, path.slice(0, -1));
  const name = path.at(-1);
  if (isScope(parent) && name !== undefined) parent.delete(name);
  makeScope(root, path);
  for (const [key, each] of value) {
    const choice = setting.choices[0];
    if (choice !== undefined) put(root, [...path, key], { ...setting, choices: [{ ...choice, value: each }] });
  }
}

function setParam(builder: Builder, { path, expr }: Assigned, { scope }: Place): void {
  const name = path.at(-1);
  const [top] = path;
  if (name === undefined || top === undefined) return;
  const value = evaluate(expr.value, scope);
  makeParam(builder.params, path.slice(0, -1)).set(
    name,
    isClosure(value) ? null : known(snapshot(value), () => unknown(scope, expr.value)),
  );
  if (path.length === 1) builder.paramPlaces.set(top, { file: scope.file, offset: expr.start, value: expr.value });
}
