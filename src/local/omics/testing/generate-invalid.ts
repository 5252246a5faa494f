import { shapes } from "../../../model/generated/tables.ts";
import type { ListShape, MapShape, Member, Shape, StructureShape } from "../../../model/shape.ts";
import type { OperationName } from "../../../model/validate.ts";
import { inputOf, oneOf, valueOf, validRequest, type Next } from "./generate.ts";

const named = (name: string): Shape => (shapes as Readonly<Record<string, Shape>>)[name]!;

/** Makes a value with one violation, somewhere in it. */
type Breakage = () => unknown;

/** A request with one violation, at any depth; undefined when the operation has no member that can be wrong. */
export function invalidRequest(operation: OperationName, next: Next): Record<string, unknown> | undefined {
  const groups = brokenMembers(inputOf(operation), next);
  if (groups.length === 0) return undefined;
  return { ...validRequest(operation, next), ...oneOf(next, oneOf(next, groups))() };
}

type BrokenMember = () => Record<string, unknown>;

/** Ways to break a structure, by member: it is missing, or its value is wrong. The path can't be left out of a request. */
function brokenMembers({ required = [], members }: StructureShape, next: Next): readonly (readonly BrokenMember[])[] {
  const groups = Object.entries(members).flatMap(([name, member]) => [
    required.includes(name) && member.location !== "uri" ? [() => ({ [name]: undefined })] : [],
    breakagesOf(member, next).map((breakage) => () => ({ [name]: breakage() })),
  ]);
  return groups.filter((group) => group.length > 0);
}

function breakagesOf({ shape: name, location }: Pick<Member, "shape" | "location">, next: Next): readonly Breakage[] {
  const shape = named(name);
  // In the path and the query everything is text: nothing is of a wrong kind there, and a list there is repeated.
  if (location !== undefined)
    return shape.type === "list"
      ? []
      : scalar(shape)
          .filter((value) => value !== "")
          .map((value) => () => value);
  return [...wrongKinds(shape), ...scalar(shape)].map((value) => () => value).concat(inside(name, shape, next));
}

function wrongKinds({ type }: Shape): readonly unknown[] {
  const kinds = {
    string: "text",
    integer: 7,
    long: 7,
    boolean: true,
    blob: "text",
    list: [],
    map: {},
    structure: {},
    timestamp: "text",
    document: undefined,
  };
  if (type === "document") return [];
  const wrong = ["text", 7, true, ["a"], { a: "b" }].filter((value) => kindOf(value) !== kindOf(kinds[type]));
  return type === "integer" || type === "long" ? [...wrong, 1.5] : wrong;
}

const kindOf = (value: unknown): string => (Array.isArray(value) ? "list" : typeof value);

/** Values that are wrong in themselves. */
function scalar(shape: Shape): readonly unknown[] {
  switch (shape.type) {
    case "string":
      return [
        ...(shape.enum ? ["NOT_A_VALUE", shape.enum[0]?.toLowerCase()] : []),
        ...(shape.max === undefined || shape.enum ? [] : ["7".repeat(shape.max + 1)]),
        ...(shape.pattern === undefined ? [] : ["\u0007", "line\nline\u0000"]),
        ...((shape.min ?? 0) > 0 ? [""] : []),
      ];
    case "integer":
    case "long":
      return [...(shape.min === undefined ? [] : [shape.min - 1]), ...(shape.max === undefined ? [] : [shape.max + 1]), 2 ** 31];
    case "blob":
      return ["not base64!", "abc"];
    default:
      return [];
  }
}

/** Breakages of what a value holds, the rest of it being right. */
function inside(name: string, shape: Shape, next: Next): readonly Breakage[] {
  switch (shape.type) {
    case "structure":
      return shape.union
        ? insideUnion(shape, next)
        : brokenMembers(shape, next)
            .flat()
            .map((members) => () => ({ ...(valueOf(name, next) as object), ...members() }));
    case "list":
      return insideList(shape, next);
    case "map":
      return insideMap(shape, next);
    default:
      return [];
  }
}

const insideUnion = (shape: StructureShape, next: Next): readonly Breakage[] => [
  ...brokenMembers(shape, next).flat(),
  () => ({}),
  () => Object.fromEntries(Object.entries(shape.members).map(([member, of]) => [member, valueOf(of.shape, next)])),
];

const insideList = ({ member, min = 0, max }: ListShape, next: Next): readonly Breakage[] => [
  ...breakagesOf({ shape: member }, next).map((breakage) => () => [valueOf(member, next), breakage()].slice(-(max ?? 2))),
  ...(max === undefined ? [] : [() => Array.from({ length: max + 1 }, () => valueOf(member, next))]),
  ...(min > 0 ? [() => []] : []),
];

const insideMap = ({ key, value, min = 0, max }: MapShape, next: Next): readonly Breakage[] => [
  ...breakagesOf({ shape: value }, next).map((breakage) => () => ({ key: breakage() })),
  ...scalar(named(key)).map((broken) => () => ({ [String(broken)]: valueOf(value, next) })),
  ...(max === undefined || max > 100
    ? []
    : [() => Object.fromEntries(Array.from({ length: max + 1 }, (_, index) => [`k${index}`, valueOf(value, next)]))]),
  ...(min > 0 ? [() => ({})] : []),
];
