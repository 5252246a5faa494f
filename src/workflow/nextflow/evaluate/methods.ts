import type { Value } from "./types.ts";
import { equal, isList, isMap, isQuantity, isUnknown, textOf } from "./values.ts";

/** Strings made by a script end here: `a = a + a` forty times would fill the memory. */
const LONGEST_TEXT = 100_000;

/** What a method of Groovy's own gives, or undefined where it is not one that is known here. */
export function callMethod(object: Value, name: string, args: readonly Value[]): Value | undefined {
  if (isUnknown(object) || args.some(isUnknown)) return undefined;
  if (typeof object === "string") return ofText(object, name, args);
  if (typeof object === "number") return ofNumber(object, name, args);
  if (isList(object)) return ofList(object, name, args);
  if (isMap(object)) return ofMap(object, name, args);
  if (isQuantity(object)) return ofQuantity(object, name, args);
  return undefined;
}

type Method<T> = (object: T, args: readonly Value[]) => Value | undefined;

const text = (value: Value | undefined): string | undefined => (typeof value === "string" ? value : undefined);

const withText =
  (apply: (object: string, argument: string) => Value): Method<string> =>
  (object, [first]) =>
    typeof first === "string" ? apply(object, first) : undefined;

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
  toInteger: (object) => (/^-?\d+$/.test(object.trim()) ? Number(object) : undefined),
  toBoolean: (object) => ["true", "y", "1"].includes(object.trim().toLowerCase()),
  startsWith: withText((object, argument) => object.startsWith(argument)),
  endsWith: withText((object, argument) => object.endsWith(argument)),
  contains: withText((object, argument) => object.includes(argument)),
  concat: withText((object, argument) => limited(object + argument) ?? null),
  equals: (object, [first]) => object === first,
  equalsIgnoreCase: withText((object, argument) => object.toLowerCase() === argument.toLowerCase()),
  replace: (object, [from, to]) => replaced(object, text(from), text(to)),
  replaceAll: (object, [from, to]) => (isPlain(text(from) ?? "(") ? replaced(object, text(from), text(to)) : undefined),
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
  substring: (object, [from, to]) =>
    typeof from === "number" && (to === undefined || typeof to === "number") ? object.slice(from, to) : undefined,
  plus: withText((object, argument) => limited(object + argument) ?? null),
};

function replaced(object: string, from: string | undefined, to: string | undefined): Value | undefined {
  if (from === undefined || to === undefined || from === "") return undefined;
  return limited(object.replaceAll(from, () => to));
}

function ofText(object: string, name: string, args: readonly Value[]): Value | undefined {
  return Object.hasOwn(TEXT_METHODS, name) ? TEXT_METHODS[name]?.(object, args) : undefined;
}

/** The text, unless it is longer than any that a workflow means. */
export function limited(value: string): string | undefined {
  return value.length <= LONGEST_TEXT ? value : undefined;
}

function ofNumber(object: number, name: string, [first]: readonly Value[]): Value | undefined {
  if (name === "toString") return String(object);
  if (["toInteger", "intValue", "longValue"].includes(name)) return Math.trunc(object);
  if (name === "compareTo" && typeof first === "number") return Math.sign(object - first);
  return undefined;
}

function ofQuantity(object: Value, name: string, [first]: readonly Value[]): Value | undefined {
  if (!isQuantity(object)) return undefined;
  if (name === "compareTo" && first !== undefined && isQuantity(first)) return Math.sign(object.amount - first.amount);
  if (name === "toBytes" || name === "toMillis") return object.amount;
  if (name === "toGiga") return Math.floor(object.amount / 1024 ** 3);
  if (name === "toMega") return Math.floor(object.amount / 1024 ** 2);
  return name === "toString" ? textOf(object) : undefined;
}

function ofList(object: readonly Value[], name: string, [first]: readonly Value[]): Value | undefined {
  if (name === "size") return object.length;
  if (name === "isEmpty") return object.length === 0;
  if (name === "first" || name === "head") return object[0] ?? null;
  if (name === "last") return object.at(-1) ?? null;
  if ((name === "get" || name === "getAt") && typeof first === "number") return object.at(first) ?? null;
  if (name === "contains" && first !== undefined) return contains(object, first);
  if (name === "unique" || name === "toUnique") return object.length > LONGEST_UNIQUE ? undefined : unique(object);
  if (name === "reverse") return object.toReversed();
  if (name === "flatten") return object.flat(8) as readonly Value[];
  if (name === "toList" || name === "collect") return object;
  if (name === "join") return joined(object, first === undefined ? "" : text(first));
  return undefined;
}

/** Each item is compared with those before it. */
const LONGEST_UNIQUE = 300;

const unique = (object: readonly Value[]): Value => object.filter((item, at) => contains(object.slice(0, at), item) !== true);

function joined(object: readonly Value[], separator: string | undefined): Value | undefined {
  const texts = object.map(textOf);
  return separator === undefined || texts.includes(undefined) ? undefined : limited(texts.join(separator));
}

/** Whether the list holds the value; undefined where that can't be known. */
export function contains(list: readonly Value[], value: Value): boolean | undefined {
  const each = list.map((item) => equal(item, value));
  return each.includes(true) ? true : each.includes(undefined) ? undefined : false;
}

function ofMap(object: ReadonlyMap<string, Value>, name: string, [first, second]: readonly Value[]): Value | undefined {
  if (name === "size") return object.size;
  if (name === "isEmpty") return object.size === 0;
  if (name === "keySet") return [...object.keys()];
  if (name === "values") return [...object.values()];
  const key = first === undefined ? undefined : textOf(first);
  if (key === undefined) return undefined;
  if (name === "containsKey") return object.has(key);
  if (name === "get" || name === "getAt") return object.get(key) ?? second ?? null;
  return name === "getOrDefault" ? (object.get(key) ?? second ?? null) : undefined;
}

/** Java's `Math`, as far as configurations limit resources with it. */
export function callMath(name: string, args: readonly Value[]): Value | undefined {
  const numbers = args.filter((each) => typeof each === "number");
  if (numbers.length !== args.length || numbers.length === 0) return undefined;
  const [first = 0] = numbers;
  if (name === "min") return Math.min(...numbers);
  if (name === "max") return Math.max(...numbers);
  if (name === "round") return Math.round(first);
  if (name === "ceil") return Math.ceil(first);
  return name === "floor" ? Math.floor(first) : undefined;
}
