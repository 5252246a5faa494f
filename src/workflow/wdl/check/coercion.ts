/** Which type may stand where another is expected, as miniwdl 1.16 rules it (its Type.py). */
import {
  ANY,
  FLOAT,
  type MapType,
  type ObjectType,
  parametersOf,
  printType,
  STRING,
  type StructDefinition,
  structShape,
  type StructType,
  type Type,
  withOptional,
} from "../types.ts";

/** Primitive types that become others by themselves. */
const BECOMES: Readonly<Record<string, readonly Type["kind"][]>> = {
  Boolean: ["String"],
  Float: ["String"],
  Int: ["Float", "String"],
  File: ["String"],
  Directory: ["String"],
  String: ["File", "Directory", "Int", "Float"],
};

/** Why a value of one type cannot become the other; undefined when it can. */
export function mismatch(from: Type, to: Type): string | undefined {
  const problem = parametersMismatch(from, to);
  if (problem !== undefined) return problem;
  // A map or an object that becomes a struct is a literal: never absent.
  if (to.kind === "Struct" && (from.kind === "Map" || from.kind === "Object")) return undefined;
  return from.optional && !to.optional && to.kind !== "Any" ? plain(from, to) : undefined;
}

export const coerces = (from: Type, to: Type): boolean => mismatch(from, to) === undefined;

const plain = (from: Type, to: Type): string => `expected ${printType(to)}, found ${printType(from)}`;

function parametersMismatch(from: Type, to: Type): string | undefined {
  if (from.kind === "Any") return undefined;
  if (from.kind === "Object") return objectMismatch(from, to);
  if (from.kind === "Map" && to.kind === "Struct") return mapToStruct(from, to);
  if (to.kind === "Any" || BECOMES[from.kind]?.includes(to.kind)) return undefined;
  if (from.kind === "Array" && to.kind === "String") return mismatch(from.item, STRING);
  if (from.kind === "Array" && to.kind === "Array") return mismatch(from.item, to.item);
  if (from.kind === "Map" && to.kind === "Map") return mismatch(from.key, to.key) ?? mismatch(from.value, to.value);
  if (from.kind === "Pair" && to.kind === "Pair") return mismatch(from.left, to.left) ?? mismatch(from.right, to.right);
  if (from.kind === "Struct" && to.kind === "Struct") return structMismatch(from, to);
  return from.kind === to.kind ? undefined : plain(from, to);
}

function objectMismatch(from: ObjectType, to: Type): string | undefined {
  if (to.kind === "Struct") return membersMismatch(from.members, to);
  if (to.kind === "Map") {
    const key = mismatch(STRING, to.key);
    return key ?? firstProblem([...from.members.values()].map((member) => mismatch(member, to.value)));
  }
  return to.kind === "Any" || to.kind === "Object" ? undefined : `expected ${printType(to)}, found an object`;
}

function mapToStruct(from: MapType, to: StructType): string | undefined {
  if (from.literalKeys) return membersMismatch(new Map([...from.literalKeys].map((key) => [key, from.value])), to);
  return printType(from.key) === "String" ? undefined : plain(from, to);
}

/** Pairs of structs already found to fit, or being compared further up (structs that hold themselves). */
const FITTING = new WeakMap<StructDefinition, WeakSet<StructDefinition>>();

function structMismatch(from: StructType, to: StructType): string | undefined {
  const { definition } = from;
  if (!definition || !to.definition || definition === to.definition) return undefined;
  const fitting = FITTING.get(definition) ?? new WeakSet();
  FITTING.set(definition, fitting);
  if (fitting.has(to.definition)) return undefined;
  fitting.add(to.definition);
  const extra = [...definition.members.keys()].find((name) => !to.definition?.members.has(name));
  const problem = membersMismatch(definition.members, to) ?? missingOrExtra(definition, to, extra);
  if (problem !== undefined) fitting.delete(to.definition);
  return problem;
}

function missingOrExtra(from: StructDefinition, to: StructType, extra: string | undefined): string | undefined {
  const missing = [...(to.definition?.members.keys() ?? [])].find((name) => !from.members.has(name));
  const different = extra ?? missing;
  return different === undefined ? undefined : `struct ${to.name} has other members: "${different}"`;
}

function membersMismatch(members: ReadonlyMap<string, Type>, to: StructType): string | undefined {
  for (const [name, type] of to.definition?.members ?? []) {
    const given = members.get(name);
    if (!given && !type.optional) return `struct ${to.name} needs the member "${name}"`;
    const problem = given && mismatch(given, type);
    if (problem !== undefined) return `member "${name}" of struct ${to.name}: ${problem}`;
  }
  return undefined;
}

const firstProblem = (problems: readonly (string | undefined)[]): string | undefined => problems.find((problem) => problem !== undefined);

/** Whether `==` may compare the two. Int and Float, String and File, are equal only outside compound types. */
export function areEquatable(a: Type, b: Type, inside = false): boolean {
  if (a.kind === "Any") return true;
  switch (a.kind) {
    case "Array":
      return b.kind === "Array" && areEquatable(a.item, b.item, true);
    case "Map":
      return b.kind === "Map" && areEquatable(a.key, b.key, true) && areEquatable(a.value, b.value, true);
    case "Pair":
      return b.kind === "Pair" && areEquatable(a.left, b.left, true) && areEquatable(a.right, b.right, true);
    case "Struct":
      return b.kind === "Struct" && Boolean(a.definition && b.definition) && shapeOf(a) === shapeOf(b);
    case "Object":
      return false;
    default:
      return b.kind === a.kind || b.kind === "Any" || (!inside && ALSO_EQUATABLE[a.kind].includes(b.kind));
  }
}

const ALSO_EQUATABLE: Readonly<Record<"Boolean" | "Int" | "Float" | "String" | "File" | "Directory", readonly Type["kind"][]>> = {
  Boolean: [],
  Int: ["Float"],
  Float: ["Int"],
  String: ["File", "Directory"],
  File: ["String"],
  Directory: ["String"],
};

const shapeOf = (type: StructType): string => (type.definition ? structShape(type.definition) : type.name);

const isNumeric = (type: Type): boolean => type.kind === "Int" || type.kind === "Float";

/** Whether `<` and its kin may compare the two. */
export function areComparable(a: Type, b: Type): boolean {
  if (a.optional || b.optional) return false;
  return (isNumeric(a) && isNumeric(b)) || (a.kind === b.kind && (a.kind === "String" || a.kind === "Boolean"));
}

/** The type that all of `types` can become; ANY when there is none. With `toString`, String as the last resort. */
export function unify(types: readonly Type[], toString = false): Type {
  const [first = ANY] = types;
  let common: Type = types.find((type) => type.kind !== "String" && type.kind !== "Any") ?? first;
  for (const type of types) {
    const wasOpenArray = common.kind === "Array" && common.item.kind === "Any";
    common = widen(common, type, toString);
    if (!wasOpenArray && hasOpenParameter(common)) return ANY;
    if (common.kind === "Object" && type.kind === "Object") common = { ...common, members: joinMembers(common.members, type.members) };
    if (common.kind === "Int" && type.kind === "Float") common = FLOAT;
    if (type.kind === "String" && common.kind !== "Array" && common.kind !== "Pair" && common.kind !== "Map") common = STRING;
  }
  const optional = types.some((type) => type.optional);
  if (common.kind === "Array") common = { ...common, nonempty: types.every((type) => type.kind !== "Array" || type.nonempty) };
  const result = withOptional(common, optional);
  if (types.every((type) => coerces(type, result))) return result;
  const textual = toString && types.every((type) => coerces(type, withOptional(STRING, true)));
  return textual ? withOptional(STRING, optional) : ANY;
}

const hasOpenParameter = (type: Type): boolean => parametersOf(type).some((part) => part.kind === "Any");

function widen(common: Type, type: Type, toString: boolean): Type {
  const join = (a: Type, b: Type): Type => unify([a, b], toString);
  if (common.kind === "Array" && type.kind === "Array" && type.item.kind !== "Any")
    return { ...common, item: join(common.item, type.item) };
  if (common.kind === "Pair" && type.kind === "Pair")
    return { ...common, left: join(common.left, type.left), right: join(common.right, type.right) };
  if (common.kind === "Map" && type.kind === "Map")
    return { ...common, key: join(common.key, type.key), value: join(common.value, type.value) };
  return common;
}

function joinMembers(a: ReadonlyMap<string, Type>, b: ReadonlyMap<string, Type>): ReadonlyMap<string, Type> {
  const joined = new Map(a);
  for (const [name, type] of b) {
    const known = a.get(name);
    joined.set(name, known ? unify([known, type]) : withOptional(type, true));
  }
  return joined;
}
