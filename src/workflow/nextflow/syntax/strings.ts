import { report, type Pieces, type Scan } from "./scan.ts";
import type { Token } from "./tokens.ts";

interface Reading {
  readonly pieces: Pieces;
  readonly start: number;
}

/** Reads the string in quotes, single or triple, at the scan's position. Double quotes interpolate. */
export function readQuoted(scan: Scan): Reading {
  const start = scan.position;
  const quote = scan.source.charAt(start);
  const fence = scan.source.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  scan.position += fence.length;
  const pieces = readPieces(scan, {
    fence,
    interpolates: quote === '"',
    isOneLine: fence.length === 1,
    escape: readBackslash,
    escapeChar: "\\",
  });
  return { pieces, start };
}

/** Reads `/…/` or `$/…/$` at the scan's position. */
export function readSlashy(scan: Scan): Reading {
  const start = scan.position;
  const isDollar = scan.source.charAt(start) === "$";
  scan.position += isDollar ? 2 : 1;
  const pieces = readPieces(scan, {
    fence: isDollar ? "/$" : "/",
    interpolates: true,
    isOneLine: false,
    escape: isDollar ? readDollarEscape : readSlashEscape,
    escapeChar: isDollar ? "$" : "\\",
  });
  return { pieces, start };
}

interface Kind {
  readonly fence: string;
  readonly interpolates: boolean;
  readonly isOneLine: boolean;
  readonly escapeChar: string;
  /** The text an escape at the position stands for, the position moved behind it; undefined where it is none. */
  readonly escape: (scan: Scan) => string | undefined;
}

function readPieces(scan: Scan, kind: Kind): Pieces {
  const { source } = scan;
  const opened = scan.position;
  const pieces: (string | readonly Token[])[] = [];
  let text = "";
  while (scan.position < source.length) {
    const char = source.charAt(scan.position);
    if (char === "\n" && kind.isOneLine) break;
    if (char === kind.escapeChar) {
      const escaped = kind.escape(scan);
      if (escaped !== undefined) {
        text += escaped;
        continue;
      }
    }
    if (source.startsWith(kind.fence, scan.position)) {
      scan.position += kind.fence.length;
      return text === "" ? pieces : [...pieces, text];
    }
    const tokens = char === "$" && kind.interpolates ? readInterpolation(scan) : undefined;
    if (tokens === undefined) {
      text += plainRun(scan, kind);
    } else {
      if (text !== "") pieces.push(text);
      pieces.push(tokens);
      text = "";
    }
  }
  report(scan, opened - kind.fence.length, "this string is never closed");
  return text === "" ? pieces : [...pieces, text];
}

/** The characters from here to the next that could mean something; at least one. */
function plainRun(scan: Scan, kind: Kind): string {
  const { source, position } = scan;
  const ends = kind.fence.charAt(0);
  let end = position + 1;
  while (end < source.length) {
    const char = source.charAt(end);
    if (char === "\n" || char === "\\" || char === "$" || char === ends) break;
    end++;
  }
  scan.position = end;
  return source.slice(position, end);
}

const PATH = /[A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)*/y;

function readInterpolation(scan: Scan): readonly Token[] | undefined {
  const { source, position } = scan;
  if (source.charAt(position + 1) === "{") {
    scan.position = position + 2;
    const tokens = scan.interpolation(scan);
    if (tokens === undefined) {
      report(scan, position, "this ${…} is never closed");
      scan.position = position;
    }
    return tokens;
  }
  PATH.lastIndex = position + 1;
  const path = PATH.exec(source)?.[0];
  if (path === undefined) return undefined;
  scan.position = position + 1 + path.length;
  return pathTokens(path, position + 1);
}

/** `$a.b` interpolates `a.b`. */
function pathTokens(path: string, start: number): readonly Token[] {
  const tokens: Token[] = [];
  let offset = start;
  for (const part of path.split(".")) {
    if (tokens.length > 0) tokens.push({ type: "operator", text: ".", start: offset - 1, end: offset, isSpaced: false });
    tokens.push({ type: "name", text: part, start: offset, end: offset + part.length, isSpaced: false });
    offset += part.length + 1;
  }
  tokens.push({ type: "end", text: "", start: start + path.length, end: start + path.length, isSpaced: false });
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", s: " ", "\n": "" };

function readBackslash(scan: Scan): string {
  const next = scan.source.charAt(scan.position + 1);
  if (next === "u") {
    const code = /^u+([0-9a-fA-F]{4})/.exec(scan.source.slice(scan.position + 1, scan.position + 16));
    if (code?.[1] !== undefined) {
      scan.position += 1 + code[0].length;
      return String.fromCharCode(Number.parseInt(code[1], 16));
    }
  }
  scan.position += 2;
  return ESCAPES[next] ?? next;
}

function readSlashEscape(scan: Scan): string | undefined {
  if (scan.source.charAt(scan.position + 1) !== "/") return undefined;
  scan.position += 2;
  return "/";
}

function readDollarEscape(scan: Scan): string | undefined {
  const next = scan.source.charAt(scan.position + 1);
  const isEscape = next === "$" || (next === "/" && scan.source.charAt(scan.position + 2) !== "$");
  if (!isEscape) return undefined;
  scan.position += 2;
  return next;
}
