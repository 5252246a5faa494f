import { limited } from "./bounds.ts";
import { ofList } from "./list-methods.ts";
import { ofText } from "./text-methods.ts";
import type { Value } from "./types.ts";
import { isList, isMap, isQuantity, isUnknown, numeric, textOf } from "./values.ts";

/** What a method of Groovy's own gives, or undefined where it is not one that is known here. */
export function callMethod(object: Value, name: string, args: readonly Value[]): Value | undefined {
  if (isUnknown(object) || args.some(isUnknown)) return undefined;
  if (typeof object === "string") return ofText(object, name, args);
  const number = numeric(object);
  if (number !== undefined) return ofNumber(number, name, { text: textOf(object) ?? "", argument: numeric(args[0]) });
  if (isList(object)) return ofList(object, name, args);
  if (isMap(object)) return ofMap(object, name, args);
  if (isQuantity(object)) return ofQuantity(object, name, args);
  return undefined;
}

function ofNumber(
  object: number,
  name: string,
  { text, argument }: { readonly text: string; readonly argument: number | undefined },
): Value | undefined {
  if (name === "toString") return text;
  if (["toInteger", "intValue", "longValue"].includes(name)) return Math.trunc(object);
  if (name === "toDouble" || name === "toFloat" || name === "doubleValue") return object;
  if (name === "abs") return Math.abs(object);
  if (name === "compareTo" && argument !== undefined) return Math.sign(object - argument);
  return name === "equals" && argument !== undefined ? object === argument : undefined;
}

function ofQuantity(object: Value, name: string, [first]: readonly Value[]): Value | undefined {
  if (!isQuantity(object)) return undefined;
  if (name === "compareTo" && first !== undefined && isQuantity(first)) return Math.sign(object.amount - first.amount);
  if (name === "toBytes" || name === "toMillis") return object.amount;
  if (name === "toGiga") return Math.floor(object.amount / 1024 ** 3);
  if (name === "toMega") return Math.floor(object.amount / 1024 ** 2);
  return name === "toString" ? textOf(object) : undefined;
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

/** `String.format` with texts and whole numbers in their places. */
export function callFormat([template, ...args]: readonly Value[]): Value | undefined {
  if (typeof template !== "string" || /%(?![sd%])/.test(template)) return undefined;
  const texts = args.map(textOf);
  let at = 0;
  const text = template.replace(/%([sd%])/g, (_, kind: string) => (kind === "%" ? "%" : (texts[at++] ?? "\u0000")));
  return text.includes("\u0000") ? undefined : limited(text);
}

/** Java's `Math`, as far as configurations limit resources with it. */
export function callMath(name: string, args: readonly Value[]): Value | undefined {
  const numbers = args.map(numeric).filter((each) => each !== undefined);
  if (numbers.length !== args.length || numbers.length === 0) return undefined;
  const [first = 0] = numbers;
  if (name === "min") return Math.min(...numbers);
  if (name === "max") return Math.max(...numbers);
  if (name === "round") return Math.round(first);
  if (name === "ceil") return Math.ceil(first);
  return name === "floor" ? Math.floor(first) : undefined;
}
