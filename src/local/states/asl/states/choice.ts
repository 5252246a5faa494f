import { holds } from "../choice.ts";
import { complete } from "../complete.ts";
import type { ChoiceRule, ChoiceState } from "../definition.ts";
import { StatesError } from "../errors.ts";
import { evaluate, evaluateObject, evaluationFailed } from "../jsonata.ts";
import { fillObject, select } from "../jsonpath.ts";
import { isObject, type Json } from "../json.ts";
import { failure, type Outcome, type Visit, withinDataLimit } from "../run.ts";

/**
 * Goes where the first rule that holds points to, else to Default. A rule's own Assign and Output stand in for the state's.
 * @throws StateFailed with States.NoChoiceMatched when no rule holds and there is no Default
 * @see https://states-language.net/#choice-state
 */
export async function runChoice(visit: Visit<ChoiceState>): Promise<Outcome> {
  const { QueryLanguage, InputPath, Default } = visit.state;
  const isJsonata = QueryLanguage === "JSONata";
  const data = isJsonata ? visit.input : select(InputPath, { visit, data: visit.input });
  const rule = isJsonata ? await ruleByCondition(visit) : visit.state.Choices.find((candidate) => holds(candidate, { visit, data }));
  if (rule !== undefined) return takeRule(visit, rule, data);
  if (Default === undefined)
    throw failure(visit, StatesError.noChoiceMatched, "No rule of the Choice state matches the input and it has no Default.");
  return { ...(await complete(visit, { value: data, isWork: false })), next: Default };
}

async function ruleByCondition(visit: Visit<ChoiceState>): Promise<ChoiceRule | undefined> {
  for (const [index, rule] of visit.state.Choices.entries()) {
    const field = `Choices[${index}]/Condition`;
    const isMatch = await evaluate(rule["Condition"] ?? null, field, { visit });
    if (typeof isMatch !== "boolean")
      throw evaluationFailed(visit, field, `The ${field} is ${JSON.stringify(isMatch)}, not true or false.`);
    if (isMatch) return rule;
  }
  return undefined;
}

async function takeRule(visit: Visit<ChoiceState>, rule: ChoiceRule, data: Json): Promise<Outcome> {
  const { Assign, Output, Next } = rule;
  const template = isObject(Assign) ? Assign : {};
  if (visit.state.QueryLanguage === "JSONata") {
    const output = Output === undefined ? data : await evaluate(Output, "Choices/Output", { visit });
    const assigned = await evaluateObject(template, "Choices/Assign", { visit });
    return { output: withinDataLimit(visit, output), assigned: withinDataLimit(visit, assigned), next: String(Next) };
  }
  const output = select(visit.state.OutputPath, { visit, data });
  return { output, assigned: withinDataLimit(visit, fillObject(template, { visit, data })), next: String(Next) };
}
