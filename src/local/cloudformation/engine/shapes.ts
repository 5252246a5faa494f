import type { PropertyShape } from "../resource-provider.ts";
import { isList, isObject, isValueObject, UNKNOWN, type Value } from "./values.ts";

/** Properties in the shape their provider declares, and what does not fit. */
export interface Conformed {
  readonly value: Value;
  /** `#/Path: extraneous key [x] is not permitted` */
  readonly problems: readonly string[];
}

type Members = Readonly<Record<string, PropertyShape>>;

/**
 * Brings values into the declared shape as CloudFormation does: "true" becomes true where a boolean is due, 5 becomes
 * "5" where a string is. Unknown values fit everywhere.
 */
export function conform(value: Value, shape: PropertyShape): Conformed {
  const problems: string[] = [];
  return { value: fit(value, { shape, path: "#", problems }), problems };
}

/** As {@link conform} for a resource's properties, with those that must be given. */
export function conformProperties(value: Value, members: Members, required: readonly string[] = []): Conformed {
  const conformed = conform(value, members);
  const missing = required.filter((name) => !isValueObject(value) || !(name in value)).map((name) => `#: required key [${name}] not found`);
  return { value: conformed.value, problems: [...missing, ...conformed.problems] };
}

interface Fitting {
  readonly shape: PropertyShape;
  readonly path: string;
  readonly problems: string[];
}

function fit(value: Value, fitting: Fitting): Value {
  const { shape } = fitting;
  if (value === UNKNOWN || shape === "any") return value;
  if (isList<PropertyShape>(shape)) return fitList(value, { ...fitting, shape: shape[0] as PropertyShape });
  if (typeof shape === "object") return fitObject(value, { ...fitting, shape });
  const fitted = SCALARS[shape](value);
  return fitted === undefined ? mismatch(value, TYPE_NAMES[shape], fitting) : fitted;
}

function fitList(value: Value, fitting: Fitting): Value {
  if (!isList<Value>(value)) return mismatch(value, "JSONArray", fitting);
  return value.map((item, index) => fit(item, { ...fitting, path: `${fitting.path}/${index}` }));
}

function fitObject(value: Value, fitting: Fitting & { readonly shape: Members }): Value {
  if (!isValueObject(value)) return mismatch(value, "JSONObject", fitting);
  const { shape, path, problems } = fitting;
  const members = Object.entries(value).map(([name, member]) => {
    const own = Object.hasOwn(shape, name) ? shape[name] : shape["*"];
    if (own === undefined) problems.push(`${path}: extraneous key [${name}] is not permitted`);
    return [name, own === undefined ? member : fit(member, { ...fitting, shape: own, path: `${path}/${name}` })] as const;
  });
  return Object.fromEntries(members);
}

const TYPE_NAMES = { string: "String", number: "Number", boolean: "Boolean", json: "JSONObject" } as const;

/** What a value is as a scalar of each type, where it can be one. */
const SCALARS: Readonly<Record<keyof typeof TYPE_NAMES, (value: Value) => Value | undefined>> = {
  string(value) {
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    return typeof value === "string" ? value : undefined;
  },
  number(value) {
    if (typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))) return Number(value);
    return typeof value === "number" ? value : undefined;
  },
  boolean(value) {
    if (value === "true" || value === "false") return value === "true";
    return typeof value === "boolean" ? value : undefined;
  },
  json(value) {
    if (typeof value === "string") return parsedDocument(value);
    return typeof value === "object" && value !== null ? value : undefined;
  },
};

function parsedDocument(text: string): Value | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) || Array.isArray(parsed) ? (parsed as Value) : undefined;
  } catch {
    return undefined;
  }
}

function mismatch(value: Value, expected: string, { path, problems }: Fitting): Value {
  problems.push(`${path}: expected type: ${expected}, found: ${foundType(value)}`);
  return value;
}

function foundType(value: Value): string {
  if (value === null) return "Null";
  if (isList(value)) return "JSONArray";
  const type = typeof value;
  return type === "object" ? "JSONObject" : type.charAt(0).toUpperCase() + type.slice(1);
}
