import { replacer, wholeMatcher } from "../config/pattern.ts";
import { limited } from "./bounds.ts";
import type { Value } from "./types.ts";
import { numeric, textOf } from "./values.ts";

/** What a method of a text gives, or undefined where it is not one that is known here. */
export function ofText(object: string, name: string, args: readonly Value[]): Value | undefined {
  return Object.hasOwn(TEXT_METHODS, name) ? TEXT_METHODS[name]?.(object, args) : undefined;
}

type Method<T> = (object: T, args: readonly Value[]) => Value | undefined;

const text = (value: Value | undefined): string | undefined => (typeof value === "string" ? value : undefined);

const withText =
  (apply: (object: string, argument: string) => Value): Method<string> =>
  (object, [first]) =>
    typeof first === "string" ? apply(object, first) : undefined;

function withCount(apply: (object: string, count: number) => Value): Method<string> {
  return (object, [first]) => {
    const count = numeric(first);
    return count === undefined ? undefined : apply(object, count);
  };
}

const isNumber = (object: string): boolean => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(object.trim());

function substring(object: string, from: number | undefined, to: number | undefined): Value | undefined {
  if (from === undefined || to === undefined || from < 0 || to > object.length || from > to) return undefined;
  return object.slice(from, to);
}

function padded([length, fill]: readonly Value[], pad: (length: number, fill: string) => string): Value | undefined {
  const count = numeric(length);
  const by = fill === undefined ? " " : text(fill);
  return count === undefined || by === undefined || by === "" || count > 1_000 ? undefined : pad(count, by);
}

interface Replacement {
  readonly pattern: string | undefined;
  readonly by: string | undefined;
  readonly isGlobal: boolean;
}

function replacedBy(object: string, { pattern, by, isGlobal }: Replacement): Value | undefined {
  if (pattern === undefined || by === undefined) return undefined;
  if (isGlobal && isPlain(pattern)) return replaced(object, pattern, by);
  const replace = replacer(pattern, isGlobal);
  const result = replace?.(object, by);
  return result === undefined ? undefined : limited(result);
}

/** A regular expression that means itself: others are not run, Java's differ and a hostile one never ends. */
const isPlain = (pattern: string): boolean => !/[\\^$.|?*+()[\]{}]/.test(pattern);

function split(object: string, args: readonly Value[]): Value | undefined {
  const separator = text(args[0]);
  if (separator === undefined || separator === "") return undefined;
  const plain = separator.replace(/^\\(?=[.|/_-]$)/, "");
  if (!isPlain(plain) && plain !== "." && plain !== "|") return undefined;
  const parts = object.split(plain);
  while (parts.length > 1 && parts.at(-1) === "") parts.pop();
  return parts;
}

const TEXT_METHODS: Readonly<Record<string, Method<string>>> = {
  toString: (object: string) => object,
  trim: (object) => object.trim(),
  strip: (object) => object.trim(),
  stripIndent: (object) => object,
  toLowerCase: (object) => object.toLowerCase(),
  toUpperCase: (object) => object.toUpperCase(),
  capitalize: (object) => object.charAt(0).toUpperCase() + object.slice(1),
  isEmpty: (object) => object === "",
  length: (object) => object.length,
  size: (object) => object.length,
  toLong: (object) => (/^-?\d{1,15}$/.test(object.trim()) ? Number(object) : undefined),
  toInteger: (object) => (/^-?\d+$/.test(object.trim()) ? Number(object) : undefined),
  toBoolean: (object) => ["true", "y", "1"].includes(object.trim().toLowerCase()),
  startsWith: withText((object, argument) => object.startsWith(argument)),
  endsWith: withText((object, argument) => object.endsWith(argument)),
  contains: withText((object, argument) => object.includes(argument)),
  concat: withText((object, argument) => limited(object + argument) ?? null),
  equals: (object, [first]) => object === first,
  equalsIgnoreCase: withText((object, argument) => object.toLowerCase() === argument.toLowerCase()),
  replace: (object, [from, to]) => replaced(object, text(from), text(to)),
  replaceAll: (object, [from, to]) => replacedBy(object, { pattern: text(from), by: text(to), isGlobal: true }),
  replaceFirst: (object, [from, to]) => replacedBy(object, { pattern: text(from), by: text(to), isGlobal: false }),
  matches: (object, [pattern]) => wholeMatcher(text(pattern) ?? "(")?.(object),
  indexOf: withText((object, argument) => object.indexOf(argument)),
  lastIndexOf: withText((object, argument) => object.lastIndexOf(argument)),
  uncapitalize: (object) => object.charAt(0).toLowerCase() + object.slice(1),
  reverse: (object) => [...object].toReversed().join(""),
  padLeft: (object, args) => padded(args, (length, fill) => object.padStart(length, fill)),
  padRight: (object, args) => padded(args, (length, fill) => object.padEnd(length, fill)),
  take: withCount((object, count) => object.slice(0, Math.max(0, count))),
  drop: withCount((object, count) => object.slice(Math.max(0, count))),
  isInteger: (object) => /^[+-]?\d{1,9}$/.test(object.trim()),
  isLong: (object) => /^[+-]?\d{1,18}$/.test(object.trim()),
  isNumber,
  isDouble: isNumber,
  isFloat: isNumber,
  isBigDecimal: isNumber,
  isBlank: (object) => object.trim() === "",
  minus: (object, [removed]) =>
    removed === undefined || textOf(removed) === undefined ? undefined : object.replace(textOf(removed) ?? "", () => ""),
  split,
  tokenize: (object, [separators]) => {
    const characters = separators === undefined ? " \t\n\r\f" : text(separators);
    if (characters === undefined) return undefined;
    const parts = [""];
    for (const each of object) {
      if (characters.includes(each)) parts.push("");
      else parts[parts.length - 1] += each;
    }
    return parts.filter((part) => part !== "");
  },
  substring: (object, [from, to]) => substring(object, numeric(from), to === undefined ? object.length : numeric(to)),
  plus: withText((object, argument) => limited(object + argument) ?? null),
};

function replaced(object: string, from: string | undefined, to: string | undefined): Value | undefined {
  if (from === undefined || to === undefined || from === "") return undefined;
  return limited(object.replaceAll(from, () => to));
}
