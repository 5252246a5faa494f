import type { Engine, Parameter } from "../inspection.ts";
import { ANY, type Member, type Shape } from "./shape.ts";

/** A parameter or a member of one: what its type is named, and what is known of it. */
export type Typed = Pick<Parameter, "name" | "type" | "optional"> & Partial<Pick<Parameter, "members" | "enum" | "isFile" | "file">>;

/** The shape of a parameter's values. A type that is not understood is `any`: the engine will judge it. */
export function shapeOf(typed: Typed, engine: Engine): Shape {
  if (engine === "WDL") return wdlShape(new TypeText(typed.type), typed);
  return engine === "CWL" ? cwlShape(typed.type, typed) : nextflowShape(typed);
}

const membersOf = ({ members = [] }: Typed, engine: Engine): readonly Member[] =>
  members.map((member) => ({ name: member.name, shape: shapeOf(member, engine), isOptional: member.optional }));

/** A type as a text that is read from the left: `Array[Pair[File,Int]]+?`. */
class TypeText {
  #rest: string;
  constructor(text: string) {
    this.#rest = text;
  }

  word(): string {
    const [word = ""] = /^\s*\w*/.exec(this.#rest) ?? [];
    this.#rest = this.#rest.slice(word.length);
    return word.trim();
  }

  take(sign: string): boolean {
    const rest = this.#rest.trimStart();
    if (!rest.startsWith(sign)) return false;
    this.#rest = rest.slice(sign.length);
    return true;
  }
}

const WDL_NAMES: Readonly<Record<string, Shape>> = {
  Int: { kind: "integer" },
  Float: { kind: "number" },
  Boolean: { kind: "boolean" },
  String: { kind: "text" },
  File: { kind: "file" },
  Directory: { kind: "folder" },
  Object: { kind: "object" },
};

function wdlShape(text: TypeText, typed: Typed): Shape {
  const name = text.word();
  const inner: Shape[] = [];
  if (text.take("[")) {
    do inner.push(wdlShape(text, typed));
    while (text.take(","));
    text.take("]");
  }
  const isNonempty = text.take("+");
  const shape = wdlNamed(name, inner, isNonempty) ?? declared(name, typed, "WDL");
  return text.take("?") ? { kind: "optional", of: shape } : shape;
}

function wdlNamed(name: string, [first = ANY, second = ANY]: readonly Shape[], isNonempty: boolean): Shape | undefined {
  if (name === "Array") return { kind: "list", items: first, isNonempty };
  if (name === "Map") return { kind: "map", key: first, value: second };
  if (name === "Pair") return { kind: "pair", left: first, right: second };
  return Object.hasOwn(WDL_NAMES, name) ? WDL_NAMES[name] : undefined;
}

/** A struct, record or enum of the definition. */
function declared(name: string, typed: Typed, engine: Engine): Shape {
  if (typed.enum) return { kind: "enum", values: typed.enum };
  return typed.members ? { kind: "record", name: name === "record" ? `"${typed.name}"` : name, members: membersOf(typed, engine) } : ANY;
}

const CWL_NAMES: Readonly<Record<string, Shape>> = {
  int: { kind: "integer" },
  long: { kind: "integer" },
  float: { kind: "number" },
  double: { kind: "number" },
  boolean: { kind: "boolean" },
  string: { kind: "text" },
  File: { kind: "file-object", class: "File" },
  Directory: { kind: "file-object", class: "Directory" },
  Any: ANY,
};

function cwlShape(type: string, typed: Typed): Shape {
  if (type.endsWith("?")) return { kind: "optional", of: cwlShape(type.slice(0, -1), typed) };
  if (type.endsWith("[]")) return { kind: "list", items: cwlShape(type.slice(0, -2), typed) };
  if (type.startsWith("[")) return cwlUnion(splitList(type.slice(1, -1)), typed);
  return (Object.hasOwn(CWL_NAMES, type) ? CWL_NAMES[type] : undefined) ?? declared(type, typed, "CWL");
}

function cwlUnion(options: readonly string[], typed: Typed): Shape {
  const others = options.filter((option) => option !== "null").map((option) => cwlShape(option, typed));
  const union: Shape = { kind: "union", options: others };
  return others.length < options.length ? { kind: "optional", of: union } : union;
}

/** `a, [b, c]` at its outer commas. */
function splitList(text: string): readonly string[] {
  const items: string[] = [""];
  let depth = 0;
  for (const char of text) {
    if (char === "[") depth++;
    if (char === "]") depth--;
    if (char === "," && depth === 0) items.push("");
    else items.push((items.pop() ?? "") + char);
  }
  return items.map((item) => item.trim());
}

const JSON_SCHEMA_NAMES: Readonly<Record<string, Shape>> = {
  string: { kind: "text" },
  integer: { kind: "integer" },
  number: { kind: "number" },
  boolean: { kind: "boolean" },
  object: { kind: "object" },
  array: { kind: "list", items: ANY },
};

/** Only a schema limits values; a type that is guessed from a script's default does not. */
function nextflowShape(typed: Typed): Shape {
  if (!typed.file?.endsWith("nextflow_schema.json")) return ANY;
  if (typed.enum) return { kind: "enum", values: typed.enum };
  const names = typed.type.split("|");
  const shapes = names
    .filter((name) => name !== "null")
    .map((name) => (name === "string" && typed.isFile ? ({ kind: "path" } as const) : (JSON_SCHEMA_NAMES[name] ?? ANY)));
  const [only] = shapes;
  const shape: Shape = only && shapes.length === 1 ? only : { kind: "union", options: shapes };
  return names.includes("null") ? { kind: "optional", of: shape } : shape;
}
