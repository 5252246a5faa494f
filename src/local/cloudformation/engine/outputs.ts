import { formatError } from "./errors.ts";
import type { Instance } from "./instance.ts";
import { evaluateValue } from "./intrinsics/evaluate.ts";
import type { Scope } from "./intrinsics/scope.ts";
import { scalarText, UNKNOWN, type Value } from "./values.ts";

/** An output of a stack. */
export interface Output {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

/** An output whose value may not be known yet. */
export type PlannedOutput = Omit<Output, "value"> & { readonly value: string | typeof UNKNOWN };

/**
 * Evaluates every output.
 * @throws AwsError ValidationError where a value is no text, or the name of an export depends on a resource
 */
export function evaluateOutputs(instance: Instance, scope: Scope): readonly PlannedOutput[] {
  return Object.entries(instance.outputs).map(([key, { Value, Description, Export }]) => ({
    key,
    value: outputText(key, evaluateValue(Value, scope)),
    ...(Description !== undefined && { description: String(Description) }),
    ...(Export && { exportName: exportName(key, evaluateValue(Export.Name, scope)) }),
  }));
}

function outputText(key: string, value: Value): string | typeof UNKNOWN {
  const text = value === UNKNOWN ? UNKNOWN : scalarText(value);
  if (text === undefined) throw formatError(`The Value field of every Outputs member must evaluate to a String, output ${key} does not.`);
  return text;
}

function exportName(key: string, value: Value): string {
  const text = scalarText(value);
  if (text === undefined || text === "")
    throw formatError(
      `Output ${key} is malformed. The Name field of every Export member must be specified and evaluate to a non-empty String.`,
    );
  if (!/^[A-Za-z0-9:-]{1,255}$/.test(text))
    throw formatError(`Output ${key} is malformed. An export's name has only letters, digits, colons and hyphens, "${text}" does not.`);
  return text;
}
