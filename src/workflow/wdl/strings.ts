/** Strings, multi-line strings and commands: text with interpolations in it. */
import type { Expression, Interpolation, StringExpression } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { DRAFT_2 } from "./version.ts";

/** Reads the expression in an interpolation; an argument, for expressions hold strings in turn. */
type ExpressionReader = (cursor: Cursor) => Expression;

interface TextForm {
  readonly read: ExpressionReader;
  readonly form: StringExpression["form"];
  readonly close: string;
  /** What opens an interpolation. draft-2 knows only `${`; from 1.0 on `<<<` knows only `~{`. */
  readonly tilde: boolean;
  readonly dollar: boolean;
  readonly escapes: boolean;
}

/** A string whose opening quote is the next token. */
export function parseString(cursor: Cursor, read: ExpressionReader): StringExpression {
  const open = cursor.next();
  return parseText(cursor, open.start, {
    form: "quoted",
    close: open.text,
    tilde: cursor.rank > DRAFT_2,
    dollar: true,
    escapes: true,
    read,
  });
}

/** A `<<<` string of WDL 1.2 whose opening is the next token. */
export function parseMultilineString(cursor: Cursor, read: ExpressionReader): StringExpression {
  const open = cursor.next();
  return parseText(cursor, open.start, { form: "multiline", close: ">>>", tilde: true, dollar: false, escapes: true, read });
}

/** A task's command, from its `{` or `<<<` on. */
export function parseCommand(cursor: Cursor, read: ExpressionReader): StringExpression {
  const heredoc = cursor.is("<<<");
  const open = heredoc ? cursor.next() : cursor.expect("{", "to open the command");
  const draft2 = cursor.rank === DRAFT_2;
  const shape = heredoc ? { close: ">>>", tilde: !draft2, dollar: draft2 } : { close: "}", tilde: !draft2, dollar: true };
  return parseText(cursor, open.start, { form: "command", escapes: false, read, ...shape });
}

/** The text of a string in which interpolations mean nothing: imports, `meta`, interpolation options. */
export function parsePlainString(cursor: Cursor): string {
  const open = cursor.next();
  const form = { form: "quoted" as const, close: open.text, tilde: false, dollar: false, escapes: true };
  const string = parseText(cursor, open.start, { ...form, read: () => cursor.fail("a plain string holds no expression") });
  return string.parts.map((part) => (typeof part === "string" ? decodeEscapes(part) : "")).join("");
}

function parseText(cursor: Cursor, start: number, form: TextForm): StringExpression {
  const parts: (string | Interpolation)[] = [];
  let height = 1;
  let at = cursor.previousEnd;
  for (;;) {
    const stop = findStop(cursor.source.text, at, form);
    if (stop < 0) cursor.fail(`this ${form.form === "command" ? "command" : "string"} is never closed`, { start, end: start + 1 });
    if (stop > at) parts.push(cursor.source.text.slice(at, stop));
    if (cursor.source.text.startsWith(form.close, stop)) {
      cursor.resume(stop + form.close.length);
      return { kind: "string", form: form.form, parts, start, end: stop + form.close.length, height };
    }
    cursor.resume(stop + 2);
    const interpolation = cursor.deeper(() => parseInterpolation(cursor, stop, form.read));
    height = Math.max(height, interpolation.value.height + 1);
    parts.push(interpolation);
    at = interpolation.end;
  }
}

/** The offset of the closing mark or of the next interpolation, or -1. */
function findStop(text: string, from: number, form: TextForm): number {
  const close = form.close.charCodeAt(0);
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === close && text.startsWith(form.close, at)) return at;
    if (code === 0x5c && form.escapes) at += 1;
    else if (code === 0x7e && form.tilde && text.charCodeAt(at + 1) === 0x7b) return at;
    else if (code === 0x24 && form.dollar && text.charCodeAt(at + 1) === 0x7b) return at;
  }
  return -1;
}

function parseInterpolation(cursor: Cursor, start: number, read: ExpressionReader): Interpolation {
  const options: Record<string, string> = {};
  for (;;) {
    const option = takeOptionName(cursor);
    if (option === undefined) break;
    options[option] = parseOptionValue(cursor);
  }
  const value = read(cursor);
  const { end } = cursor.expect("}", "to close the interpolation");
  return { options, value, start, end };
}

const OPTIONS: ReadonlySet<string> = new Set(["sep", "default", "true", "false"]);

function takeOptionName(cursor: Cursor): string | undefined {
  const token = cursor.peek();
  if (token.kind !== "name" || !OPTIONS.has(token.text)) return undefined;
  cursor.next();
  if (cursor.accept("=")) return token.text;
  cursor.seek(token.start);
  return undefined;
}

function parseOptionValue(cursor: Cursor): string {
  const token = cursor.peek();
  if (token.kind === "quote") return parsePlainString(cursor);
  if (token.kind === "int" || token.kind === "float") return cursor.next().text;
  return cursor.fail("an interpolation's option is a string or a number");
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  "~": "~",
  $: "$",
  "\n": "",
};

/** A string's text with its escape sequences replaced; a sequence WDL does not define stays as it is. */
export function decodeEscapes(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (whole, ...groups: readonly (string | undefined)[]) => {
      const [hex2, hex4, hex8, octal, simple] = groups;
      const hex = hex2 ?? hex4 ?? hex8;
      if (hex !== undefined) return codePoint(Number.parseInt(hex, 16), whole);
      if (octal !== undefined) return codePoint(Number.parseInt(octal, 8), whole);
      return SIMPLE_ESCAPES[simple ?? ""] ?? whole;
    },
  );
}

const codePoint = (code: number, otherwise: string): string => (code <= 0x10ffff ? String.fromCodePoint(code) : otherwise);
