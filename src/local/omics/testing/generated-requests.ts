import { operations } from "../../../model/generated/tables.ts";
import type { OperationName } from "../../../model/validate.ts";
import { seeded, validRequest } from "./generate.ts";
import { invalidRequest } from "./generate-invalid.ts";

export type GeneratedRequest = Readonly<Record<string, unknown>>;

/** Every operation of the workflow side. */
export const names = Object.keys(operations) as readonly OperationName[];

/** Answer 501 until somebody builds them. */
export const isServed = (operation: OperationName): boolean => !/RunCache|Batch|Configuration|Share/.test(operation);

/** So many requests that the model accepts, and so many that it refuses; the same in every run. */
export function requestsOf(
  operation: OperationName,
  rounds: number,
): { readonly valid: readonly GeneratedRequest[]; readonly invalid: readonly GeneratedRequest[] } {
  const next = seeded(operation.length * 7919 + operation.charCodeAt(3));
  const times = Array.from({ length: rounds });
  return {
    valid: times.map(() => validRequest(operation, next)),
    invalid: times.map(() => invalidRequest(operation, next)).filter((input) => input !== undefined),
  };
}
