/** A call of an intrinsic function, or one of its arguments, as written. */
export type IntrinsicNode =
  | { readonly kind: "call"; readonly name: string; readonly args: readonly IntrinsicNode[] }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "text"; readonly raw: string }
  | { readonly kind: "value"; readonly value: number | boolean | null };

/** A text that is not a call of an intrinsic function. */
export class IntrinsicSyntax extends Error {
  override readonly name = "IntrinsicSyntax";
}

interface Cursor {
  readonly text: string;
  at: number;
}

/**
 * Reads `States.Format('{}', $.name)` and the like.
 * @throws IntrinsicSyntax saying where the text stops making sense
 * @see https://states-language.net/#intrinsic-functions
 */
export function parseIntrinsic(text: string): IntrinsicNode {
  const cursor = { text: text.trim(), at: 0 };
  const node = readCall(cursor);
  if (cursor.at < cursor.text.length) fail(cursor, "nothing more");
  return node;
}

function readCall(cursor: Cursor): IntrinsicNode {
  const name = take(cursor, /States\.[A-Za-z0-9]+/y) ?? fail(cursor, "a function such as States.Format");
  skipSpace(cursor);
  expect(cursor, "(");
  const args: IntrinsicNode[] = [];
  skipSpace(cursor);
  while (cursor.text[cursor.at] !== ")") {
    if (args.length > 0) expect(cursor, ",");
    skipSpace(cursor);
    args.push(readArgument(cursor));
    skipSpace(cursor);
  }
  cursor.at += 1;
  return { kind: "call", name, args };
}

function readArgument(cursor: Cursor): IntrinsicNode {
  const next = cursor.text[cursor.at];
  if (next === "'") return readText(cursor);
  if (next === "$") return { kind: "path", path: readPathText(cursor) };
  if (next === "S") return readCall(cursor);
  const number = take(cursor, /-?\d+(\.\d+)?([eE][+-]?\d+)?/y);
  if (number !== undefined) return { kind: "value", value: Number(number) };
  const word = take(cursor, /true|false|null/y) ?? fail(cursor, "an argument");
  return { kind: "value", value: word === "null" ? null : word === "true" };
}

function readText(cursor: Cursor): IntrinsicNode {
  const quoted = take(cursor, /'(?:[^'\\]|\\[\s\S])*'/y) ?? fail(cursor, "the closing quote of this text");
  return { kind: "text", raw: quoted.slice(1, -1) };
}

/** A path ends at a comma or parenthesis outside of brackets and quotes. */
function readPathText(cursor: Cursor): string {
  const start = cursor.at;
  let depth = 0;
  for (; cursor.at < cursor.text.length; cursor.at += 1) {
    const character = cursor.text[cursor.at] ?? "";
    if (character === "'" || character === '"') skipQuoted(cursor, character);
    else if ("[(".includes(character)) depth += 1;
    else if (depth > 0 && "])".includes(character)) depth -= 1;
    else if (depth === 0 && ",)".includes(character)) break;
  }
  return cursor.text.slice(start, cursor.at).trimEnd();
}

function skipQuoted(cursor: Cursor, quote: string): void {
  for (cursor.at += 1; cursor.at < cursor.text.length && cursor.text[cursor.at] !== quote; cursor.at += 1)
    if (cursor.text[cursor.at] === "\\") cursor.at += 1;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text)?.[0];
  if (match !== undefined) cursor.at += match.length;
  return match;
}

function skipSpace(cursor: Cursor): void {
  take(cursor, /\s*/y);
}

function expect(cursor: Cursor, character: string): void {
  if (cursor.text[cursor.at] !== character) fail(cursor, `"${character}"`);
  cursor.at += 1;
}

function fail(cursor: Cursor, expected: string): never {
  throw new IntrinsicSyntax(`Invalid intrinsic function '${cursor.text}': ${expected} is expected at character ${cursor.at + 1}`);
}
