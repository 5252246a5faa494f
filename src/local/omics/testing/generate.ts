import { operations, shapes } from "../../../model/generated/tables.ts";
import type { Shape, StructureShape } from "../../../model/shape.ts";
import type { OperationName } from "../../../model/validate.ts";

/** A stream of numbers in [0, 1) that a seed decides: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Next = () => number;

const whole = (next: Next, low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
/** Any of the items. */
export const oneOf = <T>(next: Next, items: readonly T[]): T => items[whole(next, 0, items.length - 1)]!;

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const PRINTED = `${LETTERS}ABCXYZ -_.:/=+@(){}#é日|🧬`;

const text = (next: Next, length: number, letters: string): string => Array.from({ length }, () => oneOf(next, [...letters])).join("");

const EXAMPLES: Readonly<Record<string, (next: Next) => string>> = {
  "arn:.+": (next) => `arn:aws:omics:us-east-1:111122223333:run/${text(next, 5, "0123456789")}`,
  "[0-9]+": (next) => text(next, 7, "123456789"),
  "[0-9]{12}": (next) => text(next, 12, "0123456789"),
  "arn:aws(-[\\w]+)*:.+:.+:[0-9]{12}:.+": () => "arn:aws:codeconnections:us-east-1:111122223333:connection/1",
  ".+/.+": () => "owner/repository",
  "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/((.{1,1024}))": (next) => `s3://bucket/${text(next, 8, LETTERS)}`,
  "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])(/(.{0,1024}))?": (next) => `s3://bucket/${text(next, 8, LETTERS)}`,
  "arn:aws(-\\w+)*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[a-zA-Z0-9\\/_+=.@-]+": () =>
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:omics-registry/x",
  "sg-[0-9a-f]+": (next) => `sg-${text(next, 8, "0123456789abcdef")}`,
  "subnet-[0-9a-f]+": (next) => `subnet-${text(next, 8, "0123456789abcdef")}`,
};

function stringOf(shape: Extract<Shape, { type: "string" }>, next: Next): string {
  if (shape.enum) return oneOf(next, shape.enum);
  const longest = next() < 0.1 ? 512 : 40;
  const [min, max] = [shape.min ?? 1, Math.min(shape.max ?? 40, longest)];
  const example = EXAMPLES[shape.pattern ?? ""];
  if (example && shape.max === 12) return text(next, 12, "0123456789");
  if (example) return example(next);
  const isPrinted = shape.pattern === undefined || shape.pattern.includes("\\p{");
  return isPrinted
    ? text(next, whole(next, Math.max(min, 1), max), PRINTED).trim() || "x".repeat(min || 1)
    : text(next, whole(next, min, max), LETTERS);
}

/** Any of those that are allowed, the bounds themselves more often than chance would have them. */
function numberOf({ min = 0, max = 1000 }: { readonly min?: number; readonly max?: number }, next: Next): number {
  const dice = next();
  if (dice < 0.15) return min;
  return dice < 0.3 ? max : whole(next, min, max);
}

const named = (name: string): Shape => (shapes as Readonly<Record<string, Shape>>)[name]!;

/** A value that the model accepts. */
export function valueOf(name: string, next: Next): unknown {
  const shape = named(name);
  switch (shape.type) {
    case "string":
      return stringOf(shape, next);
    case "integer":
    case "long":
      return numberOf(shape, next);
    case "boolean":
      return next() < 0.5;
    case "timestamp":
      return "2026-11-21T00:00:00.000Z";
    case "blob":
      return Buffer.from(text(next, 30, LETTERS)).toString("base64");
    case "document":
      return oneOf(next, [{ a: 1 }, {}, { text: "x", list: [1, null, { b: true }] }]);
    case "list":
      return Array.from({ length: whole(next, shape.min ?? 0, Math.min(shape.max ?? 3, 3)) }, () => valueOf(shape.member, next));
    case "map": {
      const count = whole(next, shape.min ?? 0, 3);
      return Object.fromEntries(Array.from({ length: count }, () => [valueOf(shape.key, next), valueOf(shape.value, next)]));
    }
    case "structure":
      return structureOf(shape, next);
  }
}

function structureOf(shape: StructureShape, next: Next): Record<string, unknown> {
  const entries = Object.entries(shape.members);
  if (shape.union) {
    const [member, { shape: of }] = oneOf(next, entries);
    return { [member]: valueOf(of, next) };
  }
  const chosen = entries.filter(([member]) => shape.required?.includes(member) || next() < 0.5);
  // A list in the query without items is no list at all: nothing of it travels.
  return Object.fromEntries(
    chosen.map(([member, { shape: of, location }]) => [member, location === "querystring" ? nonEmpty(of, next) : valueOf(of, next)]),
  );
}

function nonEmpty(name: string, next: Next): unknown {
  const value = valueOf(name, next);
  const shape = named(name);
  return shape.type === "list" && (value as unknown[]).length === 0 ? [valueOf(shape.member, next)] : value;
}

/** The shape of an operation's request. */
export const inputOf = (operation: OperationName): StructureShape => named(operations[operation].input) as StructureShape;

/** A request that the model accepts. */
export const validRequest = (operation: OperationName, next: Next): Record<string, unknown> => structureOf(inputOf(operation), next);
