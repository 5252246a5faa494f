/** The types of the standard library's functions, as miniwdl 1.16 has them (its StdLib.py). */
import type { ApplyExpression, Expression } from "../ast.ts";
import { ANY, arrayOf, BOOLEAN, FILE, FLOAT, INT, mapOf, STRING, type Type, withOptional } from "../types.ts";
import { V1_1, V1_2 } from "../version.ts";
import { GENERIC_FUNCTIONS } from "./generic-functions.ts";
import { argument, arity, CallProblem, type Signature } from "./signature.ts";

interface Site {
  readonly rank: number;
  readonly inTaskOutput?: boolean;
  report(rule: string, message: string, at: Expression): void;
}

interface StaticFunction {
  readonly takes: readonly Type[];
  readonly gives: Type;
  readonly since?: number;
}

const MAYBE_STRING = withOptional(STRING, true);
const STRINGS = arrayOf(STRING);
const STRING_MAP = mapOf(STRING, STRING);

const STATIC: Readonly<Record<string, StaticFunction>> = {
  floor: { takes: [FLOAT], gives: INT },
  ceil: { takes: [FLOAT], gives: INT },
  round: { takes: [FLOAT], gives: INT },
  sub: { takes: [STRING, STRING, STRING], gives: STRING },
  basename: { takes: [STRING, MAYBE_STRING], gives: STRING },
  defined: { takes: [ANY], gives: BOOLEAN },
  sep: { takes: [STRING, STRINGS], gives: STRING },
  write_lines: { takes: [STRINGS], gives: FILE },
  write_map: { takes: [mapOf(ANY, ANY)], gives: FILE },
  write_json: { takes: [ANY], gives: FILE },
  read_int: { takes: [FILE], gives: INT },
  read_boolean: { takes: [FILE], gives: BOOLEAN },
  read_string: { takes: [FILE], gives: STRING },
  read_float: { takes: [FILE], gives: FLOAT },
  read_map: { takes: [FILE], gives: STRING_MAP },
  read_lines: { takes: [FILE], gives: STRINGS },
  read_json: { takes: [FILE], gives: ANY },
  read_object: { takes: [FILE], gives: STRING_MAP },
  read_objects: { takes: [FILE], gives: arrayOf(STRING_MAP) },
  find: { takes: [STRING, STRING], gives: MAYBE_STRING, since: V1_2 },
  matches: { takes: [STRING, STRING], gives: BOOLEAN, since: V1_2 },
};

const TASK_OUTPUT: Readonly<Record<string, StaticFunction>> = {
  stdout: { takes: [], gives: FILE },
  stderr: { takes: [], gives: FILE },
  glob: { takes: [STRING], gives: arrayOf(FILE) },
};

const SINCE_1_1: ReadonlySet<string> = new Set(["min", "max", "quote", "squote", "keys", "as_map", "as_pairs", "collect_by_key"]);
const SINCE_1_2: ReadonlySet<string> = new Set(["join_paths", "contains", "chunk", "values", "contains_key"]);

/** What a call gives; undefined after a report. */
export function functionType(expression: ApplyExpression, types: readonly Type[], site: Site): Type | undefined {
  const { name } = expression;
  const fixed = find(STATIC, name) ?? (site.inTaskOutput ? find(TASK_OUTPUT, name) : undefined);
  const generic = find(GENERIC_FUNCTIONS, name);
  if (sinceOf(name, fixed) > site.rank || (!fixed && !generic)) {
    site.report("wdl-unknown-function", `there is no function "${name}" here in this version of WDL`, expression);
    return undefined;
  }
  try {
    const signature = { expression, types, rank: site.rank };
    return fixed ? staticType(fixed, signature) : generic?.(signature);
  } catch (error) {
    if (!(error instanceof CallProblem)) throw error;
    site.report("wdl-type", `${name}(): ${error.message}`, error.at ?? expression);
    return undefined;
  }
}

const find = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

function sinceOf(name: string, fixed: StaticFunction | undefined): number {
  if (SINCE_1_2.has(name)) return V1_2;
  return SINCE_1_1.has(name) ? V1_1 : (fixed?.since ?? 0);
}

function staticType({ takes, gives }: StaticFunction, signature: Signature): Type {
  const least = takes.findLastIndex((type) => !type.optional) + 1;
  arity(signature, least, takes.length);
  takes.forEach((type, index) => {
    if (index < signature.types.length) argument(signature, index, type);
  });
  return gives;
}
