import { createHash } from "node:crypto";
import type { Random } from "../../../kit/random.ts";
import { type IntrinsicNode, parseIntrinsic } from "./intrinsic-syntax.ts";
import { canonical, isArray, isObject, type Json, parseJson } from "./json.ts";
import { randomFraction } from "./random-fraction.ts";

/** What an intrinsic function can't do with its arguments. */
export class IntrinsicFailed extends Error {
  override readonly name = "IntrinsicFailed";
}

/** What an intrinsic function call is evaluated with. */
export interface IntrinsicScope {
  readonly random: Random;
  /** Reads a path argument. @throws whatever makes the whole call fail when there is nothing */
  read(path: string): Json;
}

type Intrinsic = (args: readonly Json[], random: Random) => Json;

/** The most entries States.ArrayRange makes. */
const LONGEST_RANGE = 1_000;
/** The most characters States.Hash, Base64Encode and Base64Decode take. */
const LONGEST_TEXT = 10_000;

/**
 * Evaluates a call such as `States.Array($.a, 1)`.
 * @throws IntrinsicFailed when a function can't take its arguments, IntrinsicSyntax when the text is no call
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
 */
export function evaluateIntrinsic(text: string, scope: IntrinsicScope): Json {
  return evaluate(parseIntrinsic(text), scope);
}

function evaluate(node: IntrinsicNode, scope: IntrinsicScope): Json {
  if (node.kind === "value") return node.value;
  if (node.kind === "text") return unescape(node.raw);
  if (node.kind === "path") return scope.read(node.path);
  if (node.name === "States.Format") return format(node.args, scope);
  const intrinsic = INTRINSICS[node.name];
  if (intrinsic === undefined) throw new IntrinsicFailed(`${node.name} is not an intrinsic function`);
  return intrinsic(
    node.args.map((argument) => evaluate(argument, scope)),
    scope.random,
  );
}

const unescape = (raw: string): string => raw.replaceAll(/\\([\s\S])/g, "$1");

/** Format reads its template's escapes itself, so that `\{\}` is text and `{}` is a place. */
function format([template, ...rest]: readonly IntrinsicNode[], scope: IntrinsicScope): Json {
  if (template === undefined) throw new IntrinsicFailed("States.Format needs a template");
  const text = template.kind === "text" ? template.raw : evaluate(template, scope);
  if (typeof text !== "string") throw new IntrinsicFailed("States.Format needs a text as its template");
  const values = rest.map((argument) => evaluate(argument, scope));
  let used = 0;
  const result = text.replaceAll(/\\([\s\S])|\{\}/g, (_, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = values[used];
    used += 1;
    return typeof value === "string" ? value : JSON.stringify(value ?? null);
  });
  if (used !== values.length) throw new IntrinsicFailed(`States.Format has ${used} places and ${values.length} values`);
  return result;
}

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  "States.StringToJson": ([text]) => readText(text, "States.StringToJson"),
  "States.JsonToString": ([value]) => JSON.stringify(needed(value, "States.JsonToString")),
  "States.Array": (args) => args,
  "States.ArrayPartition": ([list, size]) => {
    const items = array(list, "States.ArrayPartition");
    const length = positive(size, "States.ArrayPartition");
    return Array.from({ length: Math.ceil(items.length / length) }, (_, part) => items.slice(part * length, (part + 1) * length));
  },
  "States.ArrayContains": ([list, sought]) => {
    const wanted = canonical(needed(sought, "States.ArrayContains"));
    return array(list, "States.ArrayContains").some((item) => canonical(item) === wanted);
  },
  "States.ArrayRange": ([first, last, step]) => range(integer(first, RANGE), integer(last, RANGE), integer(step, RANGE)),
  "States.ArrayGetItem": ([list, index]) => {
    const items = array(list, "States.ArrayGetItem");
    const item = items[integer(index, "States.ArrayGetItem")];
    if (item === undefined)
      throw new IntrinsicFailed(`States.ArrayGetItem: the array has ${items.length} items, none at ${JSON.stringify(index)}`);
    return item;
  },
  "States.ArrayLength": ([list]) => array(list, "States.ArrayLength").length,
  "States.ArrayUnique": ([list]) => [...new Map(array(list, "States.ArrayUnique").map((item) => [canonical(item), item])).values()],
  "States.Base64Encode": ([text]) => Buffer.from(shortText(text, "States.Base64Encode")).toString("base64"),
  "States.Base64Decode": ([text]) => decodeBase64(shortText(text, "States.Base64Decode")),
  "States.Hash": ([data, algorithm]) => hash(needed(data, "States.Hash"), algorithm),
  "States.JsonMerge": ([left, right, isDeep]) => merge(left, right, isDeep),
  "States.MathRandom": ([start, end, seed], random) => mathRandom([start, end, seed], random),
  "States.MathAdd": ([left, right]) => integer(left, "States.MathAdd") + integer(right, "States.MathAdd"),
  "States.StringSplit": ([text, separators]) => split(string(text, "States.StringSplit"), string(separators, "States.StringSplit")),
  "States.UUID": (_, random) => random.uuid(),
};

const RANGE = "States.ArrayRange";

function range(first: number, last: number, step: number): Json {
  if (step === 0) throw new IntrinsicFailed(`${RANGE}: the step can't be 0`);
  const length = Math.max(0, Math.floor((last - first) / step) + 1);
  if (length > LONGEST_RANGE) throw new IntrinsicFailed(`${RANGE} makes at most ${LONGEST_RANGE} items, not ${length}`);
  return Array.from({ length }, (_, index) => first + index * step);
}

const HASHES: Readonly<Record<string, string>> = {
  MD5: "md5",
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

/** The hexadecimal digest of a text (or of the JSON of any other value), as States.Hash and $hash give it. @throws IntrinsicFailed */
export function hash(data: Json, algorithm: Json | undefined): string {
  const name = typeof algorithm === "string" ? HASHES[algorithm] : undefined;
  if (name === undefined) throw new IntrinsicFailed(`the hash algorithm is one of ${Object.keys(HASHES).join(", ")}`);
  const text = typeof data === "string" ? data : JSON.stringify(data);
  if (text.length > LONGEST_TEXT) throw new IntrinsicFailed(`at most ${LONGEST_TEXT} characters can be hashed`);
  return createHash(name).update(text).digest("hex");
}

function merge(left: Json | undefined, right: Json | undefined, isDeep: Json | undefined): Json {
  if (isDeep !== false) throw new IntrinsicFailed("States.JsonMerge merges only shallowly: its third argument must be false");
  if (!isObject(left) || !isObject(right)) throw new IntrinsicFailed("States.JsonMerge needs two objects");
  return { ...left, ...right };
}

function mathRandom([start, end, seed]: readonly (Json | undefined)[], random: Random): number {
  const from = integer(start, "States.MathRandom");
  const to = integer(end, "States.MathRandom");
  if (to <= from) throw new IntrinsicFailed("States.MathRandom: the end must be greater than the start");
  const fraction = seed === undefined ? randomFraction(random) : seededFraction(integer(seed, "States.MathRandom"));
  return from + Math.floor(fraction * (to - from));
}

/** A number in [0, 1) that is the same for the same seed. */
export function seededFraction(seed: number): number {
  const digest = createHash("sha256").update(String(seed)).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** Splits at any of the separators' characters; nothing between two of them is left out, as AWS does. */
function split(text: string, separators: string): Json {
  if (separators === "") return [text];
  const parts: string[] = [""];
  for (const character of text) {
    if (separators.includes(character)) parts.push("");
    else parts.push((parts.pop() ?? "") + character);
  }
  return parts.filter((part) => part !== "");
}

function decodeBase64(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new IntrinsicFailed("States.Base64Decode: the text is not Base64");
  return Buffer.from(text, "base64").toString("utf8");
}

function readText(text: Json | undefined, name: string): Json {
  try {
    return parseJson(string(text, name));
  } catch (error) {
    throw new IntrinsicFailed(`${name}: ${(error as Error).message}`);
  }
}

function needed(value: Json | undefined, name: string): Json {
  if (value === undefined) throw new IntrinsicFailed(`${name} lacks an argument`);
  return value;
}

function array(value: Json | undefined, name: string): readonly Json[] {
  if (!isArray(value)) throw new IntrinsicFailed(`${name} needs an array`);
  return value;
}

function string(value: Json | undefined, name: string): string {
  if (typeof value !== "string") throw new IntrinsicFailed(`${name} needs a text`);
  return value;
}

function shortText(value: Json | undefined, name: string): string {
  const text = string(value, name);
  if (text.length > LONGEST_TEXT) throw new IntrinsicFailed(`${name} takes at most ${LONGEST_TEXT} characters`);
  return text;
}

/** Step Functions rounds a number that is not whole to the nearest integer. */
function integer(value: Json | undefined, name: string): number {
  if (typeof value !== "number") throw new IntrinsicFailed(`${name} needs a number`);
  return Math.round(value);
}

function positive(value: Json | undefined, name: string): number {
  const number = integer(value, name);
  if (number <= 0) throw new IntrinsicFailed(`${name} needs a positive number`);
  return number;
}
