import { compile, type JSONPathQuery, type JSONValue } from "json-p3";
import { isArray, isObject, type Json, type JsonObject } from "./json.ts";

/** A path that is not JSONPath (RFC 9535). */
export class PathSyntax extends Error {
  override readonly name = "PathSyntax";
}

/** Where a path may point: the data (`$`), the context object (`$$`), a variable (`$name`). */
export interface PathScope {
  readonly data: Json;
  readonly context: JsonObject;
  readonly variables: JsonObject;
}

const CACHE_SIZE = 2_000;
const compiled = new Map<string, JSONPathQuery>();

function compileOnce(path: string): JSONPathQuery {
  const known = compiled.get(path);
  if (known !== undefined) return known;
  let query: JSONPathQuery;
  try {
    query = compile(path);
  } catch (error) {
    throw new PathSyntax(`Invalid path '${path}' : ${(error as Error).message}`);
  }
  if (compiled.size >= CACHE_SIZE) compiled.clear();
  compiled.set(path, query);
  return query;
}

/**
 * The value at `path`; undefined when a path to one place finds nothing there. A path that may find many
 * (wildcard, slice, filter, descent) gives an array, empty when there are none, as Step Functions does.
 * @throws PathSyntax when the path can't be read
 */
export function readPath(path: string, scope: PathScope): Json | undefined {
  const { root, query } = locate(path, scope);
  if (root === undefined) return undefined;
  if (query === "$") return root;
  const parsed = compileOnce(query);
  const found = parsed.query(root as JSONValue).values() as Json[];
  return parsed.singularQuery() ? found[0] : found;
}

/** Splits off what a path starts from: `$$.Map`, `$name.member`, `$.member`. */
function locate(path: string, scope: PathScope): { root: Json | undefined; query: string } {
  if (path.startsWith("$$")) return { root: scope.context, query: path.slice(1) };
  const name = /^\$([\p{ID_Start}_][\p{ID_Continue}]*)/u.exec(path)?.[1];
  if (name === undefined) return { root: scope.data, query: path };
  const isKnown = Object.hasOwn(scope.variables, name);
  return { root: isKnown ? scope.variables[name] : undefined, query: `$${path.slice(name.length + 1)}` };
}

/** Jayway's normal form of a path, for Step Functions' error texts: `$['a'][0]`. */
export function normalPath(path: string): string {
  return path.replace(/^\$\$/, "$").replaceAll(/\.([^.[\]]+)/g, "['$1']");
}

/** The steps of a Reference Path: member names and array indexes. @throws PathSyntax unless the path leads to one place */
export function referenceSteps(path: string): readonly (string | number)[] {
  const query = compileOnce(path);
  if (!query.singularQuery()) throw new PathSyntax(`'${path}' is not a reference path: it may lead to more than one place`);
  return query.segments.map((segment) => {
    const selector = segment.selectors[0] as { readonly name?: string; readonly index?: number } | undefined;
    return selector?.name ?? selector?.index ?? "";
  });
}

/**
 * A copy of `target` with `value` at the reference path; objects on the way are made, as ResultPath makes them.
 * Undefined when something on the way is in the way: a text, a number, an index outside its array.
 */
export function writePath(target: Json, steps: readonly (string | number)[], value: Json): Json | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (typeof step === "number") return writeIndex(target, [step, rest], value);
  if (!isObject(target)) return undefined;
  const inner = writePath(Object.hasOwn(target, step) ? (target[step] ?? null) : {}, rest, value);
  return inner === undefined ? undefined : { ...target, [step]: inner };
}

function writeIndex(target: Json, [step, rest]: [number, readonly (string | number)[]], value: Json): Json | undefined {
  if (!isArray(target) || target[step] === undefined) return undefined;
  const inner = writePath(target[step], rest, value);
  return inner === undefined ? undefined : target.with(step, inner);
}
