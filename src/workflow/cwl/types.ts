import type { Parameter } from "../inspection.ts";
import type { Document, Documents } from "./documents.ts";
import { named } from "./documents.ts";
import { isNull, itemsOf, jsonOf, lastName, member, namedItems, type Node, stringOf } from "./nodes.ts";

/** A type of CWL with its short forms written out. */
export type CwlType =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "array"; readonly items: CwlType }
  | { readonly kind: "union"; readonly options: readonly CwlType[] }
  | { readonly kind: "record"; readonly fields: readonly Field[]; readonly name?: string }
  | { readonly kind: "enum"; readonly symbols: readonly string[]; readonly name?: string };

export interface Field {
  readonly name: string;
  readonly type: CwlType;
}

/** Where type names are looked up. */
export interface TypeScope {
  readonly documents: Documents;
  readonly document: Document;
  /** What SchemaDefRequirement declares, by short name. */
  readonly declared: ReadonlyMap<string, Node>;
  /** Told of every name that nobody declares. */
  readonly unknown: (name: string, node: Node) => void;
  /** How many more types are read: declared types may name each other many times over. */
  readonly budget: { left: number };
}

const NAMES = new Set(["null", "boolean", "int", "long", "float", "double", "string", "File", "Directory", "Any"]);
/** Shortcuts for a file that a tool reads from its standard input, or writes. */
const STREAMS = new Set(["stdin", "stdout", "stderr"]);
const MAX_DEPTH = 20;
const ANY: CwlType = { kind: "name", name: "Any" };

/** The records and enums of a process's SchemaDefRequirement. */
export const declaredTypes = (schemaDef: Node | undefined): ReadonlyMap<string, Node> =>
  new Map(namedItems(member(schemaDef, "types"), "name").map(({ id, node }) => [id, node]));

/** Reads a type: `File?`, `string[]`, `[null, File]`, `{type: array, items: …}`, the name of a declared record. */
export function typeOf(node: Node | undefined, scope: TypeScope, depth = 0): CwlType {
  if (node === undefined || depth > MAX_DEPTH || scope.budget.left-- <= 0) return ANY;
  if (node.kind === "list") return unionOf(node.items.map((item) => typeOf(item, scope, depth + 1)));
  if (node.kind === "scalar") return node.value === null ? { kind: "name", name: "null" } : ofText(node.text, node, scope, depth);
  const inner = member(node, "type");
  const kind = stringOf(inner);
  if (kind === "array") return { kind: "array", items: typeOf(member(node, "items"), scope, depth + 1) };
  if (kind === "record") return { kind: "record", fields: fieldsOf(node, scope, depth) };
  if (kind === "enum") return { kind: "enum", symbols: itemsOf(member(node, "symbols")).map((each) => lastName(stringOf(each) ?? "")) };
  if (isNull(inner)) scope.unknown("", node);
  return typeOf(inner, scope, depth + 1);
}

function ofText(written: string, node: Node, scope: TypeScope, depth: number): CwlType {
  if (depth > MAX_DEPTH) return ANY;
  if (written.endsWith("?")) return unionOf([{ kind: "name", name: "null" }, ofText(written.slice(0, -1), node, scope, depth + 1)]);
  if (written.endsWith("[]")) return { kind: "array", items: ofText(written.slice(0, -2), node, scope, depth + 1) };
  if (STREAMS.has(written)) return { kind: "name", name: "File" };
  const name = written.replace(/^(cwl|xsd|sld):|^https?:\/\/[^#]*#/, "");
  if (NAMES.has(name)) return { kind: "name", name };
  const declared = scope.declared.get(lastName(written)) ?? inFile(written, node, scope);
  if (declared) return calledBy(lastName(written), typeOf(declared, scope, depth + 1));
  scope.unknown(written, node);
  return { kind: "name", name: lastName(written) };
}

const calledBy = (name: string, type: CwlType): CwlType => (type.kind === "record" || type.kind === "enum" ? { ...type, name } : type);

/** `types.yml#Sample`, whether or not SchemaDefRequirement imports the file. */
function inFile(written: string, node: Node, { documents }: TypeScope): Node | undefined {
  if (!/.#./.test(written)) return undefined;
  const target = documents.follow(written, node.at);
  return "document" in target ? named(target.document.root, target.fragment ?? "") : undefined;
}

const fieldsOf = (record: Node, scope: TypeScope, depth: number): readonly Field[] =>
  namedItems(member(record, "fields"), "name").map(({ id, node }) => ({
    name: id,
    type: typeOf(typeNodeOf(node), scope, depth + 1),
  }));

/** The type of an input or field, which is the whole node where it is written short: `x: File`, `x: {type: array, items: File}`. */
export function typeNodeOf(node: Node): Node | undefined {
  if (node.kind !== "map") return node;
  return ["items", "fields", "symbols"].some((key) => node.entries.has(key)) ? node : member(node, "type");
}

function unionOf(options: readonly CwlType[]): CwlType {
  const flat = options.flatMap((option) => (option.kind === "union" ? option.options : [option]));
  const [only] = flat;
  return only !== undefined && flat.length === 1 ? only : { kind: "union", options: flat };
}

/** Whether null is a value of the type. */
export const isNullable = (type: CwlType): boolean =>
  type.kind === "union" ? type.options.some(isNullable) : type.kind === "name" && type.name === "null";

/** The type in CWL's short form: `File[]?`. A declared type by its name, other records and enums by these words, unions as a list. */
export function shortForm(type: CwlType): string {
  if (type.kind === "name") return type.name;
  if (type.kind === "array") return `${shortForm(type.items)}[]`;
  if (type.kind !== "union") return type.name ?? type.kind;
  const [other, ...more] = type.options.filter((option) => !isNullable(option));
  if (other === undefined) return "null";
  if (more.length === 0) return isNullable(type) ? `${shortForm(other)}?` : shortForm(other);
  return `[${type.options.map(shortForm).join(", ")}]`;
}

/** Whether a value names a file or folder, or holds one. */
export function holdsFile(type: CwlType): boolean {
  if (type.kind === "name") return type.name === "File" || type.name === "Directory";
  if (type.kind === "array") return holdsFile(type.items);
  if (type.kind === "union") return type.options.some(holdsFile);
  return type.kind === "record" && type.fields.some((field) => holdsFile(field.type));
}

/** Permitted values and members, where the type (or the items of its arrays) limits them. */
export function limitsOf(type: CwlType): Pick<Parameter, "enum" | "members"> {
  if (type.kind === "enum") return { enum: type.symbols };
  if (type.kind === "record") return { members: type.fields.map(memberOf) };
  if (type.kind === "array") return limitsOf(type.items);
  if (type.kind === "name") return {};
  const others = type.options.filter((option) => !isNullable(option));
  return others.length === 1 && others[0] ? limitsOf(others[0]) : {};
}

const memberOf = ({ name, type }: Field): NonNullable<Parameter["members"]>[number] => ({
  name,
  type: shortForm(type),
  optional: isNullable(type),
  ...limitsOf(type),
  ...(holdsFile(type) && { isFile: true }),
});

/** A default as JSON; undefined where there is none or it is null. */
export const defaultOf = (node: Node | undefined): unknown => (node === undefined || isNull(node) ? undefined : jsonOf(node));
