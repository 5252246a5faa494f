import { complete } from "../complete.ts";
import type { SucceedState } from "../definition.ts";
import { select } from "../jsonpath.ts";
import type { Outcome, Visit } from "../run.ts";

/** Ends its line of states with success. https://states-language.net/#succeed-state */
export function runSucceed(visit: Visit<SucceedState>): Promise<Outcome> {
  const { QueryLanguage, InputPath } = visit.state;
  const value = QueryLanguage === "JSONata" ? visit.input : select(InputPath, { visit, data: visit.input });
  return complete(visit, { value, isWork: false });
}
