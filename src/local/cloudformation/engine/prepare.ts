import { evaluateConditions } from "./conditions.ts";
import { type Instance, instantiate } from "./instance.ts";
import type { StackParameter } from "./parameters.ts";
import { checkRules } from "./rules.ts";
import { scopeOf, type StackScope } from "./stack-scope.ts";
import type { Template } from "./template/template.ts";

/** A template with its parameters, ready to be planned or carried out. */
export interface Prepared {
  readonly template: Template;
  readonly instance: Instance;
  /** Add the resources, and expressions can be evaluated. */
  readonly scope: Omit<StackScope, "resources">;
}

/** What {@link prepare} puts together. */
export interface Preparation {
  readonly template: Template;
  readonly parameters: readonly StackParameter[];
  readonly stack: StackScope["stack"];
  importValue(name: string): string;
}

/**
 * Decides rules and conditions and takes the template's instance.
 * @throws AwsError ValidationError where a rule is broken or the template does not fit together
 */
export function prepare({ template, parameters, stack, importValue }: Preparation): Prepared {
  const scope = { template, parameters, stack, importValue };
  const parameterScope = scopeOf({ ...scope, resources: new Map() });
  checkRules(template, parameterScope);
  return { template, scope, instance: instantiate(template, evaluateConditions(template, parameterScope)) };
}
