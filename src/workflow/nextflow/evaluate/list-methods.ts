import { bounded, limited } from "./bounds.ts";
import type { Value } from "./types.ts";
import { equal, isList, numeric, textOf, truth } from "./values.ts";

type Items = readonly Value[];

/** What a method of a list gives, or undefined where it is not one that is known here. */
export function ofList(object: Items, name: string, args: Items): Value | undefined {
  return Object.hasOwn(LIST_METHODS, name) ? LIST_METHODS[name]?.(object, args) : undefined;
}

type Method = (object: Items, args: Items) => Value | undefined;

const first: Method = (object) => object[0] ?? null;
const same: Method = (object) => object;

const at: Method = (object, [index]) => {
  const place = numeric(index);
  return place === undefined ? undefined : (object.at(place) ?? null);
};

const LIST_METHODS: Readonly<Record<string, Method>> = {
  size: (object) => object.length,
  isEmpty: (object) => object.length === 0,
  first,
  head: first,
  last: (object) => object.at(-1) ?? null,
  tail: (object) => object.slice(1),
  init: (object) => object.slice(0, -1),
  get: at,
  getAt: at,
  take: counted((object, count) => object.slice(0, Math.max(0, count))),
  drop: counted((object, count) => object.slice(Math.max(0, count))),
  contains: (object, [item]) => (item === undefined ? undefined : contains(object, item)),
  containsAll: (object, [items]) => (isList(items ?? null) ? containsAll(object, items as Items) : undefined),
  indexOf: (object, [item]) => (item === undefined ? undefined : indexOf(object, item)),
  unique: (object) => (object.length > LONGEST_UNIQUE ? undefined : unique(object)),
  toUnique: (object) => (object.length > LONGEST_UNIQUE ? undefined : unique(object)),
  intersect: (object, [items]) =>
    items !== undefined && isList(items) && isSmall(object, items) ? object.filter((item) => contains(items, item) === true) : undefined,
  disjoint: (object, [items]) =>
    items !== undefined && isList(items) && isSmall(object, items) ? !object.some((item) => contains(items, item) === true) : undefined,
  reverse: (object) => object.toReversed(),
  flatten: (object) => bounded(object.flat(8) as Items),
  plus: (object, [items]) => (items === undefined ? undefined : bounded([...object, ...(isList(items) ? items : [items])])),
  toList: same,
  toSet: (object) => (object.length > LONGEST_UNIQUE ? undefined : unique(object)),
  collect: same,
  findAll: (object) => (object.some((item) => truth(item) === undefined) ? undefined : object.filter((item) => truth(item))),
  any: (object) => (object.some((item) => truth(item) === undefined) ? undefined : object.some((item) => truth(item))),
  every: (object) => (object.some((item) => truth(item) === undefined) ? undefined : object.every((item) => truth(item))),
  sort: (object) => sorted(object),
  toSorted: (object) => sorted(object),
  min: (object) => extreme(object, 0),
  max: (object) => extreme(object, -1),
  sum: (object) => sum(object),
  count: (object, [item]) => (item === undefined ? undefined : object.filter((each) => equal(each, item) === true).length),
  join: (object, [separator]) => joined(object, separator === undefined ? "" : textOf(separator)),
  toString: (object: Items) => textOf(object),
};

function counted(apply: (object: Items, count: number) => Value): Method {
  return (object, [argument]) => {
    const count = numeric(argument);
    return count === undefined ? undefined : apply(object, count);
  };
}

/** Each item is compared with those before it. */
const LONGEST_UNIQUE = 300;

const isSmall = (one: Items, other: Items): boolean => one.length * other.length <= LONGEST_UNIQUE ** 2;

const unique = (object: Items): Items => object.filter((item, place) => contains(object.slice(0, place), item) !== true);

function joined(object: Items, separator: string | undefined): Value | undefined {
  const texts = object.map(textOf);
  return separator === undefined || texts.includes(undefined) ? undefined : limited(texts.join(separator));
}

/** Texts, or numbers; what else a list holds has an order that is not known here. */
function sorted(object: Items): Items | undefined {
  if (object.every((item) => typeof item === "string")) return object.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const numbers = object.map(numeric);
  if (numbers.includes(undefined)) return undefined;
  return object.toSorted((a, b) => (numeric(a) ?? 0) - (numeric(b) ?? 0));
}

function extreme(object: Items, place: number): Value | undefined {
  const items = sorted(object);
  return items === undefined ? undefined : (items.at(place) ?? null);
}

function sum(object: Items): Value | undefined {
  if (object.every((item) => typeof item === "string")) return object.length === 0 ? null : limited(object.join(""));
  const numbers = object.map(numeric);
  return numbers.includes(undefined) ? undefined : numbers.reduce<number>((total, each) => total + (each ?? 0), 0);
}

function indexOf(object: Items, item: Value): number | undefined {
  const each = object.map((one) => equal(one, item));
  return each.includes(undefined) ? undefined : each.indexOf(true);
}

function containsAll(object: Items, items: Items): boolean | undefined {
  if (!isSmall(object, items)) return undefined;
  const each = items.map((item) => contains(object, item));
  return each.includes(false) ? false : each.includes(undefined) ? undefined : true;
}

/** Whether the list holds the value; undefined where that can't be known. */
export function contains(list: Items, value: Value): boolean | undefined {
  const each = list.map((item) => equal(item, value));
  return each.includes(true) ? true : each.includes(undefined) ? undefined : false;
}
