import { StatesError } from "./errors.ts";
import { evaluate, evaluationFailed } from "./jsonata.ts";
import { read, type Scope } from "./jsonpath.ts";
import type { Json } from "./json.ts";
import { failure, type Visit } from "./run.ts";

/** A number field in its three forms: literal, expression, and the field of the same name with `Path`. */
export interface NumberField {
  readonly field: string;
  readonly value: Json | undefined;
  readonly path: string | undefined;
  /** The least value it may have. @default 0 */
  readonly least?: number;
}

/** The number, or undefined when the state has no such field. @throws StateFailed when it is no whole number of at least `least` */
export async function readNumber(scope: Scope, { field, value, path, least = 0 }: NumberField): Promise<number | undefined> {
  const { visit } = scope;
  const isJsonata = visit.state.QueryLanguage === "JSONata";
  if (!isJsonata && path !== undefined) return check(visit, read(path, scope), { field: `${field}Path`, least });
  if (value === undefined) return undefined;
  return check(visit, isJsonata ? await evaluate(value, field, { visit }) : value, { field, least });
}

function check(visit: Visit, number: Json, { field, least }: { readonly field: string; readonly least: number }): number {
  if (typeof number === "number" && Number.isInteger(number) && number >= least) return number;
  const text = `The ${field} parameter is ${JSON.stringify(number)}, not a whole number of at least ${least}.`;
  if (visit.state.QueryLanguage === "JSONata") throw evaluationFailed(visit, field, text);
  throw failure(visit, StatesError.runtime, text);
}
