import { operations, shapes } from "./generated/tables.ts";
import { structureViolations, violationsOf, type Violation } from "./violations.ts";
import type { Shape } from "./shape.ts";

/** The operations of HealthOmics's workflow side. */
export type OperationName = keyof typeof operations;

/**
 * What HealthOmics says of a request that breaks its model, all violations in one message; undefined when it breaks nothing.
 * Unknown members are tolerated. The wording is the service's, seen in awslabs/aws-healthomics-tutorials#62:
 * `2 validation errors detected: Value 'x' at 'y' failed to satisfy constraint: Member must …; Value …`.
 */
export function validate(operation: OperationName, input: Readonly<Record<string, unknown>>): string | undefined {
  return messageOf(requestViolations(operation, input));
}

/** The same for a value of one shape, wherever it came from: a registry map in a file, say. */
export function validateValue(shape: keyof typeof shapes, value: unknown, path: string): string | undefined {
  return messageOf(violationsOf(shape, value, path));
}

function messageOf(violations: readonly Violation[]): string | undefined {
  if (violations.length === 0) return undefined;
  const noun = violations.length === 1 ? "validation error" : "validation errors";
  return `${violations.length} ${noun} detected: ${violations.map(sentence).join("; ")}`;
}

/** The violations of a request, one by one: for a client that shows them beside its fields. */
export function requestViolations(operation: OperationName, input: Readonly<Record<string, unknown>>): readonly Violation[] {
  const shape = (shapes as Readonly<Record<string, Shape>>)[operations[operation].input];
  return shape?.type === "structure" ? structureViolations(shape, input, "") : [];
}

const sentence = ({ path, value, must }: Violation): string => `${quoted(value)} at '${path}' failed to satisfy constraint: ${must}`;

// A definition or a README would otherwise come back whole in the message.
const LONGEST_QUOTE = 1024;

function quoted(value: unknown): string {
  if (value === null || value === undefined) return "Value null";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `Value '${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text}'`;
}
