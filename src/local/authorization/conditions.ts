import { isKnownConditionKey } from "./condition-keys.ts";
import { OPERATORS, type ValueMatcher } from "./condition-operators.ts";
import type { ConditionValues } from "./condition-values.ts";

/** `unknown` where the answer would be a guess: an Allow then does not allow, a Deny denies. */
export type Verdict = boolean | "unknown";

/** One line of a Condition element: an operator, a key and its values. */
export interface Condition {
  /** `StringEquals aws:SourceAccount`, for messages. */
  readonly label: string;
  /** The key, for messages. */
  readonly key: string;
  holds(values: ConditionValues): Verdict;
  /** What is not known about it, wherever the request lacks the key; undefined when all is. */
  readonly unknown: string | undefined;
}

type Quantifier = "any" | "all" | undefined;

interface ReadOperator {
  readonly name: string;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
}

/** Takes an operator apart: `ForAllValues:StringLikeIfExists`. */
export function readOperator(text: string): ReadOperator {
  const match = /^(?:(ForAllValues|ForAnyValue):)?(.+?)(IfExists)?$/i.exec(text);
  const prefix = match?.[1]?.toLowerCase();
  return {
    name: operatorName(match?.[2] ?? text),
    quantifier: prefix === undefined ? undefined : prefix === "forallvalues" ? "all" : "any",
    ifExists: match?.[3] !== undefined,
  };
}

// Operators are accepted in any case by AWS.
const CANONICAL = new Map([...Object.keys(OPERATORS), "Null"].map((name) => [name.toLowerCase(), name]));
const operatorName = (text: string): string => CANONICAL.get(text.toLowerCase()) ?? text;

/** Whether the operator, with whatever prefix and suffix, is one of the policy language. */
export const isKnownOperator = (text: string): boolean => {
  const { name, ifExists } = readOperator(text);
  return Object.hasOwn(OPERATORS, name) || (name === "Null" && !ifExists);
};

/** Compiles one operator and key of a Condition element. */
export function compileCondition(of: {
  readonly operator: string;
  readonly key: string;
  readonly wanted: readonly string[];
  readonly variables: boolean;
}): Condition {
  const { operator, key, wanted } = of;
  const label = `${operator} ${key}`;
  const always = (unknown: string): Condition => ({ label, key, holds: () => "unknown", unknown });
  if (!isKnownOperator(operator)) return always(`the condition operator "${operator}" is not known`);
  const { name, quantifier, ifExists } = readOperator(operator);
  const lowerKey = key.toLowerCase();
  const unknown = isKnownConditionKey(lowerKey) ? undefined : `the condition key "${key}" is not known`;
  // A key that nobody here knows may still be what the service itself puts into the request.
  const guarded = (holds: (values: ConditionValues) => Verdict): Condition => ({
    label,
    key,
    unknown,
    holds: (values) => (unknown !== undefined && values.all(lowerKey) === undefined ? "unknown" : holds(values)),
  });
  if (name === "Null") return guarded(nullHolds(lowerKey, wanted));
  const { isNegated, prepare } = OPERATORS[name] as (typeof OPERATORS)[string];
  const matchers = wanted.map((text) => prepare(text, of.variables));
  const wrong = wanted[matchers.indexOf(undefined)];
  if (matchers.includes(undefined)) return always(`"${wrong}" is not a value for the condition operator "${operator}"`);
  return guarded(compare({ lowerKey, matchers: matchers as ValueMatcher[], isNegated, quantifier, ifExists }));
}

const nullHolds =
  (lowerKey: string, wanted: readonly string[]) =>
  (values: ConditionValues): boolean => {
    const isAbsent = values.all(lowerKey) === undefined;
    return wanted.some((text) => (text.toLowerCase() === "true") === isAbsent);
  };

interface Comparison {
  readonly lowerKey: string;
  readonly matchers: readonly ValueMatcher[];
  readonly isNegated: boolean;
  readonly quantifier: Quantifier;
  readonly ifExists: boolean;
}

function compare({ lowerKey, matchers, isNegated, quantifier, ifExists }: Comparison): (values: ConditionValues) => Verdict {
  const whenAbsent = ifExists || quantifier === "all" || (quantifier === undefined && isNegated);
  return (values) => {
    const present = values.all(lowerKey);
    if (present === undefined || present.length === 0) return whenAbsent;
    const one = (value: string): Verdict => satisfies(value, { matchers, isNegated }, values);
    // Without a set operator a negated condition fails as soon as one value is named.
    const everyMustHold = quantifier === "all" || (quantifier === undefined && isNegated);
    return everyMustHold ? conjunction(present.map(one)) : disjunction(present.map(one));
  };
}

function satisfies(
  value: string,
  { matchers, isNegated }: { readonly matchers: readonly ValueMatcher[]; readonly isNegated: boolean },
  values: ConditionValues,
): Verdict {
  let isUnresolved = false;
  for (const matches of matchers) {
    const matched = matches(value, values);
    if (matched === true) return !isNegated;
    if (matched === undefined) isUnresolved = true;
  }
  // A policy variable without a value matches nothing; a negated operator must not take that for permission.
  return isNegated && isUnresolved ? "unknown" : isNegated;
}

const conjunction = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.includes(false) ? false : verdicts.includes("unknown") ? "unknown" : true;
const disjunction = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.includes(true) ? true : verdicts.includes("unknown") ? "unknown" : false;

/** Whether all conditions of a statement hold. */
export function allHold(conditions: readonly Condition[], values: ConditionValues): Verdict {
  let verdict: Verdict = true;
  for (const condition of conditions) {
    const one = condition.holds(values);
    if (one === false) return false;
    if (one === "unknown") verdict = "unknown";
  }
  return verdict;
}
