import { StatesError } from "./errors.ts";
import { IntrinsicSyntax } from "./intrinsic-syntax.ts";
import { evaluateIntrinsic, IntrinsicFailed } from "./intrinsics.ts";
import { isArray, isObject, type Json, type JsonObject } from "./json.ts";
import { normalPath, PathSyntax, readPath, referenceSteps, writePath } from "./paths.ts";
import { contextObject, failure, type Frame, type Visit } from "./run.ts";

/** What the paths of one field are read against. */
export interface Scope {
  readonly visit: Visit;
  readonly data: Json;
  /** The item of a Map state whose ItemSelector is being filled. */
  readonly item?: Frame["item"];
}

const pathScope = ({ visit, data, item }: Scope) => ({
  data,
  context: contextObject(visit, item ?? visit.frame.item),
  variables: visit.frame.variables,
});

/** The value at a path, or undefined when there is none. @throws StateFailed when the path can't be read */
export function lookUp(path: string, scope: Scope): Json | undefined {
  try {
    return readPath(path, pathScope(scope));
  } catch (error) {
    if (error instanceof PathSyntax) throw failure(scope.visit, StatesError.parameterPathFailure, error.message);
    throw error;
  }
}

/** The value at a path. @throws StateFailed when there is none */
export function read(path: string, scope: Scope): Json {
  const value = lookUp(path, scope);
  if (value !== undefined) return value;
  throw failure(scope.visit, StatesError.runtime, `Invalid path '${path}' : No results for path: ${normalPath(path)}`);
}

/** InputPath and OutputPath: null stands for an empty object, nothing for everything. */
export function select(path: string | null | undefined, scope: Scope): Json {
  if (path === null) return {};
  return path === undefined ? scope.data : read(path, scope);
}

/**
 * Fills a payload template: each member whose name ends in `.$` is a path or an intrinsic function.
 * @throws StateFailed naming the path, the field and the data
 * @see https://states-language.net/#payload-template
 */
export function fill(template: Json, scope: Scope): Json {
  if (isArray(template)) return template.map((item) => fill(item, scope));
  return isObject(template) ? fillObject(template, scope) : template;
}

/** The same for a template that is an object, so that its result is one. */
export function fillObject(template: JsonObject, scope: Scope): JsonObject {
  const members = Object.entries(template).map(([name, value]) =>
    name.endsWith(".$") && typeof value === "string" ? [name.slice(0, -2), resolve(value, name, scope)] : [name, fill(value, scope)],
  );
  return Object.fromEntries(members) as JsonObject;
}

function resolve(text: string, field: string, scope: Scope): Json {
  if (text.startsWith("$")) return readField(text, field, scope);
  return callIntrinsic(text, scope, (path) => readField(path, field, scope));
}

function readField(path: string, field: string, scope: Scope): Json {
  const value = lookUp(path, scope);
  if (value !== undefined) return value;
  throw failure(
    scope.visit,
    StatesError.runtime,
    `The JSONPath '${path}' specified for the field '${field}' could not be found in the input '${JSON.stringify(scope.data)}'`,
  );
}

/** A path or an intrinsic function, as ErrorPath and CausePath take them. */
export function readOrCall(text: string, scope: Scope): Json {
  return text.startsWith("$") ? read(text, scope) : callIntrinsic(text, scope, (path) => read(path, scope));
}

function callIntrinsic(text: string, scope: Scope, readArgument: (path: string) => Json): Json {
  try {
    return evaluateIntrinsic(text, { random: scope.visit.run.random, read: readArgument });
  } catch (error) {
    if (!(error instanceof IntrinsicFailed || error instanceof IntrinsicSyntax)) throw error;
    throw failure(scope.visit, StatesError.intrinsicFailure, `${error.message} (in '${text}')`);
  }
}

/**
 * ResultPath: the result placed into the state's input; null keeps the input, nothing or `$` keeps the result.
 * @throws StateFailed with States.ResultPathMatchFailure when the path does not fit the input
 */
export function placeResult(visit: Visit, path: string | null | undefined, result: Json): Json {
  if (path === null) return visit.input;
  if (path === undefined || path === "$") return result;
  const placed = writePath(visit.input, stepsOf(visit, path), result);
  if (placed !== undefined) return placed;
  throw failure(visit, StatesError.resultPathMatchFailure, `Unable to apply ReferencePath ${path} to input ${JSON.stringify(visit.input)}`);
}

function stepsOf(visit: Visit, path: string): readonly (string | number)[] {
  try {
    return referenceSteps(path);
  } catch (error) {
    if (error instanceof PathSyntax) throw failure(visit, StatesError.runtime, error.message);
    throw error;
  }
}
