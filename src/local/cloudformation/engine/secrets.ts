import type { Json } from "../resource-provider.ts";
import type { StackParameter } from "./parameters.ts";
import { isList, isValueObject, type Value } from "./values.ts";

/** The values of parameters that must not be echoed. */
export const secretsOf = (parameters: readonly StackParameter[]): readonly string[] =>
  parameters.filter(({ noEcho, value }) => noEcho && value !== "").map(({ resolved, value }) => resolved ?? value);

/** The value with every secret in it, alone or within a text, replaced by four asterisks. */
export function masked<T extends Value | Json>(value: T, secrets: readonly string[]): T {
  if (secrets.length === 0) return value;
  return mask(value as Value, secrets) as T;
}

function mask(value: Value, secrets: readonly string[]): Value {
  if (typeof value === "string") return secrets.reduce((text, secret) => text.replaceAll(secret, "****"), value);
  if (isList<Value>(value)) return value.map((item) => mask(item, secrets));
  return isValueObject(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mask(member, secrets)])) : value;
}
