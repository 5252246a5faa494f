import type { Json } from "../resource-provider.ts";
import { formatError, templateError } from "./errors.ts";
import { evaluateValue } from "./intrinsics/evaluate.ts";
import type { Scope } from "./intrinsics/scope.ts";
import { asIntrinsic, references } from "./template/expressions.ts";
import type { Template } from "./template/template.ts";
import { isList, isObject, isSame, type Value } from "./values.ts";

/** The truth of each condition, by name. */
export type Conditions = Readonly<Record<string, boolean>>;

/**
 * Decides every condition of the template.
 * @param scope parameters and mappings; resources do not exist yet
 * @throws AwsError ValidationError where a condition is no boolean operation, names one that is not there, or needs itself
 */
export function evaluateConditions(template: Template, scope: Scope): Conditions {
  const decided: Record<string, boolean> = {};
  const underWay: string[] = [];
  const unresolved = Object.values(template.conditions).flatMap((node) =>
    [...references(node)].filter(({ name }) => !(name in template.parameters) && !name.startsWith("AWS::")).map(({ name }) => name),
  );
  if (unresolved.length > 0)
    throw formatError(
      `Unresolved dependencies [${[...new Set(unresolved)].join(", ")}]. Cannot reference resources in the Conditions block of the template`,
    );
  for (const name of Object.keys(template.conditions)) named(name);
  return decided;

  function named(name: string): boolean {
    const found = decided[name];
    if (found !== undefined) return found;
    const node = template.conditions[name];
    if (node === undefined) throw formatError(`Unresolved condition dependency ${name} in the Conditions block of the template`);
    if (underWay.includes(name))
      throw formatError(`Circular dependencies between conditions: [${[...underWay.slice(underWay.indexOf(name)), name].join(" -> ")}]`);
    underWay.push(name);
    const truth = decide(node, { scope, named });
    underWay.pop();
    decided[name] = truth;
    return truth;
  }
}

/** Where a boolean expression looks things up. */
export interface Truths {
  readonly scope: Scope;
  /** The truth of another condition. */
  named(name: string): boolean;
}

const OPERATIONS: Readonly<Record<string, (items: readonly Json[], truths: Truths) => boolean | undefined>> = {
  "Fn::And": (items, truths) => (isCount(items, 2, 10) ? items.every((item) => decide(item, truths)) : undefined),
  "Fn::Or": (items, truths) => (isCount(items, 2, 10) ? items.some((item) => decide(item, truths)) : undefined),
  "Fn::Not": (items, truths) => (isCount(items, 1, 1) ? !decide(items[0] as Json, truths) : undefined),
  "Fn::Equals": (items, truths) => (isCount(items, 2, 2) ? isEqual(items.map((item) => evaluateValue(item, truths.scope))) : undefined),
  "Fn::Contains": contains,
  "Fn::EachMemberEquals": (items, truths) => listAnd(items, truths, (list, other) => list.every((item) => isEqual([item, other]))),
  "Fn::EachMemberIn": (items, truths) =>
    listAnd(items, truths, (list, other) =>
      isList<Value>(other) ? list.every((item) => other.some((candidate) => isEqual([item, candidate]))) : undefined,
    ),
};

/**
 * Decides a boolean expression: Fn::And, Fn::Or, Fn::Not, Fn::Equals, a condition by name, and in rules Fn::Contains,
 * Fn::EachMemberEquals and Fn::EachMemberIn.
 */
export function decide(node: Json, truths: Truths): boolean {
  if (isObject(node) && typeof node["Condition"] === "string" && Object.keys(node).length === 1) return truths.named(node["Condition"]);
  if (node === true || node === false) return node;
  if (node === "true" || node === "false") return node === "true";
  const intrinsic = asIntrinsic(node);
  const operation = intrinsic && OPERATIONS[intrinsic.name];
  if (!operation) throw templateError("Conditions can only be boolean operations on parameters and other conditions");
  const truth = operation(isList<Json>(intrinsic.argument) ? intrinsic.argument : [], truths);
  if (truth === undefined) throw templateError(`every ${intrinsic.name} object requires ${ARGUMENTS[intrinsic.name] ?? "a list"}`);
  return truth;
}

const ARGUMENTS: Readonly<Record<string, string>> = {
  "Fn::And": "a list of at least 2 and at most 10 boolean parameters.",
  "Fn::Or": "a list of at least 2 and at most 10 boolean parameters.",
  "Fn::Not": "one boolean parameter.",
  "Fn::Equals": "a list of 2 string parameters.",
  "Fn::Contains": "two parameters, a list of strings and a string.",
  "Fn::EachMemberEquals": "two parameters, a list of strings and a string.",
  "Fn::EachMemberIn": "two parameters, both lists of strings.",
};

const isCount = (items: readonly Json[], least: number, most: number): boolean => items.length >= least && items.length <= most;

// Parameters are texts: 1 in a mapping equals "1" in a parameter.
function isEqual(values: readonly Value[]): boolean {
  const [a, b] = values.map((value) => (typeof value === "number" || typeof value === "boolean" ? String(value) : value));
  return isSame(a, b);
}

function contains(items: readonly Json[], truths: Truths): boolean | undefined {
  return listAnd(items, truths, (list, other) => list.some((item) => isEqual([item, other])));
}

function listAnd(
  items: readonly Json[],
  { scope }: Truths,
  test: (list: readonly Value[], other: Value) => boolean | undefined,
): boolean | undefined {
  const [list, other] = items.map((item) => evaluateValue(item, scope));
  return isList<Value>(list) && other !== undefined && items.length === 2 ? test(list, other) : undefined;
}
