import { fill, fillObject, placeResult, select } from "./jsonpath.ts";
import { evaluate, evaluateObject } from "./jsonata.ts";
import type { Json, JsonObject } from "./json.ts";
import { type Outcome, type Visit, withinDataLimit } from "./run.ts";

interface OutputFields {
  readonly Next?: string;
  readonly ResultSelector?: JsonObject;
  readonly ResultPath?: string | null;
  readonly OutputPath?: string | null;
  readonly Assign?: JsonObject;
  readonly Output?: Json;
}

/** How a state's result came about: only work that was done is `$states.result`. */
export interface Result {
  readonly value: Json;
  readonly isWork: boolean;
}

/**
 * Makes of a state's result its output and variables: ResultSelector, Assign, ResultPath and OutputPath, or Assign and Output.
 * In JSONPath, `$` in Assign is the result after ResultSelector.
 * @throws StateFailed when a path or expression fails or the output is too large
 */
export async function complete(visit: Visit, result: Result): Promise<Outcome> {
  const fields = visit.state as OutputFields;
  const { output, assigned } =
    visit.state.QueryLanguage === "JSONata" ? await byJsonata(visit, fields, result) : byPath(visit, fields, result);
  return { output: withinDataLimit(visit, output), assigned: withinDataLimit(visit, assigned), next: fields.Next };
}

type Values = Pick<Outcome, "output" | "assigned">;

function byPath(visit: Visit, fields: OutputFields, result: Result): Values {
  const selected = fields.ResultSelector === undefined ? result.value : fill(fields.ResultSelector, { visit, data: result.value });
  const assigned = fields.Assign === undefined ? {} : fillObject(fields.Assign, { visit, data: selected });
  const placed = placeResult(visit, fields.ResultPath, selected);
  return { output: select(fields.OutputPath, { visit, data: placed }), assigned };
}

async function byJsonata(visit: Visit, fields: OutputFields, { value, isWork }: Result): Promise<Values> {
  const evaluation = { visit, ...(isWork ? { result: value } : {}) };
  const assigned = fields.Assign === undefined ? {} : await evaluateObject(fields.Assign, "Assign", evaluation);
  const output = fields.Output === undefined ? value : await evaluate(fields.Output, "Output", evaluation);
  return { output, assigned };
}
