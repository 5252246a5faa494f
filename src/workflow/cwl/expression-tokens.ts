/** A token of the JavaScript subset: what expressions that choose an image are made of. */
export interface Token {
  readonly kind: "name" | "number" | "string" | "sign" | "end";
  readonly text: string;
  /** Where it starts and ends in the source. */
  readonly from: number;
  readonly to: number;
}

const SPACE = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const NAME = /[A-Za-z_$][\w$]*/y;
const NUMBER = /\d+(?:\.\d+)?/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|`(?:[^`\\$]|\\[\s\S]|\$(?!\{))*`/y;
const SIGN = /===|!==|==|!=|\|\||&&|[()[\]{}.,;:?+!=]/y;

/** The tokens, or undefined where the text holds something else. */
export function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = skip(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    if (!token) return undefined;
    tokens.push(token);
    at = skip(text, token.to);
  }
  return [...tokens, { kind: "end", text: "", from: at, to: at }];
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(text)?.[0].length ?? 0);
}

function tokenAt(text: string, at: number): Token | undefined {
  for (const [kind, pattern] of [
    ["string", STRING],
    ["name", NAME],
    ["number", NUMBER],
    ["sign", SIGN],
  ] as const) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return { kind, text: kind === "string" ? unquoted(found) : found, from: at, to: at + found.length };
  }
  return undefined;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", "0": "\0", "\n": "" };

const unquoted = (text: string): string =>
  text.slice(1, -1).replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]))/g, (_, unicode?: string, hex?: string, other = "") => {
    const code = unicode ?? hex;
    return code === undefined ? (ESCAPES[other] ?? other) : String.fromCharCode(Number.parseInt(code, 16));
  });
