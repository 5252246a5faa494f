import { matchesParts } from "../../kit/starred.ts";
import { invalidParameter } from "./errors.ts";

type Test = (value: unknown) => boolean;

const TOKEN = /\s*(?:(\$(?:\.[\w-]+|\[\d+\]|\["[^"]*"\])*)|("(?:[^"\\]|\\.)*")|(&&|\|\||[()]|!=|<=|>=|=|<|>)|([^\s()&|=<>!]+))/y;

/**
 * Compiles `{ $.level = "error" && $.n > 3 }` into a test of a message, which must be a JSON object to match.
 * @throws AwsError InvalidParameterException
 */
export function compileJsonSelector(pattern: string): (message: string) => boolean {
  const body = /^\{([\s\S]*)\}$/.exec(pattern)?.[1];
  if (body === undefined) throw invalidParameter(`Invalid filter pattern '${pattern}': it does not end with }`);
  const test = parseSelector(tokenize(body));
  return (message) => {
    const value = parseJson(message);
    return typeof value === "object" && value !== null && test(value);
  };
}

function parseJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

function tokenize(body: string): string[] {
  const tokens: string[] = [];
  const text = body.trim();
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw invalidParameter(`Invalid filter pattern at '${text.slice(at)}'`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

/** Recursive descent: `||` binds less than `&&`, parentheses most. */
function parseSelector(tokens: string[]): Test {
  const either = (): Test => {
    const tests = [both()];
    while (tokens[0] === "||") {
      tokens.shift();
      tests.push(both());
    }
    return (value) => tests.some((test) => test(value));
  };
  const both = (): Test => {
    const tests = [one()];
    while (tokens[0] === "&&") {
      tokens.shift();
      tests.push(one());
    }
    return (value) => tests.every((test) => test(value));
  };
  const one = (): Test => {
    if (tokens[0] !== "(") return comparison(tokens);
    tokens.shift();
    const inner = either();
    if (tokens.shift() !== ")") throw invalidParameter("Invalid filter pattern: a parenthesis is not closed");
    return inner;
  };
  const whole = either();
  if (tokens.length > 0) throw invalidParameter(`Invalid filter pattern at '${tokens.join(" ")}'`);
  return whole;
}

function comparison(tokens: string[]): Test {
  const path = tokens.shift() ?? "";
  if (!path.startsWith("$")) throw invalidParameter(`Invalid filter pattern: '${path}' should be a selector like $.name`);
  const read = selector(path);
  const operator = tokens.shift() ?? "";
  const word = operator.toUpperCase();
  if (word === "IS") return isWord(read, (tokens.shift() ?? "").toUpperCase());
  if (word === "NOT") {
    tokens.shift();
    return (value) => read(value) === undefined;
  }
  if (word === "EXISTS") return (value) => read(value) !== undefined;
  const wanted = tokens.shift();
  if (wanted === undefined) throw invalidParameter(`Invalid filter pattern: nothing stands after '${operator}'`);
  return compare(read, operator, wanted);
}

function isWord(read: (value: unknown) => unknown, word: string): Test {
  if (word === "NULL") return (value) => read(value) === null;
  return (value) => read(value) === (word === "TRUE");
}

function selector(path: string): (value: unknown) => unknown {
  const steps = [...path.matchAll(/\.([\w-]+)|\[(\d+)\]|\["([^"]*)"\]/g)].map(([, name, index, quoted]) => name ?? index ?? quoted ?? "");
  return (value) =>
    steps.reduce<unknown>((at, step) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined), value);
}

const NUMERIC: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function compare(read: (value: unknown) => unknown, operator: string, wanted: string): Test {
  const numeric = NUMERIC[operator];
  if (numeric) return (value) => typeof read(value) === "number" && numeric(read(value) as number, Number(wanted));
  if (operator !== "=" && operator !== "!=") throw invalidParameter(`Invalid filter pattern: '${operator}' is not an operator`);
  const matches = equality(wanted);
  if (operator === "=") return (value) => matches(read(value));
  return (value) => read(value) !== undefined && !matches(read(value));
}

function equality(wanted: string): Test {
  const text = wanted.startsWith('"') ? wanted.slice(1, -1).replace(/\\(.)/g, "$1") : wanted;
  const parts = text.split("*");
  const isNumber = !wanted.startsWith('"') && text !== "" && Number.isFinite(Number(text));
  return (value) => {
    if (typeof value === "number") return isNumber ? value === Number(text) : matchesParts(parts, String(value));
    return typeof value === "string" && matchesParts(parts, value);
  };
}
