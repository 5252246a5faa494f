/**
 * Values as far as they are known without running anything. What only a run can tell is `unknown`, with the
 * inputs that would tell it; where a condition cannot be decided, a `choice` holds what each branch gives.
 */
import type { ImageOrigin } from "../../inspection.ts";
import type { Source } from "../source.ts";

/** Where a text came from and what it went through. */
export interface Trace {
  readonly how: ImageOrigin;
  /** The main workflow's inputs (`x`), or a call's unset ones (`call.x`), that would change the value; the nearest first. */
  readonly inputs: readonly string[];
}

export interface TextValue extends Trace {
  readonly kind: "text";
  readonly text: string;
  /** Where it is written. */
  readonly source: Source;
  readonly start: number;
}

export interface UnknownValue extends Trace {
  readonly kind: "unknown";
  /** Equal for equal unknowns, so that one condition is recognised where it comes again. */
  readonly symbol: string;
  /** The text as far as it is known, with inputs in their place: `~{registry}/bwa:1`. */
  readonly pattern?: string;
  /** Set for a comparison with a literal, to tell which comparisons exclude each other. */
  readonly test?: { readonly subject: string; readonly literal: string; readonly negated: boolean };
  /** True when it cannot be null: a required input. */
  readonly present: boolean;
  /** True when a run would fail here: no branch of a choice is taken for its sake. */
  readonly fails?: boolean;
}

/** What is taken for granted on one branch of a condition. */
export interface Assumption {
  readonly key: string;
  readonly truth: boolean;
  readonly test?: { readonly subject: string; readonly literal: string };
  /** The condition as written, negated on the else-branch. */
  readonly text: string;
  readonly inputs: readonly string[];
}

export interface Option {
  readonly when: readonly Assumption[];
  readonly value: SingleValue;
}

export interface ChoiceValue extends Trace {
  readonly kind: "choice";
  readonly options: readonly Option[];
}

export type SingleValue =
  | TextValue
  | (Trace & { readonly kind: "number"; readonly value: number; readonly float: boolean })
  | (Trace & { readonly kind: "boolean"; readonly value: boolean })
  | (Trace & { readonly kind: "null" })
  | (Trace & { readonly kind: "list"; readonly items: readonly Value[] })
  | (Trace & { readonly kind: "pair"; readonly left: Value; readonly right: Value })
  | (Trace & { readonly kind: "map"; readonly entries: readonly (readonly [Value, Value])[] })
  | (Trace & { readonly kind: "object"; readonly members: ReadonlyMap<string, Value> })
  | UnknownValue;

export type Value = SingleValue | ChoiceValue;

const RANK: Readonly<Partial<Record<ImageOrigin, number>>> = { literal: 0, variable: 1, default: 2, override: 3, member: 4, ternary: 5 };

/** The one of two origins that says more. */
export const furtherOrigin = (a: ImageOrigin, b: ImageOrigin): ImageOrigin => ((RANK[a] ?? 0) >= (RANK[b] ?? 0) ? a : b);

export const union = (a: readonly string[], b: readonly string[]): readonly string[] =>
  b.length === 0 || a === b ? a : a.length === 0 ? b : [...new Set([...a, ...b])];

const LITERAL: Trace = { how: "literal", inputs: [] };

export const unknown = (symbol: string, inputs: readonly string[] = [], present = false): UnknownValue => ({
  kind: "unknown",
  how: "literal",
  symbol: symbol.length > MAX_SYMBOL ? `…${symbol.length}:${symbol.slice(-MAX_SYMBOL)}` : symbol,
  inputs,
  present,
});
const MAX_SYMBOL = 400;

export const nothing = (inputs: readonly string[] = []): SingleValue => ({ kind: "null", how: "literal", inputs });
export const boolean = (value: boolean, trace: Trace = LITERAL): SingleValue => ({
  kind: "boolean",
  value,
  how: trace.how,
  inputs: trace.inputs,
});
export const list = (items: readonly Value[], trace: Trace = LITERAL): SingleValue => ({
  kind: "list",
  items,
  how: trace.how,
  inputs: trace.inputs,
});
export const number = (value: number, float: boolean, trace: Trace = LITERAL): SingleValue => ({
  kind: "number",
  value,
  float,
  how: trace.how,
  inputs: trace.inputs,
});

/** The value after it went through something that says more of its origin, or that further inputs would change. */
export function traced<T extends Value>(value: T, by: Partial<Trace>): T {
  const how = furtherOrigin(value.how, by.how ?? "literal");
  const inputs = union(value.inputs, by.inputs ?? []);
  if (how === value.how && inputs === value.inputs && value.kind !== "choice") return value;
  if (value.kind !== "choice") return { ...value, how, inputs };
  const options = value.options.map((option) => ({ ...option, value: traced(option.value, by) }));
  return { ...value, how, inputs, options };
}

/** More branches than this are not followed: the value is unknown then. */
const MAX_OPTIONS = 24;

/** Applies `use` to the value, or to each branch of a choice under what is assumed there. */
export function each(value: Value, use: (single: SingleValue) => Value): Value {
  if (value.kind !== "choice") return use(value);
  const options: Option[] = [];
  for (const option of value.options) addOptions(options, option.when, use(option.value));
  return choose(options);
}

/** Applies `use` to two values in every combination of branches that can be together. */
export const both = (a: Value, b: Value, use: (left: SingleValue, right: SingleValue) => Value): Value =>
  each(a, (left) => each(b, (right) => use(left, right)));

function addOptions(options: Option[], when: readonly Assumption[], value: Value): void {
  const inner = value.kind === "choice" ? value.options : [{ when: [], value }];
  for (const option of inner) {
    const together = join(when, option.when);
    if (together) options.push({ when: together, value: option.value });
  }
}

/** What a run cannot get past, because everything is null that could have been used. */
export const failure = (symbol: string, inputs: readonly string[]): UnknownValue => ({ ...unknown(symbol, inputs), fails: true });

const fails = ({ value }: Option): boolean => value.kind === "unknown" && value.fails === true;

/** A choice under assumptions; unknown where there are too many, the value itself where there is one. */
export function choose(all: readonly Option[]): Value {
  const options = all.every(fails) ? all.slice(0, 1) : all.filter((option) => !fails(option));
  const [first] = options;
  if (!first) return unknown("impossible");
  const inputs = options.reduce<readonly string[]>((all, option) => union(all, option.value.inputs), []);
  if (options.length > MAX_OPTIONS) return unknown("too many branches", union(decidersOf(options), inputs));
  if (all.length === 1) return first.value;
  if (options.length > 1 && options.every((option) => isSameText(option.value, first.value))) return { ...first.value, inputs };
  return { kind: "choice", how: "ternary", inputs, options };
}

const decidersOf = (options: readonly Option[]): readonly string[] => [
  ...new Set(options.flatMap(({ when }) => when.flatMap((assumption) => assumption.inputs))),
];

const isSameText = (a: SingleValue, b: SingleValue): boolean => a.kind === "text" && b.kind === "text" && a.text === b.text;

/** The value where only one branch is left: elsewhere a run would fail. */
export function settled(value: Value): Value {
  const [first, second] = value.kind === "choice" ? value.options : [];
  return first && !second ? first.value : value;
}

/** The branches of an undecided condition. */
export function branch(condition: UnknownValue, text: string, { whenTrue, whenFalse }: { whenTrue: Value; whenFalse: Value }): Value {
  const options: Option[] = [];
  addOptions(options, [assume(condition, true, text)], whenTrue);
  addOptions(options, [assume(condition, false, text)], whenFalse);
  return traced(choose(options), { how: "ternary" });
}

/** Whether a branch can be taken where `given` holds. */
export const isPossible = (given: readonly Assumption[], option: Option): boolean => join(given, option.when) !== undefined;

/** Both sets of assumptions together, or undefined when they contradict each other. */
function join(a: readonly Assumption[], b: readonly Assumption[]): readonly Assumption[] | undefined {
  if (a.length === 0) return b;
  const joined = [...a];
  for (const assumption of b) {
    if (a.some((other) => contradicts(other, assumption))) return undefined;
    if (!a.some((other) => other.key === assumption.key)) joined.push(assumption);
  }
  return joined;
}

function contradicts(a: Assumption, b: Assumption): boolean {
  if (a.key === b.key) return a.truth !== b.truth;
  const exclusive = a.test && b.test && a.test.subject === b.test.subject && a.test.literal !== b.test.literal;
  return Boolean(exclusive && a.truth && b.truth);
}

/** What holds where an undecided condition is true (or, with `truth` false, where it is not). */
export function assume(condition: UnknownValue, truth: boolean, text: string): Assumption {
  const written = truth ? text : `!(${text})`;
  const { test, symbol, inputs } = condition;
  if (test) {
    const { subject, literal } = test;
    return { key: `${subject}==${literal}`, truth: truth !== test.negated, test: { subject, literal }, text: written, inputs };
  }
  const negated = symbol.startsWith("!");
  return { key: negated ? symbol.slice(1) : symbol, truth: truth !== negated, text: written, inputs };
}
