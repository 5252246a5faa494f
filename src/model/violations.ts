import { shapes } from "./generated/tables.ts";
import type { ListShape, MapShape, NumberShape, Shape, StringShape, StructureShape } from "./shape.ts";

/** A value that breaks a constraint: where it is, what it is, and what it must be. */
export interface Violation {
  readonly path: string;
  readonly value: unknown;
  readonly must: string;
}

const shapeNamed = (name: string): Shape => {
  const shape = (shapes as Readonly<Record<string, Shape>>)[name];
  if (shape === undefined) throw new Error(`the model has no shape ${name}`);
  return shape;
};

/**
 * Every violation in a value, outermost first. Members that the model does not know are passed over; null counts as absent.
 * The path is the service's: `parameterTemplate.reads.member.description`, list items from 1 (`items.1.member`).
 */
export function violationsOf(shapeName: string, value: unknown, path: string): readonly Violation[] {
  const shape = shapeNamed(shapeName);
  switch (shape.type) {
    case "string":
      return typeof value === "string" ? stringViolations(shape, value, path) : [wrongType("a string", value, path)];
    case "integer":
    case "long":
      return numberViolations(shape, value, path);
    case "boolean":
      return typeof value === "boolean" ? [] : [wrongType("a boolean", value, path)];
    case "blob":
      return isBase64(value) ? [] : [wrongType("base64 text", value, path)];
    case "timestamp":
      return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? [] : [wrongType("an ISO 8601 text", value, path)];
    case "document":
      return [];
    case "list":
      return Array.isArray(value) ? listViolations(shape, value, path) : [wrongType("a list", value, path)];
    case "map":
      return isRecord(value) ? mapViolations(shape, value, path) : [wrongType("a map", value, path)];
    case "structure":
      return isRecord(value) ? structureViolations(shape, value, path) : [wrongType("a structure", value, path)];
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

const isBase64 = (value: unknown): boolean => typeof value === "string" && isBase64Text(value);

// A definition may have megabytes: one pass of the pattern over the text, and the padding decides the length.
const isBase64Text = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

const wrongType = (wanted: string, value: unknown, path: string): Violation => ({ path, value, must: `Member must be ${wanted}` });

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  // `u`, not `v`: the model's classes hold `||`, which `v` refuses.
  const fresh = new RegExp(`^(?:${pattern})$`, "u");
  patterns.set(pattern, fresh);
  return fresh;
}

/** What a text must be and is not. Lengths count Unicode code points, as the service's own validator does. */
function brokenByText(shape: StringShape, value: string): readonly string[] {
  const length = [...value].length;
  return [
    ...(shape.max !== undefined && length > shape.max ? [`Member must have length less than or equal to ${shape.max}`] : []),
    ...(shape.min !== undefined && length < shape.min ? [`Member must have length greater than or equal to ${shape.min}`] : []),
    ...(shape.pattern !== undefined && !compiled(shape.pattern).test(value)
      ? [`Member must satisfy regular expression pattern: ${shape.pattern}`]
      : []),
    ...(shape.enum !== undefined && !shape.enum.includes(value) ? [`Member must satisfy enum value set: [${shape.enum.join(", ")}]`] : []),
  ];
}

const stringViolations = (shape: StringShape, value: string, path: string): readonly Violation[] =>
  brokenByText(shape, value).map((must) => ({ path, value, must }));

function numberViolations({ min, max, type }: NumberShape, value: unknown, path: string): readonly Violation[] {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return [wrongType("an integer", value, path)];
  const lowest = min ?? (type === "integer" ? -(2 ** 31) : Number.MIN_SAFE_INTEGER);
  const highest = max ?? (type === "integer" ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER);
  if (value > highest) return [{ path, value, must: `Member must have value less than or equal to ${highest}` }];
  return value < lowest ? [{ path, value, must: `Member must have value greater than or equal to ${lowest}` }] : [];
}

function sizeViolations({ min, max }: ListShape | MapShape, size: number, at: Omit<Violation, "must">): readonly Violation[] {
  if (max !== undefined && size > max) return [{ ...at, must: `Member must have length less than or equal to ${max}` }];
  return min !== undefined && size < min ? [{ ...at, must: `Member must have length greater than or equal to ${min}` }] : [];
}

/** Scalars inside a list or map are reported together, at the collection: the service words them so. */
function scalarViolations(shapeName: string, values: readonly string[]): string | undefined {
  const shape = shapeNamed(shapeName);
  if (shape.type !== "string") return undefined;
  const broken = new Set(values.flatMap((value) => brokenByText(shape, value)));
  return broken.size === 0 ? undefined : [...broken].join(", ");
}

function listViolations(shape: ListShape, value: readonly unknown[], path: string): readonly Violation[] {
  const size = sizeViolations(shape, value.length, { path, value });
  const broken = scalarViolations(
    shape.member,
    value.filter((item) => typeof item === "string"),
  );
  const items = value.flatMap((item, index) =>
    broken !== undefined && typeof item === "string" ? [] : itemViolations(shape.member, item, `${path}.${index + 1}.member`),
  );
  return [...size, ...(broken === undefined ? [] : [{ path, value, must: `Member must satisfy constraint: [${broken}]` }]), ...items];
}

function itemViolations(shapeName: string, item: unknown, path: string): readonly Violation[] {
  return isAbsent(item) ? [{ path, value: item, must: "Member must not be null" }] : violationsOf(shapeName, item, path);
}

function mapViolations(shape: MapShape, value: Readonly<Record<string, unknown>>, path: string): readonly Violation[] {
  const entries = Object.entries(value);
  const keys = scalarViolations(
    shape.key,
    entries.map(([key]) => key),
  );
  const values = scalarViolations(
    shape.value,
    entries.map(([, item]) => item).filter((item) => typeof item === "string"),
  );
  return [
    ...sizeViolations(shape, entries.length, { path, value }),
    ...(keys === undefined ? [] : [{ path, value, must: `Map keys must satisfy constraint: [${keys}]` }]),
    ...(values === undefined ? [] : [{ path, value, must: `Map value must satisfy constraint: [${values}]` }]),
    ...entries.flatMap(([key, item]) =>
      values !== undefined && typeof item === "string" ? [] : itemViolations(shape.value, item, `${path}.${key}.member`),
    ),
  ];
}

/** The violations of a structure's members. Paths of a request's own members have nothing in front. */
export function structureViolations(shape: StructureShape, value: Readonly<Record<string, unknown>>, path: string): readonly Violation[] {
  const at = (member: string): string => (path === "" ? member : `${path}.${member}`);
  const missing = (shape.required ?? [])
    .filter((member) => isAbsent(value[member]))
    .map((member) => ({ path: at(member), value: null, must: "Member must not be null" }));
  const given = Object.entries(shape.members).filter(([member]) => !isAbsent(value[member]));
  const union =
    shape.union && given.length !== 1
      ? [{ path, value, must: `Member must have exactly one of: [${Object.keys(shape.members).join(", ")}]` }]
      : [];
  return [...missing, ...union, ...given.flatMap(([member, of]) => violationsOf(of.shape, value[member], at(member)))];
}
