import type { Json } from "../resource-provider.ts";
import { decide } from "./conditions.ts";
import { formatError, templateError, validationError } from "./errors.ts";
import type { Scope } from "./intrinsics/scope.ts";
import type { Template } from "./template/template.ts";
import { isList, isObject } from "./values.ts";

/**
 * Checks every rule of the template against the parameters.
 * @throws AwsError ValidationError with the descriptions of all assertions that do not hold
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
 */
export function checkRules(template: Template, scope: Scope): void {
  const failures = Object.entries(template.rules).flatMap(([name, rule]) => {
    if (rule["RuleCondition"] !== undefined && !decide(rule["RuleCondition"], { scope, named })) return [];
    return assertions(name, rule["Assertions"])
      .filter((assertion) => !decide(assertion["Assert"] as Json, { scope, named }))
      .map((assertion) => `[${name}] ${String(assertion["AssertDescription"] ?? "an assertion of the rule does not hold")}`);
  });
  if (failures.length > 0) throw validationError(`Template validation error: assertion failed for rule ${failures.join("; ")}`);
}

function named(): never {
  throw templateError("Rules can only use rule-specific intrinsic functions on parameters, not conditions");
}

function assertions(rule: string, given: Json | undefined): readonly Readonly<Record<string, Json>>[] {
  if (!isList<Json>(given) || !given.every((item) => isObject(item) && item["Assert"] !== undefined))
    throw formatError(`[/Rules/${rule}/Assertions] Every rule needs a list of assertions, each with an Assert member.`);
  return given as readonly Readonly<Record<string, Json>>[];
}
