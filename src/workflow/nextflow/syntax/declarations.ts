import type { Declaration, FunctionDefinition, Label, Statement } from "./ast.ts";
import { SyntaxFault, type Cursor } from "./cursor.ts";
import { readCommand } from "./expressions.ts";
import { readType } from "./types.ts";
import { formalParameters } from "./formal-parameters.ts";

const MODIFIERS = new Set(["def", "var", "final", "static", "private", "public", "protected", "abstract", "synchronized"]);

/** Reads `def x = …`, `String x = …`, `def (a, b) = …` or a function; undefined where no declaration stands. */
export function readDeclaration(cursor: Cursor): Declaration | FunctionDefinition | undefined {
  const { start } = cursor.peek();
  const from = cursor.position;
  skipAnnotations(cursor);
  let isDeclared = false;
  while (isModifier(cursor)) {
    cursor.next();
    isDeclared = true;
  }
  const isTyped = skipType(cursor, isDeclared);
  if (!isDeclared && !isTyped) {
    cursor.position = from;
    return undefined;
  }
  if (isFunction(cursor)) return readFunction(cursor, start);
  const names = readNames(cursor);
  if (!cursor.accept("=")) return { kind: "declaration", names, start, end: cursor.lastEnd };
  cursor.skipNewlines();
  const value = readCommand(cursor);
  // A chain of further declarators (`def a = 1, b = 2`) is so rare that only its first is kept.
  while (cursor.accept(",")) readCommand(cursor);
  return { kind: "declaration", names, value, start, end: cursor.lastEnd };
}

const isModifier = (cursor: Cursor): boolean =>
  cursor.peek().type === "name" && MODIFIERS.has(cursor.peek().text) && !cursor.is("=", 1) && !cursor.is(".", 1);

function skipAnnotations(cursor: Cursor): void {
  while (cursor.is("@") && cursor.peek(1).type === "name") {
    cursor.position += 2;
    while (cursor.is(".") && cursor.peek(1).type === "name") cursor.position += 2;
    if (cursor.is("(")) while (!["end", "newline"].includes(cursor.peek().type) && !cursor.accept(")")) cursor.next();
    cursor.skipNewlines();
  }
}

/** Whether a type stood before the name that is declared; it is behind the cursor then. */
function skipType(cursor: Cursor, isDeclared: boolean): boolean {
  const from = cursor.position;
  if (cursor.peek().type !== "name") return false;
  try {
    const type = readType(cursor);
    const isPlausible = isDeclared || /^[A-Z]|^(?:int|long|double|float|boolean)\b/.test(type);
    if (cursor.peek().type === "name" && !["in", "as", "instanceof"].includes(cursor.peek().text)) {
      if (cursor.is("=", 1)) return true;
      if (isPlausible && (endsStatement(cursor, 1) || cursor.is("(", 1))) return isDeclared || !cursor.is("(", 1) || isFunction(cursor);
    }
  } catch (fault) {
    if (!(fault instanceof SyntaxFault)) throw fault;
  }
  cursor.position = from;
  return false;
}

const endsStatement = (cursor: Cursor, ahead: number): boolean =>
  ["newline", "end"].includes(cursor.peek(ahead).type) || cursor.is(";", ahead) || cursor.is("}", ahead) || cursor.is(",", ahead);

function readNames(cursor: Cursor): readonly string[] {
  const names: string[] = [];
  const isList = cursor.accept("(");
  while (cursor.peek().type === "name") {
    // In `def (String a, b)` the last name before the comma counts.
    while (cursor.peek(1).type === "name") cursor.next();
    names.push(cursor.next().text);
    if (!cursor.accept(",")) break;
  }
  if (isList) cursor.expect(")");
  if (names.length === 0) cursor.fail("the name of what is declared is missing here");
  return names;
}

const BETWEEN = new Set(["->", ",", ":", "<", ">", ">>", "?", "."]);

/** `name(…) {` */
function isFunction(cursor: Cursor): boolean {
  if (!["name", "string"].includes(cursor.peek().type) || !cursor.is("(", 1)) return false;
  let open = 0;
  for (let ahead = 1; ; ahead++) {
    const token = cursor.peek(ahead);
    if (token.type === "end") return false;
    if (cursor.is("(", ahead)) open++;
    if (cursor.is(")", ahead) && --open === 0) return bracesFollow(cursor, ahead + 1);
  }
}

function bracesFollow(cursor: Cursor, from: number): boolean {
  let ahead = from;
  // `-> Type`, `: Type` and `throws E` may stand between.
  while (["newline", "name"].includes(cursor.peek(ahead).type) || BETWEEN.has(cursor.peek(ahead).text)) ahead++;
  return cursor.is("{", ahead);
}

function readFunction(cursor: Cursor, start: number): FunctionDefinition {
  const name = cursor.next().text;
  const from = cursor.position + 1;
  let open = 0;
  do {
    if (cursor.is("(")) open++;
    if (cursor.is(")")) open--;
    cursor.next();
  } while (open > 0);
  const parameters = formalParameters(cursor.tokens.slice(from, cursor.position - 1));
  while (!cursor.is("{")) cursor.next();
  cursor.expect("{");
  const body = cursor.nested(() => cursor.block(cursor));
  cursor.expect("}");
  return { kind: "function", name, parameters, body, start, end: cursor.lastEnd };
}

/** Reads `name:`; with a type behind it (`reads: List<Path>`) it declares an input of a typed process. */
export function readLabelled(cursor: Cursor): Statement | undefined {
  const name = cursor.peek();
  if (name.type !== "name" || !cursor.is(":", 1)) return undefined;
  cursor.position += 2;
  const label: Label = { kind: "label", name: name.text, start: name.start, end: cursor.lastEnd };
  const from = cursor.position;
  if (!/^[A-Z]/.test(cursor.peek().text) || !skipsDeclaredType(cursor)) cursor.position = from;
  return label;
}

function skipsDeclaredType(cursor: Cursor): boolean {
  try {
    readType(cursor);
    // `emit: out: Channel<Path> = value`: what is behind the sign is read as a statement.
    return endsStatement(cursor, 0) || cursor.accept("=");
  } catch (fault) {
    if (fault instanceof SyntaxFault) return false;
    throw fault;
  }
}
