/** JSON with the place of each value: packed documents of megabytes, which a reader of YAML needs seconds for. */
import { type Entry, type Node, type Place, scalarOf, weightOf } from "./nodes.ts";

/** Deeper documents, and all that is not plain JSON, are left to the reader of YAML. */
const MAX_DEPTH = 100;

/** JSON of more values than are read. */
export class TooManyValues extends Error {}

/**
 * The text's nodes, or undefined where it is no JSON, or JSON that asks for a word about it (a key that occurs twice).
 * @throws TooManyValues beyond `most` of them
 */
export function parseJson(text: string, file: string, most: number): Node | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return new JsonReader(text, file, most).document();
  } catch (error) {
    if (error instanceof NoJson) return undefined;
    throw error;
  }
}

class NoJson extends Error {}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_MAP, CLOSE_MAP] = [0x5b, 0x5d, 0x7b, 0x7d];

class JsonReader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #left: number;

  constructor(text: string, file: string, most: number) {
    this.#text = text;
    this.#file = file;
    this.#left = most;
  }

  document(): Node {
    const node = this.#value(0);
    if (this.#next() !== undefined) throw new NoJson();
    return node;
  }

  #place(): Place {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  /** The code of the next character that is no white space; undefined at the end. */
  #next(): number | undefined {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x0a) {
        this.#line++;
        this.#lineStart = this.#at + 1;
      } else if (code !== 0x20 && code !== 0x0d && code !== 0x09) return code;
    }
    return undefined;
  }

  #accept(code: number): boolean {
    const is = this.#next() === code;
    if (is) this.#at++;
    return is;
  }

  #expect(code: number): void {
    if (!this.#accept(code)) throw new NoJson();
  }

  #value(depth: number): Node {
    if (depth > MAX_DEPTH) throw new NoJson();
    if (this.#left-- <= 0) throw new TooManyValues();
    const code = this.#next();
    const at = this.#place();
    if (code === OPEN_MAP) return this.#map(at, depth);
    if (code === OPEN_LIST) return this.#list(at, depth);
    return code === QUOTE ? scalarOf(this.#string(), at) : this.#word(at);
  }

  #map(at: Place, depth: number): Node {
    const entries = new Map<string, Entry>();
    this.#at++;
    while (!this.#accept(CLOSE_MAP)) {
      if (entries.size > 0) this.#expect(COMMA);
      if (this.#next() !== QUOTE) throw new NoJson();
      const keyAt = this.#place();
      const key = this.#string();
      if (entries.has(key) || key === "<<") throw new NoJson();
      this.#expect(COLON);
      entries.set(key, { at: keyAt, value: this.#value(depth + 1) });
    }
    return { kind: "map", entries, at, weight: weightOf([...entries.values()].map(({ value }) => value)) };
  }

  #list(at: Place, depth: number): Node {
    const items: Node[] = [];
    this.#at++;
    while (!this.#accept(CLOSE_LIST)) {
      if (items.length > 0) this.#expect(COMMA);
      items.push(this.#value(depth + 1));
    }
    return { kind: "list", items, at, weight: weightOf(items) };
  }

  #string(): string {
    const start = this.#at;
    let isPlain = true;
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#at++;
        return isPlain ? this.#text.slice(start + 1, this.#at - 1) : unescaped(this.#text.slice(start, this.#at));
      }
      if (code < 0x20) break;
      if (code === BACKSLASH) {
        isPlain = false;
        this.#at++;
      }
    }
    throw new NoJson();
  }

  /** A number, true, false or null. */
  #word(at: Place): Node {
    WORD.lastIndex = this.#at;
    const [word] = WORD.exec(this.#text) ?? [];
    if (word === undefined) throw new NoJson();
    this.#at += word.length;
    return scalarOf(JSON.parse(word), at, word);
  }
}

const WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?=[\s,\]}]|$)/y;

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new NoJson();
  }
}
