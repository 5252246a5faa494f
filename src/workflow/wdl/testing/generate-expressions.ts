/** Types and expressions of those types, written with all the freedom the grammar gives. */
import type { Choices } from "./choice.ts";

export type Shape =
  | { readonly kind: "Int" | "Float" | "String" | "Boolean" | "File" | "Directory"; readonly optional: boolean }
  | { readonly kind: "Array"; readonly item: Shape; readonly nonempty: boolean; readonly optional: boolean }
  | { readonly kind: "Map"; readonly key: Shape; readonly value: Shape; readonly optional: boolean }
  | { readonly kind: "Pair"; readonly left: Shape; readonly right: Shape; readonly optional: boolean }
  | { readonly kind: "Struct"; readonly name: string; readonly members: ReadonlyMap<string, Shape>; readonly optional: boolean };

/** What an expression may refer to: texts such as `x` or `call.out`, with their types. */
export interface Known {
  readonly text: string;
  readonly shape: Shape;
}

export interface Setting {
  readonly choices: Choices;
  /** 0 draft-2, 1 1.0, 2 1.1, 3 1.2, 4 development. */
  readonly rank: number;
  readonly structs: readonly Extract<Shape, { kind: "Struct" }>[];
  readonly known: readonly Known[];
}

const of = (kind: "Int" | "Float" | "String" | "Boolean" | "File" | "Directory"): Shape => ({ kind, optional: false });

export function anyShape(setting: Setting, depth = 0): Shape {
  const { choices, rank, structs } = setting;
  const optional = choices.chance(0.25);
  const kinds = ["Int", "Float", "String", "String", "Boolean", "File", "File", ...(rank >= 3 ? (["Directory"] as const) : [])] as const;
  const roll = choices.below(depth > 2 ? 6 : 11);
  if (roll < 6) return { kind: choices.pick(kinds), optional };
  if (roll < 8) return { kind: "Array", item: anyShape(setting, depth + 1), nonempty: choices.chance(0.2), optional };
  if (roll === 8)
    return { kind: "Map", key: choices.chance(0.8) ? of("String") : of("Int"), value: anyShape(setting, depth + 1), optional };
  if (roll === 9 || structs.length === 0)
    return { kind: "Pair", left: anyShape(setting, depth + 1), right: anyShape(setting, depth + 1), optional };
  return { ...choices.pick(structs), optional };
}

/** The type as a person might write it: with spaces where the grammar lets them. */
export function writeShape(shape: Shape, choices: Choices): string {
  const space = choices.chance(0.2) ? " " : "";
  const mark = shape.optional ? "?" : "";
  switch (shape.kind) {
    case "Array":
      return `Array[${space}${writeShape(shape.item, choices)}]${shape.nonempty ? "+" : ""}${mark}`;
    case "Map":
      return `Map[${writeShape(shape.key, choices)},${space}${writeShape(shape.value, choices)}]${mark}`;
    case "Pair":
      return `Pair[${writeShape(shape.left, choices)}${space},${writeShape(shape.right, choices)}${space}]${mark}`;
    case "Struct":
      return shape.name + mark;
    default:
      return shape.kind + mark;
  }
}

const sameShape = (a: Shape, b: Shape): boolean => JSON.stringify(plain(a)) === JSON.stringify(plain(b));
const plain = (shape: Shape): unknown => ({ ...shape, optional: false, nonempty: false, members: undefined });

/** An expression that may stand where `shape` is expected. */
export function expression(shape: Shape, setting: Setting, depth = 0): string {
  const { choices } = setting;
  if (shape.optional && setting.rank >= 2 && choices.chance(0.2)) return "None";
  const fitting = setting.known.filter((known) => sameShape(known.shape, shape) && (shape.optional || !known.shape.optional));
  if (fitting.length > 0 && choices.chance(0.4)) return choices.pick(fitting).text;
  const absent = setting.known.filter((known) => sameShape(known.shape, shape) && known.shape.optional);
  if (absent.length > 0 && choices.chance(0.4))
    return `select_first([${choices.pick(absent).text}, ${expression({ ...shape, optional: false }, setting, depth + 1)}])`;
  if (depth < 3 && choices.chance(0.12)) return ternary(shape, setting, depth);
  if (depth < 3 && choices.chance(0.08)) return `(${expression(shape, setting, depth + 1)})`;
  return literal({ ...shape, optional: false }, setting, depth);
}

function ternary(shape: Shape, setting: Setting, depth: number): string {
  const same = { ...shape, optional: false };
  const [condition, then, otherwise] = [of("Boolean"), same, same].map((part) => expression(part, setting, depth + 1));
  return `if ${condition} then ${then} else ${otherwise}`;
}

function literal(shape: Shape, setting: Setting, depth: number): string {
  const { choices } = setting;
  const inner = (part: Shape): string => expression(part, setting, depth + 1);
  switch (shape.kind) {
    case "Int":
      return choices.pick([
        () => String(choices.below(99)),
        () => `-${choices.below(9)}`,
        () => arithmetic(setting, depth),
        () => lengthOf(setting, depth),
      ])();
    case "Float":
      return choices.pick([() => `${choices.below(9)}.5`, () => ".5", () => "1e3", () => `${inner(of("Int"))} / 2.0`, () => "-2.5E-2"])();
    case "Boolean":
      return choices.pick([
        () => "true",
        () => "false",
        () => comparison(setting, depth),
        () => `!(${inner(of("Boolean"))})`,
        () => logic(setting, depth),
      ])();
    case "String":
    case "File":
    case "Directory":
      return text(setting, depth);
    case "Array":
      return items(shape, setting, depth);
    case "Map":
      return depth < 3
        ? `{${shape.key.kind === "Int" ? "1" : '"k"'}: ${inner(shape.value)}}`
        : `{${shape.key.kind === "Int" ? "2" : "'k'"}: ${literal({ ...shape.value, optional: false }, setting, depth + 1)}}`;
    case "Pair":
      return `(${inner(shape.left)}, ${inner(shape.right)})`;
    case "Struct":
      return struct(shape, setting, depth);
  }
}

const arithmetic = (setting: Setting, depth: number): string =>
  depth > 2
    ? "7"
    : `(${expression(of("Int"), setting, depth + 1)}) ${setting.choices.pick(["+", "-", "*", "/", "%"])} (${expression(of("Int"), setting, depth + 1)})`;

const lengthOf = (setting: Setting, depth: number): string =>
  depth > 2 ? "3" : `length(${items({ kind: "Array", item: of("Int"), nonempty: true, optional: false }, setting, depth + 1)})`;

const comparison = (setting: Setting, depth: number): string =>
  depth > 2
    ? "true"
    : `(${expression(of("Int"), setting, depth + 1)}) ${setting.choices.pick(["<", "<=", "==", "!=", ">", ">="])} (${expression(of("Int"), setting, depth + 1)})`;

const logic = (setting: Setting, depth: number): string =>
  depth > 2
    ? "false"
    : `(${expression(of("Boolean"), setting, depth + 1)}) ${setting.choices.pick(["&&", "||"])} (${expression(of("Boolean"), setting, depth + 1)})`;

function text(setting: Setting, depth: number): string {
  const { choices } = setting;
  const quote = choices.pick(['"', "'"]);
  const other = quote === '"' ? "'" : '"';
  if (depth > 2 || choices.chance(0.5))
    return quote + choices.pick(["", "a b", "x\\ty", "#no comment", other, "\\\\", "{}", "a$b", "é", ">>>", "~", "\\" + quote]) + quote;
  if (choices.chance(0.3))
    return `(${expression(of("String"), setting, depth + 1)}) + (${expression(choices.pick([of("String"), of("Int")]), setting, depth + 1)})`;
  const mark = setting.rank === 0 ? "$" : choices.pick(["~", "$"]);
  const inner = choices.pick([of("String"), of("Int"), of("Boolean")]);
  return `${quote}v-${mark}{${expression(inner, setting, depth + 1)}}.x${quote}`;
}

function items(shape: Extract<Shape, { kind: "Array" }>, setting: Setting, depth: number): string {
  const { choices } = setting;
  if (shape.item.kind === "Int" && !shape.item.optional && choices.chance(0.3)) return "range(4)";
  const count = depth > 2 ? 1 : 1 + choices.below(2);
  const written = Array.from({ length: count }, () => expression({ ...shape.item, optional: false }, setting, depth + 1));
  return `[${written.join(", ")}${setting.rank >= 1 && choices.chance(0.2) ? "," : ""}]`;
}

function struct(shape: Extract<Shape, { kind: "Struct" }>, setting: Setting, depth: number): string {
  const { choices, rank } = setting;
  const required = [...shape.members].filter(([, member]) => !member.optional || choices.chance(0.5));
  const members = required.map(([name, member]) => `${name}: ${expression({ ...member, optional: false }, setting, depth + 1)}`);
  const name = rank >= 2 && choices.chance(0.7) ? shape.name : "object";
  return `${name} {${members.join(", ")}}`;
}
