/** WDL's types as values, and how they are written. */
import { createHash } from "node:crypto";

interface Quantified {
  readonly optional: boolean;
}

export interface ArrayType extends Quantified {
  readonly kind: "Array";
  readonly item: Type;
  readonly nonempty: boolean;
}

export interface MapType extends Quantified {
  readonly kind: "Map";
  readonly key: Type;
  readonly value: Type;
  /** The keys of a map literal whose keys are plain strings: such a map may become a struct. */
  readonly literalKeys?: ReadonlySet<string>;
}

export interface PairType extends Quantified {
  readonly kind: "Pair";
  readonly left: Type;
  readonly right: Type;
}

export interface StructType extends Quantified {
  readonly kind: "Struct";
  readonly name: string;
  /** Set once the name is resolved in the document that writes it. */
  readonly definition?: StructDefinition;
}

/** A struct's members with resolved types, whatever name a document gives it. */
export interface StructDefinition {
  readonly members: ReadonlyMap<string, Type>;
}

/** The struct types that a document can name. */
export type StructTable = ReadonlyMap<string, StructDefinition>;

/** The type of an `object {…}` literal, on its way to a struct or a map. */
export interface ObjectType extends Quantified {
  readonly kind: "Object";
  readonly members: ReadonlyMap<string, Type>;
}

export interface PrimitiveType extends Quantified {
  readonly kind: "Boolean" | "Int" | "Float" | "String" | "File" | "Directory";
}

/** `None` and values whose type shows only at run time. `optional` is true only for `None`. */
export interface AnyType extends Quantified {
  readonly kind: "Any";
}

export type Type = PrimitiveType | ArrayType | MapType | PairType | StructType | ObjectType | AnyType;

const primitive = (kind: PrimitiveType["kind"]): PrimitiveType => Object.freeze({ kind, optional: false });
export const BOOLEAN = primitive("Boolean");
export const INT = primitive("Int");
export const FLOAT = primitive("Float");
export const STRING = primitive("String");
export const FILE = primitive("File");
export const DIRECTORY = primitive("Directory");
export const ANY: AnyType = Object.freeze({ kind: "Any", optional: false });
export const NONE: AnyType = Object.freeze({ kind: "Any", optional: true });

export const arrayOf = (item: Type, nonempty = false): ArrayType => ({ kind: "Array", item, nonempty, optional: false });
export const mapOf = (key: Type, value: Type): MapType => ({ kind: "Map", key, value, optional: false });
export const pairOf = (left: Type, right: Type): PairType => ({ kind: "Pair", left, right, optional: false });

/** The same type with or without `?`. */
export function withOptional<T extends Type>(type: T, optional: boolean): T {
  return type.optional === optional || type.kind === "Any" ? type : { ...type, optional };
}

/** The types a type is made of. */
export function parametersOf(type: Type): readonly Type[] {
  switch (type.kind) {
    case "Array":
      return [type.item];
    case "Map":
      return [type.key, type.value];
    case "Pair":
      return [type.left, type.right];
    case "Struct":
      return [...(type.definition?.members.values() ?? [])];
    case "Object":
      return [...type.members.values()];
    default:
      return [];
  }
}

/** The type as WDL writes it, and as miniwdl prints it: `Array[File]+?`, `Map[String,Int]`. */
export function printType(type: Type): string {
  const quantifier = type.optional ? "?" : "";
  switch (type.kind) {
    case "Array":
      return `Array[${printType(type.item)}]${type.nonempty ? "+" : ""}${quantifier}`;
    case "Map":
      return `Map[${printType(type.key)},${printType(type.value)}]${quantifier}`;
    case "Pair":
      return `Pair[${printType(type.left)},${printType(type.right)}]${quantifier}`;
    case "Struct":
      return `${type.name}${quantifier}`;
    case "Object":
      return `object(${[...type.members]
        .map(([name, member]) => `${name} : ${printType(member)}`)
        .sort()
        .join(", ")})`;
    case "Any":
      return type.optional ? "None" : "Any";
    default:
      return type.kind + quantifier;
  }
}

/** Whether a value of the type names a file or a folder, or holds such names. */
export function holdsFiles(type: Type): boolean {
  const seen = new Set<StructDefinition>();
  const waiting = [type];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next.kind === "File" || next.kind === "Directory") return true;
    if (next.kind === "Struct") {
      if (!next.definition || seen.has(next.definition)) continue;
      seen.add(next.definition);
    }
    waiting.push(...parametersOf(next));
  }
  return false;
}

const SHAPES = new WeakMap<StructDefinition, string>();

/** The members of a definition as a text that is equal for equal definitions, whatever their names. */
export function structShape(definition: StructDefinition): string {
  const known = SHAPES.get(definition);
  if (known !== undefined) return known;
  // A struct that holds itself meets this entry and stops.
  SHAPES.set(definition, "struct(…)");
  const members = [...definition.members].map(([name, type]) => {
    const nested = type.kind === "Struct" && type.definition;
    return `${name} : ${nested ? structShape(nested) + (type.optional ? "?" : "") : printType(type)}`;
  });
  const whole = `struct(${members.sort().join(", ")})`;
  // Shapes of shapes double in length: a long one is as good by its digest.
  const shape = whole.length > 4096 ? `struct#${createHash("sha256").update(whole).digest("hex")}` : whole;
  SHAPES.set(definition, shape);
  return shape;
}
