import { type Expression, parseBody, parseExpression, type Sign } from "./expression-parse.ts";
import type { Json } from "./nodes.ts";
import { combined, inputsIn, isKnown, known, limited, under, unknown, type Alternative, type Value } from "./values.ts";

/** What the names of an expression stand for: `inputs`' members, and `self`. */
export interface Names {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly self?: Value;
}

interface Scope extends Names {
  readonly bound: ReadonlyMap<string, Value>;
  /** How many more nodes are evaluated: shared branches could be walked many times. */
  readonly budget: { left: number };
}

const BUDGET = 5_000;

/**
 * The value of a text of CWL with its `$( … )` and `${ … }`. Parameter references, string concatenation, comparisons and
 * choices are evaluated; any other JavaScript makes the value unknown, decided by the inputs that its text names.
 */
export function evaluate(text: string, names: Names): Value {
  const parts = partsOf(text);
  const [first, ...others] = parts.filter((part) => typeof part !== "string" || part.trim() !== "");
  if (first !== undefined && others.length === 0 && typeof first !== "string") return evaluatePart(first, names);
  if (parts.every((part) => typeof part === "string")) return known(parts.join(""), "literal");
  return parts.reduce<Value>(
    (value, part) => {
      const next = typeof part === "string" ? known(part, "literal") : evaluatePart(part, names);
      return combined(value, next, (a, b) => textOf(a) + textOf(b));
    },
    known("", "literal"),
  );
}

/** An interpolated value that is no text is written as JSON (CWL 1.2, section 3.6.1). */
const textOf = (json: Json): string => (typeof json === "string" ? json : JSON.stringify(json));

interface Part {
  readonly isBody: boolean;
  readonly text: string;
}

/** The texts and expressions of a string. `\$(` is the text `$(`; an expression without its end is text. */
export function partsOf(text: string): readonly (string | Part)[] {
  const parts: (string | Part)[] = [];
  let plain = "";
  let unended = 0;
  for (let at = 0; at < text.length;) {
    const isEscaped = text[at] === "\\" && /^\$[({]/.test(text.slice(at + 1, at + 3));
    const isBegun = unended < MAX_UNENDED && /^\$[({]/.test(text.slice(at, at + 2));
    const end = isBegun ? endOf(text, at + 1) : undefined;
    if (isBegun && end === undefined) unended++;
    if (end === undefined) {
      plain += isEscaped ? text.slice(at + 1, at + 3) : text[at];
      at += isEscaped ? 3 : 1;
    } else {
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push({ isBody: text[at + 1] === "{", text: text.slice(at + 2, end) });
      at = end + 1;
    }
  }
  return plain === "" ? parts : [...parts, plain];
}

/** Each expression without its end is looked for to the end of the text: after this many the rest is text. */
const MAX_UNENDED = 50;

/** The bracket that closes the one at `open`; brackets in strings don't count. */
function endOf(text: string, open: number): number | undefined {
  let depth = 0;
  let quote = "";
  for (let at = open; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "\\") at++;
    else if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char) && --depth === 0) return at;
  }
  return undefined;
}

function evaluatePart({ isBody, text }: Part, names: Names): Value {
  const expression = isBody ? parseBody(text) : parseExpression(text);
  if (!expression) return unknown(mentioned(text, names));
  return valueOf(expression, { ...names, bound: new Map(), budget: { left: BUDGET } });
}

/** The inputs of the main process behind the names a text mentions. */
function mentioned(text: string, { inputs, self }: Names): readonly string[] {
  const read = [...text.matchAll(/\binputs\s*(?:\.\s*([\w$]+)|\[\s*["']([^"']+)["'])/g)].map(([, dot, bracket]) =>
    inputs.get(dot ?? bracket ?? ""),
  );
  return inputsIn(...read.filter((value) => value !== undefined), /\bself\b/.test(text) && self ? self : []);
}

function valueOf(expression: Expression, scope: Scope): Value {
  if (scope.budget.left-- <= 0) return unknown();
  switch (expression.kind) {
    case "literal":
      return known(expression.value, "literal");
    case "name":
      return expression.name === "self" ? (scope.self ?? known(null, "literal")) : (scope.bound.get(expression.name) ?? unknown());
    case "member":
      return memberOf(expression, scope);
    case "not":
      return combined(valueOf(expression.of, scope), known(null, "literal"), (json) => !isTruthy(json));
    case "binary":
      return binaryOf(expression.sign, valueOf(expression.left, scope), valueOf(expression.right, scope));
    case "choice":
      return choiceOf(expression, scope);
    case "let":
      return valueOf(expression.in, {
        ...scope,
        bound: new Map([...scope.bound, [expression.name, valueOf(expression.value, scope)]]),
      });
    case "array":
      return expression.items.reduce<Value>(
        (list, item) => combined(list, valueOf(item, scope), (all, one) => [...(all as readonly Json[]), one]),
        known([], "literal"),
      );
    case "object":
      return expression.members.reduce<Value>(
        (object, [key, item]) =>
          combined(object, valueOf(item, scope), (all, one) => ({ ...(all as Readonly<Record<string, Json>>), [key]: one })),
        known({}, "literal"),
      );
  }
}

function memberOf({ of, key }: Expression & { kind: "member" }, scope: Scope): Value {
  const name = valueOf(key, scope);
  const [only] = name;
  if (of.kind === "name" && of.name === "inputs" && !scope.bound.has("inputs")) {
    return name.length === 1 && typeof only?.json === "string"
      ? (scope.inputs.get(only.json) ?? known(null, "literal"))
      : unknown(inputsIn(name));
  }
  const object = valueOf(of, scope);
  const made = combined(object, name, memberIn);
  return made.map((each, index) =>
    each.how === "ternary" ? each : { ...each, how: object[index]?.how === "literal" ? "literal" : "member" },
  );
}

/** A member of a record or list; undefined, which is unknown, where it is not plain data (`length`, methods). */
function memberIn(object: Json, key: Json): Json | undefined {
  if (object === null || typeof object !== "object") return undefined;
  if (Array.isArray(object)) return typeof key === "number" ? ((object as readonly Json[])[key] ?? null) : undefined;
  return Object.hasOwn(object, String(key)) ? (object as Readonly<Record<string, Json>>)[String(key)] : null;
}

function binaryOf(sign: Sign, left: Value, right: Value): Value {
  if (sign === "||" || sign === "&&") return limited(left.flatMap((each) => logical(sign, each, right)));
  return combined(left, right, (a, b) => {
    if (sign === "+") return added(a, b);
    const isEqual = isSimple(a) && isSimple(b) ? a === b : undefined;
    if (isEqual === undefined) return undefined;
    return sign.startsWith("=") ? isEqual : !isEqual;
  });
}

/** Which side counts; an unknown left side may be either itself or the right one, so only a run can tell. */
function logical(sign: "||" | "&&", left: Alternative, right: Value): Value {
  if (!isKnown(left)) return unknown(inputsIn([left], right));
  if (isTruthy(left.json) === (sign === "||")) return [left];
  return right.map((each) => ({ ...each, inputs: inputsIn([left], [each]) }));
}

const added = (a: Json, b: Json): Json | undefined => {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (a === null || b === null || typeof a === "object" || typeof b === "object") return undefined;
  return typeof a === "string" || typeof b === "string" ? String(a) + String(b) : undefined;
};

const isSimple = (json: Json): boolean => json === null || typeof json !== "object";
const isTruthy = (json: Json): boolean => !(json === null || json === false || json === 0 || json === "");

function choiceOf({ condition, yes, no, text }: Expression & { kind: "choice" }, scope: Scope): Value {
  return limited(
    valueOf(condition, scope).flatMap((each): Value => {
      if (isKnown(each)) {
        const chosen = valueOf(isTruthy(each.json) ? yes : no, scope);
        return each.inputs.length === 0 ? chosen : chosen.map((value) => ({ ...value, inputs: inputsIn([value], [each]) }));
      }
      return [...under(valueOf(yes, scope), text, each.inputs), ...under(valueOf(no, scope), `!(${text})`, each.inputs)];
    }),
  );
}
