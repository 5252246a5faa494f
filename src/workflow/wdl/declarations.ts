/** Types, declarations, and the sections of key and value that tasks and workflows share. */
import type { Attribute, Declaration, MetaObject, MetaSection, MetaValue, Span } from "./ast.ts";
import type { Cursor, Token } from "./cursor.ts";
import { parseExpression } from "./expressions.ts";
import { parsePlainString } from "./strings.ts";
import type { PrimitiveType, Type } from "./types.ts";
import { isKeyword, V1_2 } from "./version.ts";

const PRIMITIVES: ReadonlySet<string> = new Set(["Int", "Float", "Boolean", "String", "File"]);

export function parseType(cursor: Cursor): Type {
  const name = cursor.name("a type");
  if (isPrimitive(name.text, cursor)) return { kind: name.text, optional: parseQuantifiers(cursor, name).optional };
  const parameters = cursor.is("[") ? parseTypeParameters(cursor) : [];
  const { optional, nonempty } = parseQuantifiers(cursor, name);
  const [first, second] = parameters;
  switch (name.text) {
    case "Array":
      if (!first || second) return cursor.fail("Array takes one type, as in Array[String]", name);
      return { kind: "Array", item: first, nonempty, optional };
    case "Map":
      if (!first || !second) return cursor.fail("Map takes two types, as in Map[String,Int]", name);
      return { kind: "Map", key: first, value: second, optional };
    case "Pair":
      if (!first || !second) return cursor.fail("Pair takes two types, as in Pair[Int,String]", name);
      return { kind: "Pair", left: first, right: second, optional };
    default:
      if (first) cursor.fail(`${name.text} takes no types in brackets`, name);
      return { kind: "Struct", name: name.text, optional };
  }
}

const isPrimitive = (name: string, cursor: Cursor): name is PrimitiveType["kind"] =>
  PRIMITIVES.has(name) || (name === "Directory" && cursor.rank >= V1_2);

function parseTypeParameters(cursor: Cursor): Type[] {
  cursor.next();
  const types: Type[] = [];
  do types.push(cursor.deeper(() => parseType(cursor)));
  while (cursor.accept(","));
  cursor.expect("]", "after the types");
  return types;
}

function parseQuantifiers(cursor: Cursor, name: Token): { optional: boolean; nonempty: boolean } {
  const nonempty = cursor.accept("+");
  if (nonempty && name.text !== "Array") cursor.note(`only an Array can be marked "+", not ${name.text}`, name);
  return { nonempty, optional: cursor.accept("?") };
}

/** `Type name` or `Type name = expression`. */
export function parseDeclaration(cursor: Cursor): Declaration {
  const { start } = cursor.peek();
  const type = parseType(cursor);
  const name = cursor.name("the name of the value");
  refuseKeyword(cursor, name);
  const value = cursor.accept("=") ? parseExpression(cursor) : undefined;
  const end = value?.end ?? name.end;
  return { kind: "declaration", type, name: name.text, ...(value && { value }), start, end };
}

/** Notes the use of a reserved word as a name; reading goes on. */
export function refuseKeyword(cursor: Cursor, name: Token): void {
  if (isKeyword(name.text, cursor.rank)) cursor.note(`"${name.text}" is a keyword and cannot be a name`, name);
  else if (name.text.startsWith("_")) cursor.note(`"${name.text}": a name begins with a letter`, name);
}

/** The entries of `runtime` and `requirements`. A comma between them is allowed. */
export function parseAttributes(cursor: Cursor): Attribute[] {
  cursor.expect("{", "to open the section");
  const attributes: Attribute[] = [];
  while (!cursor.accept("}")) {
    const name = parseKey(cursor, 'an attribute or "}"');
    cursor.expect(":", `after "${name.text}"`);
    const value = parseExpression(cursor);
    attributes.push({ name: name.text, value, start: name.start, end: value.end });
    cursor.accept(",");
  }
  return attributes;
}

/** A `meta` or `parameter_meta` section, after its keyword. */
export function parseMeta(cursor: Cursor): MetaSection {
  const keys = new Map<string, number>();
  const { start } = cursor.peek();
  const values = parseMetaObject(cursor, keys);
  return { values, keys, start, end: cursor.previousEnd };
}

function parseMetaObject(cursor: Cursor, keys: Map<string, number>): MetaObject {
  cursor.expect("{", "to open the section");
  const values = new Map<string, MetaValue>();
  while (!cursor.accept("}")) {
    const key = parseKey(cursor, 'a key or "}"');
    cursor.expect(":", `after "${key.text}"`);
    if (values.has(key.text)) cursor.note(`"${key.text}" is there twice`, key);
    keys.set(key.text, key.start);
    values.set(
      key.text,
      cursor.deeper(() => parseMetaValue(cursor)),
    );
    cursor.accept(",");
  }
  return Object.fromEntries(values);
}

/** A key in quotes is refused by HealthOmics, and clear all the same. */
function parseKey(cursor: Cursor, what: string): Span & { readonly text: string } {
  const token = cursor.peek();
  if (token.kind !== "quote") return cursor.name(what);
  const text = parsePlainString(cursor);
  cursor.note(`write the key ${text} without quotes`, token);
  return { text, start: token.start, end: token.end };
}

function parseMetaValue(cursor: Cursor): MetaValue {
  if (cursor.peek().kind === "quote") return parsePlainString(cursor);
  if (cursor.is("{")) return parseMetaObject(cursor, new Map());
  if (cursor.is("[")) return parseMetaArray(cursor);
  const negative = cursor.accept("-");
  const token = cursor.next();
  if (token.kind === "int" || token.kind === "float") return Number(token.text) * (negative ? -1 : 1);
  if (token.text === "true" || token.text === "false") return token.text === "true";
  if (token.text === "null" || token.text === "None") return null;
  return cursor.fail("expected a string, a number, true, false, an object or an array", token);
}

function parseMetaArray(cursor: Cursor): MetaValue {
  cursor.next();
  const items: MetaValue[] = [];
  while (!cursor.is("]")) {
    items.push(cursor.deeper(() => parseMetaValue(cursor)));
    if (!cursor.accept(",")) break;
  }
  cursor.expect("]", "or a comma");
  return items;
}

/** Steps over a section that is read by nobody (`hints`), whatever stands in it. */
export function skipSection(cursor: Cursor): void {
  cursor.expect("{", "to open the section");
  for (let depth = 1; depth > 0;) {
    const token = cursor.peek();
    if (token.kind === "end") cursor.fail("this section is never closed");
    if (token.kind === "quote") parsePlainString(cursor);
    else cursor.next();
    if (token.text === "{") depth += 1;
    else if (token.text === "}") depth -= 1;
  }
}
