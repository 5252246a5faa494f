import { operations, otherOperations } from "./generated/tables.ts";
import type { OperationName } from "./validate.ts";

/** What a request line asks of HealthOmics. */
export type Route =
  | { readonly kind: "operation"; readonly operation: OperationName; readonly labels: Readonly<Record<string, string>> }
  /** An operation of the service outside the workflow side (stores and reads): known by name, not served. */
  | { readonly kind: "other"; readonly operation: string };

interface Entry {
  readonly name: string;
  readonly method: string;
  readonly segments: readonly string[];
  readonly isServed: boolean;
}

const entriesOf = (table: Readonly<Record<string, { method: string; uri: string }>>, isServed: boolean): readonly Entry[] =>
  Object.entries(table).map(([name, { method, uri }]) => ({ name, method, segments: uri.split("/").slice(1), isServed }));

const isLabel = (segment: string): boolean => segment.startsWith("{");

const literals = (entry: Entry): number => entry.segments.filter((segment) => !isLabel(segment)).length;

// `/runBatch/cancel` before `/runBatch/{batchId}`: the path with more literal segments wins.
const entries = [...entriesOf(operations, true), ...entriesOf(otherOperations, false)].sort((a, b) => literals(b) - literals(a));

/**
 * The operation that `method` and `path` name, or undefined. Segments are decoded after the path is split,
 * so that an ARN may travel as one percent-encoded segment (`/tags/arn%3Aaws%3A…`).
 */
export function routeOf(method: string, path: string): Route | undefined {
  const segments = path.split("/").slice(1);
  for (const entry of entries) {
    if (entry.method !== method) continue;
    const labels = match(entry.segments, segments);
    if (labels === undefined) continue;
    return entry.isServed
      ? { kind: "operation", operation: entry.name as OperationName, labels }
      : { kind: "other", operation: entry.name };
  }
  return undefined;
}

function match(pattern: readonly string[], segments: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (!isLabel(part)) {
      if (part !== segment) return undefined;
      continue;
    }
    const value = decoded(segment);
    if (value === undefined || value === "") return undefined;
    labels[part.slice(1, -1)] = value;
  }
  return labels;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
