/**
 * Java's regular expressions, as far as selectors use them, matched in bounded time: a JavaScript RegExp would
 * try `(a+)+b` for ever, and selectors come from whoever wrote the workflow.
 */
type Node =
  | { readonly kind: "character"; readonly accepts: (char: string) => boolean }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "either"; readonly items: readonly Node[] }
  | { readonly kind: "repeat"; readonly item: Node; readonly least: number; readonly most: number }
  | { readonly kind: "look"; readonly item: Node; readonly isNegative: boolean }
  | { readonly kind: "edge"; readonly isStart: boolean };

interface Source {
  readonly text: string;
  at: number;
  depth: number;
}

/** Whether the pattern matches the whole text; undefined where the pattern is none that can be read. */
export function matchesWhole(pattern: string, text: string): boolean | undefined {
  return wholeMatcher(pattern)?.(text);
}

/** What tells whether a text matches as a whole; undefined where the pattern is none that can be read. */
export function wholeMatcher(pattern: string): ((text: string) => boolean) | undefined {
  const matcher = compiled(pattern);
  if (matcher === undefined) return undefined;
  const { fast, node } = matcher;
  // What JavaScript's own engine matches in time that grows with the square of the text at most, it matches fastest.
  return (text) =>
    fast !== undefined && text.length < LONGEST_NAME
      ? fast.test(text)
      : ends(node, new Set([0]), { text, steps: MOST_STEPS }).has(text.length);
}

/**
 * What replaces the parts of a text that match, as `replaceAll` and `replaceFirst` do; undefined for a pattern that
 * could take long. That gives undefined for a text or a replacement that Java would read otherwise.
 */
export function replacer(pattern: string, isGlobal: boolean): ((text: string, by: string) => string | undefined) | undefined {
  const matcher = compiled(pattern);
  if (matcher?.fast === undefined || degree(matcher.node) > 1) return undefined;
  const found = new RegExp(pattern, isGlobal ? "gs" : "s");
  return (text, by) => (text.length >= LONGEST_NAME || /\\|\$(?![1-9](?!\d))/.test(by) ? undefined : text.replace(found, by));
}

interface Matcher {
  readonly node: Node;
  readonly fast: RegExp | undefined;
}

const LONGEST_NAME = 300;

/** A text that is matched, and how much work is left for it: nested repetitions multiply. */
interface Subject {
  readonly text: string;
  steps: number;
}

const MOST_STEPS = 200_000;

const COMPILED = new Map<string, Matcher | undefined>();
const LONGEST_PATTERN = 5_000;

function compiled(pattern: string): Matcher | undefined {
  if (COMPILED.has(pattern)) return COMPILED.get(pattern);
  const source: Source = { text: pattern, at: 0, depth: 0 };
  const whole = pattern.length > LONGEST_PATTERN ? undefined : readEither(source);
  const node = source.at === pattern.length ? whole : undefined;
  if (COMPILED.size > 10_000) COMPILED.clear();
  const matcher = node && { node, fast: degree(node) <= 2 ? fastForm(pattern) : undefined };
  COMPILED.set(pattern, matcher);
  return matcher;
}

/** The pattern for JavaScript; undefined where it writes something otherwise (possessive `x++`). */
function fastForm(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`, "s");
  } catch {
    return undefined;
  }
}

/** How many unbounded repetitions multiply while one attempt backtracks. */
function degree(node: Node): number {
  switch (node.kind) {
    case "character":
    case "edge":
      return 0;
    case "sequence":
      return node.items.reduce((sum, item) => sum + degree(item), 0);
    case "either":
      return Math.max(0, ...node.items.map(degree));
    case "look":
      return degree(node.item);
    case "repeat": {
      const inside = degree(node.item);
      if (node.most === 1) return inside;
      return node.item.kind === "character" ? (node.most === Infinity ? 1 : 0.5) : Infinity;
    }
  }
}

/** Where matches may end that begin at any of `starts`. */
function ends(node: Node, starts: ReadonlySet<number>, subject: Subject): ReadonlySet<number> {
  if (subject.steps-- <= 0) return new Set();
  const { text } = subject;
  switch (node.kind) {
    case "character":
      return new Set([...starts].filter((at) => at < text.length && node.accepts(text.charAt(at))).map((at) => at + 1));
    case "sequence":
      return node.items.reduce((from, item) => (from.size === 0 ? from : ends(item, from, subject)), starts);
    case "either":
      return new Set(node.items.flatMap((item) => [...ends(item, starts, subject)]));
    case "look":
      return new Set([...starts].filter((at) => ends(node.item, new Set([at]), subject).size > 0 !== node.isNegative));
    case "edge":
      return new Set([...starts].filter((at) => at === (node.isStart ? 0 : text.length)));
    case "repeat":
      return repeated(node, starts, subject);
  }
}

function repeated(node: Extract<Node, { kind: "repeat" }>, starts: ReadonlySet<number>, subject: Subject): ReadonlySet<number> {
  const all = new Set(node.least === 0 ? starts : []);
  let from = starts;
  for (let count = 1; count <= node.most && from.size > 0; count++) {
    const reached = ends(node.item, from, subject);
    // Once enough are read, only places not seen before can lead anywhere new.
    from = count < node.least ? reached : new Set([...reached].filter((at) => !all.has(at)));
    if (count >= node.least) for (const at of from) all.add(at);
  }
  return all;
}

const DEEPEST_GROUP = 50;

function readEither(source: Source): Node | undefined {
  const items: Node[] = [];
  if (++source.depth > DEEPEST_GROUP) return undefined;
  do {
    const item = readSequence(source);
    if (item === undefined) return undefined;
    items.push(item);
  } while (accept(source, "|"));
  source.depth--;
  return { kind: "either", items };
}

function accept(source: Source, text: string): boolean {
  if (!source.text.startsWith(text, source.at)) return false;
  source.at += text.length;
  return true;
}

function readSequence(source: Source): Node | undefined {
  const items: Node[] = [];
  while (source.at < source.text.length && !"|)".includes(source.text.charAt(source.at))) {
    const atom = readAtom(source);
    if (atom === undefined) return undefined;
    items.push(readRepeat(source, atom));
  }
  return { kind: "sequence", items };
}

function readRepeat(source: Source, item: Node): Node {
  let node = item;
  for (;;) {
    const bounds = readBounds(source);
    if (bounds === undefined) return node;
    // Reluctant and possessive forms differ in which match is found, not in whether the whole matches.
    if (!accept(source, "?")) accept(source, "+");
    node = { kind: "repeat", item: node, ...bounds };
  }
}

/** Names are short; a larger number asks for nothing but time. */
const MOST_REPEATS = 1_000;

function readBounds(source: Source): { readonly least: number; readonly most: number } | undefined {
  if (accept(source, "*")) return { least: 0, most: Infinity };
  if (accept(source, "+")) return { least: 1, most: Infinity };
  if (accept(source, "?")) return { least: 0, most: 1 };
  const braces = /^\{(\d+)(,?)(\d*)\}/.exec(source.text.slice(source.at, source.at + 30));
  if (braces === null) return undefined;
  source.at += braces[0].length;
  const least = Math.min(Number(braces[1]), MOST_REPEATS);
  if (braces[2] === "") return { least, most: least };
  return { least, most: braces[3] === "" ? Infinity : Math.min(Number(braces[3]), MOST_REPEATS) };
}

function readAtom(source: Source): Node | undefined {
  if (accept(source, "(")) return readGroup(source);
  if (accept(source, "[")) return readClass(source);
  if (accept(source, "^")) return { kind: "edge", isStart: true };
  if (accept(source, "$")) return { kind: "edge", isStart: false };
  if (accept(source, "\\")) return readEscape(source);
  const char = source.text.charAt(source.at++);
  if (char === "*" || char === "+" || char === "?") return undefined;
  return { kind: "character", accepts: char === "." ? (each) => each !== "\n" : (each) => each === char };
}

function readGroup(source: Source): Node | undefined {
  const isNegative = accept(source, "?!");
  const isLook = isNegative || accept(source, "?=");
  if (!isLook && !accept(source, "?:") && source.text.startsWith("?", source.at)) {
    const name = /^\?<[A-Za-z]\w*>/.exec(source.text.slice(source.at, source.at + 60));
    if (name === null) return undefined;
    source.at += name[0].length;
  }
  const item = readEither(source);
  if (item === undefined || !accept(source, ")")) return undefined;
  return isLook ? { kind: "look", item, isNegative } : item;
}

const CLASSES: Readonly<Record<string, RegExp>> = { w: /\w/, W: /\W/, d: /\d/, D: /\D/, s: /\s/, S: /\S/ };

function readEscape(source: Source): Node | undefined {
  const char = source.text.charAt(source.at++);
  const pattern = CLASSES[char];
  if (pattern !== undefined) return { kind: "character", accepts: (each) => pattern.test(each) };
  return /[A-Za-z0-9]/.test(char) || char === "" ? undefined : { kind: "character", accepts: (each) => each === char };
}

function readClass(source: Source): Node | undefined {
  const isNegated = accept(source, "^");
  const members: ((char: string) => boolean)[] = [];
  while (source.at < source.text.length && (members.length === 0 || source.text.charAt(source.at) !== "]")) {
    const member = readMember(source);
    if (member === undefined) return undefined;
    members.push(member);
  }
  if (!accept(source, "]")) return undefined;
  return { kind: "character", accepts: (char) => members.some((accepts) => accepts(char)) !== isNegated };
}

function readMember(source: Source): ((char: string) => boolean) | undefined {
  if (accept(source, "\\")) {
    const node = readEscape(source);
    return node?.kind === "character" ? node.accepts : undefined;
  }
  const from = source.text.charAt(source.at++);
  const to = source.text.charAt(source.at) === "-" ? source.text.charAt(source.at + 1) : "";
  if (to === "" || to === "]") return (char) => char === from;
  source.at += 2;
  return (char) => char >= from && char <= to;
}
