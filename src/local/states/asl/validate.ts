import check from "asl-validator";
import { parseDefinition } from "./definition.ts";
import { InvalidDefinition } from "./errors.ts";
import { isArray, isObject, type Json } from "./json.ts";

/** Something wrong with a definition, as ValidateStateMachineDefinition tells it. */
export interface Diagnostic {
  readonly severity: "ERROR";
  readonly code: string;
  readonly message: string;
  /** Where in the definition, `/States/Name/Field`. */
  readonly location?: string;
}

/** What the caller's own checks find wrong with the Resource of a Task state; undefined when it is known. */
export type ResourceCheck = (resource: string) => string | undefined;

/**
 * Everything wrong with a definition: its grammar, its transitions, what can't be run here, and Resources that nobody provides.
 * An empty list is a definition that can be run.
 */
export function validateDefinition(text: string, checkResource: ResourceCheck = () => undefined): readonly Diagnostic[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return [problem("INVALID_JSON_DESCRIPTION", `The definition is not JSON: ${(error as Error).message}`)];
  }
  if (!isObject(document)) return [problem("INVALID_JSON_DESCRIPTION", "The definition is not a JSON object")];
  const found = [...grammarProblems(document), ...machineProblems(text), ...resourceProblems(document, "", checkResource)];
  return [...new Map(found.map((diagnostic) => [diagnostic.message, diagnostic])).values()];
}

const problem = (code: string, message: string, location?: string): Diagnostic => ({
  severity: "ERROR",
  code,
  message,
  ...(location === undefined ? {} : { location }),
});

function grammarProblems(document: object): readonly Diagnostic[] {
  const problems = check(structuredClone(document)).errors.map((error) => {
    const code = error["Error code"] ?? "SCHEMA_VALIDATION_FAILED";
    return problem(code, error.Message ?? error.message ?? code, error.schemaError?.instancePath ?? error.instancePath);
  });
  return problems.filter(({ location }) => !isEcho(location, problems));
}

/** The schema of a state repeats each of its errors as an error of its Type; only the first is of use. */
const isEcho = (location: string | undefined, all: readonly Diagnostic[]): boolean =>
  location?.endsWith("/Type") === true &&
  all.some((other) => other.location !== location && other.location?.startsWith(location.slice(0, -"Type".length)));

function machineProblems(text: string): readonly Diagnostic[] {
  try {
    parseDefinition(text);
    return [];
  } catch (error) {
    if (error instanceof InvalidDefinition) return error.problems.map((message) => problem("SCHEMA_VALIDATION_FAILED", message));
    throw error;
  }
}

/** Looks into every object of the definition that is a Task state, however deep. */
function resourceProblems(value: Json, location: string, checkResource: ResourceCheck): readonly Diagnostic[] {
  if (isArray(value)) return value.flatMap((item, index) => resourceProblems(item, `${location}/${index}`, checkResource));
  if (!isObject(value)) return [];
  const inner = Object.entries(value).flatMap(([name, member]) => resourceProblems(member, `${location}/${name}`, checkResource));
  const { Type, Resource } = value;
  const wrong = Type === "Task" && typeof Resource === "string" ? checkResource(Resource) : undefined;
  return wrong === undefined ? inner : [problem("SCHEMA_VALIDATION_FAILED", wrong, `${location}/Resource`), ...inner];
}
