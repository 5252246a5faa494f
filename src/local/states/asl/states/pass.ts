import { complete } from "../complete.ts";
import type { PassState } from "../definition.ts";
import { fill, select } from "../jsonpath.ts";
import type { Json } from "../json.ts";
import type { Outcome, Visit } from "../run.ts";

/** Hands on its input, a constant, or what its template makes of the input. https://states-language.net/#pass-state */
export function runPass(visit: Visit<PassState>): Promise<Outcome> {
  return complete(visit, { value: visit.state.QueryLanguage === "JSONata" ? visit.input : resultByPath(visit), isWork: false });
}

function resultByPath(visit: Visit<PassState>): Json {
  const { InputPath, Parameters, Result } = visit.state;
  const data = select(InputPath, { visit, data: visit.input });
  const filled = Parameters === undefined ? data : fill(Parameters, { visit, data });
  return Result === undefined ? filled : Result;
}
