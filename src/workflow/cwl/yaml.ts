import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";

import { parseJson, TooManyValues } from "./json.ts";
import { type Entry, type MapNode, type Node, type Place, scalarOf, weightOf } from "./nodes.ts";

/** A document that was read as far as it could be. */
export interface Parsed {
  readonly root?: Node;
  readonly problems: readonly { readonly at: Place; readonly message: string }[];
}

/** More nodes than any definition has; aliases count for what they unfold to. */
export const MAX_WEIGHT = 500_000;

const MAX_DEPTH = 150;
/** From here on the parser itself could be made to run out of stack. */
const MAX_FLOW_DEPTH = 500;

/** A reader of YAML takes seconds, and gigabytes, for more. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_MARKS = 200_000;

/** Reads YAML 1.2 or JSON. Aliases are shared, not copied; what would unfold without end is a problem. Never throws. */
export function parseYaml(text: string, file: string): Parsed {
  const lines = new LineCounter();
  const start: Place = { file, line: 1, column: 1 };
  try {
    const json = parseJson(text, file, MAX_WEIGHT);
    if (json) return { root: json, problems: [] };
    if (text.length > MAX_CHARACTERS || hasTooManyMarks(text)) return { problems: [{ at: start, message: TOO_LARGE }] };
    if (flowDepth(text) > MAX_FLOW_DEPTH) return { problems: [{ at: start, message: TOO_DEEP }] };
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      strict: false,
      logLevel: "silent",
    });
    const reader = new Reader(file, lines);
    const errors = document.errors.map(({ message, pos }) => ({ at: reader.place(pos[0]), message }));
    const root = document.contents === null ? undefined : reader.read(document.contents as ParsedNode, 0);
    return { ...(root && { root }), problems: [...errors, ...reader.problems] };
  } catch (error) {
    if (error instanceof TooManyValues) return { problems: [{ at: start, message: TOO_MANY }] };
    if (error instanceof RangeError) return { problems: [{ at: start, message: TOO_DEEP }] };
    if (error instanceof Unreadable) return { problems: [{ at: error.at, message: error.message }] };
    throw error;
  }
}

const TOO_LARGE = `the document is no JSON, and of YAML at most ${MAX_CHARACTERS} characters and ${MAX_MARKS} lines and items are read`;
const TOO_MANY = `the document unfolds to more than ${MAX_WEIGHT} values`;
const TOO_DEEP = "the document is nested too deeply";

/** Whether there are more line breaks, commas and brackets than any definition in YAML has. */
function hasTooManyMarks(text: string): boolean {
  let left = MAX_MARKS;
  for (let index = 0; index < text.length && left > 0; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x0a || code === 0x2c || code === 0x5b || code === 0x7b) left--;
  }
  return left === 0;
}

/** A document that is not worth reading on. */
class Unreadable extends Error {
  readonly at: Place;
  constructor(at: Place, message: string) {
    super(message);
    this.at = at;
  }
}

/** The deepest nesting of brackets, or of dashes at the start of a line; strings may make it too large, not too small. */
function flowDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
  }
  return Math.max(deepest, ...[...text.matchAll(/^[ \t]*(?:[-?:] ){100,}/gm)].map(([dashes]) => dashes.length));
}

class Reader {
  readonly problems: { readonly at: Place; readonly message: string }[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #anchors = new Map<string, Node>();
  #weight = 0;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** The anchored node is known from its end on, as in YAML's own order; an alias inside itself finds nothing. */
  read(node: ParsedNode, depth: number): Node {
    const at = this.place(node.range[0]);
    if (depth > MAX_DEPTH) throw new Unreadable(at, TOO_DEEP);
    const made = this.#make(node, at, depth);
    if (!isAlias(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, made);
    return made;
  }

  #make(node: ParsedNode, at: Place, depth: number): Node {
    if (isAlias(node)) return this.#alias(node, at);
    this.#count(1, at);
    if (isMap(node)) return this.#map(node as YAMLMap.Parsed, at, depth);
    if (isSeq(node)) {
      const items = (node as YAMLSeq.Parsed).items.map((item) => this.read(item, depth + 1));
      return { kind: "list", items, at, weight: weightOf(items) };
    }
    return isScalar(node) ? scalarOf(node.value, at, node.source) : scalarOf(null, at);
  }

  #alias(node: Alias.Parsed, at: Place): Node {
    const target = this.#anchors.get(node.source);
    if (!target) {
      this.problems.push({ at, message: `there is no finished anchor "${node.source}" before this alias` });
      return scalarOf(null, at);
    }
    this.#count(target.weight, at);
    return target;
  }

  #map(node: YAMLMap.Parsed, at: Place, depth: number): MapNode {
    const entries = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of node.items) {
      const keyAt = pair.key ? this.place((pair.key as ParsedNode).range[0]) : at;
      const key = pair.key ? keyText(pair.key as ParsedNode) : "";
      const value = pair.value ? this.read(pair.value as ParsedNode, depth + 1) : scalarOf(null, keyAt);
      if (key === undefined) this.problems.push({ at: keyAt, message: "a key of a map must be a text" });
      else if (key === "<<") for (const [name, entry] of mergedEntries(value)) merged.set(name, entry);
      else if (entries.has(key)) this.problems.push({ at: keyAt, message: `the key "${key}" occurs twice in this map` });
      else entries.set(key, { at: keyAt, value });
    }
    for (const [name, entry] of merged) if (!entries.has(name)) entries.set(name, entry);
    return { kind: "map", entries, at, weight: weightOf([...entries.values()].map(({ value }) => value)) };
  }

  #count(weight: number, at: Place): void {
    this.#weight += weight;
    if (this.#weight > MAX_WEIGHT) throw new Unreadable(at, TOO_MANY);
  }
}

const mergedEntries = (node: Node): readonly (readonly [string, Entry])[] =>
  node.kind === "map" ? [...node.entries] : node.kind === "list" ? node.items.toReversed().flatMap(mergedEntries) : [];

const keyText = (key: ParsedNode): string | undefined =>
  isScalar(key) ? (key.value === null ? (key.source ?? "null") : String(key.value)) : undefined;
