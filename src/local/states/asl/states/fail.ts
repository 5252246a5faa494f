import type { FailState } from "../definition.ts";
import { StateFailed, StatesError } from "../errors.ts";
import { evaluate, evaluationFailed } from "../jsonata.ts";
import { readOrCall } from "../jsonpath.ts";
import type { Json } from "../json.ts";
import { failure, type Visit } from "../run.ts";

/** Ends its line of states with the error it names. https://states-language.net/#fail-state */
export async function runFail(visit: Visit<FailState>): Promise<never> {
  const { Error: error, ErrorPath, Cause, CausePath } = visit.state;
  throw new StateFailed({
    error: await text(visit, { field: "Error", literal: error, path: ErrorPath }),
    cause: await text(visit, { field: "Cause", literal: Cause, path: CausePath }),
  });
}

interface TextField {
  readonly field: "Error" | "Cause";
  readonly literal: string | undefined;
  readonly path: string | undefined;
}

async function text(visit: Visit<FailState>, { field, literal, path }: TextField): Promise<string | undefined> {
  const isJsonata = visit.state.QueryLanguage === "JSONata";
  if (!isJsonata && path !== undefined) return needText(visit, readOrCall(path, { visit, data: visit.input }), `${field}Path`);
  if (literal === undefined) return undefined;
  return isJsonata ? needText(visit, await evaluate(literal, field, { visit }), field) : literal;
}

function needText(visit: Visit<FailState>, value: Json, field: string): string {
  if (typeof value === "string") return value;
  const problem = `The ${field} field must be a text, not ${JSON.stringify(value)}.`;
  if (visit.state.QueryLanguage === "JSONata") throw evaluationFailed(visit, field, problem);
  throw failure(visit, StatesError.runtime, problem);
}
