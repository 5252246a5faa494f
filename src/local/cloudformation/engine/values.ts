import type { Json } from "../resource-provider.ts";

/** Stands for what is known only once a resource has been made: `{{changeSet:KNOWN_AFTER_APPLY}}` in a change set. */
export const UNKNOWN: unique symbol = Symbol("known after apply");

/** What `{"Ref": "AWS::NoValue"}` evaluates to: the member or item that holds it disappears. */
export const NO_VALUE: unique symbol = Symbol("AWS::NoValue");

/** A JSON value in which parts may still be unknown. */
export type Value = string | number | boolean | null | typeof UNKNOWN | readonly Value[] | { readonly [member: string]: Value };

/** An object in a template. */
export type JsonObject = { readonly [member: string]: Json };

/** Whether the value is an object (neither a list nor null). */
export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** As {@link isObject}, for values that may hold unknowns. */
export const isValueObject = (value: Value): value is { readonly [member: string]: Value } => isObject(value);

/** `Array.isArray` that keeps readonly lists readonly. */
export const isList = <T>(value: unknown): value is readonly T[] => Array.isArray(value);

/** Whether the value, or anything inside it, is unknown. */
export function hasUnknown(value: Value): boolean {
  if (value === UNKNOWN) return true;
  if (isList<Value>(value)) return value.some(hasUnknown);
  return isValueObject(value) && Object.values(value).some(hasUnknown);
}

/**
 * The value as JSON.
 * @throws Error when a part is unknown: callers evaluate only once everything a resource refers to has been made
 */
export function known(value: Value): Json {
  if (hasUnknown(value)) throw new Error("a value was used before the resource it comes from was made");
  return value as Json;
}

/** Whether two values are the same JSON. An unknown equals nothing, itself included. */
export function isSame(a: Value | undefined, b: Value | undefined): boolean {
  if (a === UNKNOWN || b === UNKNOWN) return false;
  if (a === b) return true;
  if (isList<Value>(a) && isList<Value>(b)) return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (a === undefined || b === undefined || !isValueObject(a) || !isValueObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && isSame(a[name], b[name]));
}

/** The text of a scalar, as CloudFormation writes it into strings; undefined for lists, objects and null. */
export function scalarText(value: Value): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return undefined;
}
