import type { Rule } from "../rule.ts";
import { CAUTIONS } from "./lint/cautions.ts";
import { REFUSALS } from "./lint/refusals.ts";

/** The rules of WDL: what HealthOmics would refuse, or do differently without a word. */
export const wdlRules: readonly Rule[] = [...REFUSALS, ...CAUTIONS];

const BY_ID: ReadonlyMap<string, Rule> = new Map(wdlRules.map((rule) => [rule.id, rule]));

/** The rule with this id. @throws Error when none has it: a finding names only listed rules */
export function ruleOf(id: string): Rule {
  const rule = BY_ID.get(id);
  if (!rule) throw new Error(`no WDL rule is called "${id}"`);
  return rule;
}
