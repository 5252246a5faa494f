import { isIP, BlockList } from "node:net";
import { matchesParts, starredParts } from "../../kit/starred.ts";

/** Whether an event fits a pattern. */
export type Matcher = (event: unknown) => boolean;

/** Tests one value of an event; undefined stands for a field that is not there. */
type Test = (value: unknown) => boolean;

/** A pattern that EventBridge would refuse. The message says why. */
export class InvalidPattern extends Error {
  override readonly name = "InvalidPattern";
}

/**
 * Compiles an event pattern.
 * @throws InvalidPattern saying what is wrong and where
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function compilePattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (error) {
    throw new InvalidPattern(`the pattern is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(pattern)) throw new InvalidPattern("the pattern is not an object");
  return compileObject(pattern, "");
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** All members must fit. An event's array fits when one of its elements fits as a whole. */
function compileObject(pattern: Record<string, unknown>, path: string): Matcher {
  const members = Object.entries(pattern);
  if (members.length === 0) throw new InvalidPattern(`Empty objects are not allowed${path && ` at ${path}`}`);
  const tests = members.map(([name, value]) => (name === "$or" ? compileOr(value, path) : compileMember(name, value, path)));
  const fits = (event: unknown): boolean => tests.every((test) => test(event));
  return (event) => (Array.isArray(event) ? event.some(fits) : fits(event));
}

function compileOr(value: unknown, path: string): Matcher {
  if (!Array.isArray(value) || value.length < 2 || !value.every(isObject))
    throw new InvalidPattern(`"$or" must be an array of at least two objects${path && ` at ${path}`}`);
  const choices = value.map((choice) => compileObject(choice, path));
  return (event) => choices.some((choice) => choice(event));
}

function compileMember(name: string, value: unknown, parent: string): Matcher {
  const path = parent === "" ? name : `${parent}.${name}`;
  const member = (event: unknown) => (isObject(event) && Object.hasOwn(event, name) ? event[name] : undefined);
  if (isObject(value)) {
    const inner = compileObject(value, path);
    return (event) => inner(member(event));
  }
  if (!Array.isArray(value)) throw new InvalidPattern(`"${path}" must be an object or an array`);
  if (value.length === 0) throw new InvalidPattern(`Empty arrays are not allowed at ${path}`);
  const tests = value.map((one) => compileTest(one, path));
  return (event) => {
    const found = member(event);
    return tests.some((test) => test(found));
  };
}

/** One entry of a leaf: a value, or an object with one operator. */
function compileTest(value: unknown, path: string): Test {
  if (!isObject(value)) return anyElement(equals(value));
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) throw new InvalidPattern(`Only one key allowed in match expression at ${path}`);
  const [operator, operand] = entry;
  if (operator === "exists") return compileExists(operand, path);
  const compile = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (compile === undefined) throw new InvalidPattern(`Unrecognized match type ${operator} at ${path}`);
  return anyElement(compile(operand, path));
}

/** Only leaves exist for `exists`: objects are not looked at. */
function compileExists(operand: unknown, path: string): Test {
  if (typeof operand !== "boolean") throw new InvalidPattern(`exists must be true or false at ${path}`);
  return (value) => (value !== undefined && !isObject(value)) === operand;
}

const anyElement =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) ? value.some(test) : value !== undefined && test(value);

const equals =
  (expected: unknown): Test =>
  (value) =>
    value === expected;

type Compile = (operand: unknown, path: string) => Test;

const OPERATORS: Readonly<Record<string, Compile>> = {
  prefix: (operand, path) => affix(operand, path, (value, part) => value.startsWith(part)),
  suffix: (operand, path) => affix(operand, path, (value, part) => value.endsWith(part)),
  "equals-ignore-case": (operand, path) =>
    onText(text(operand, "equals-ignore-case", path).toLowerCase(), (value, expected) => value.toLowerCase() === expected),
  wildcard: (operand, path) => wildcard(text(operand, "wildcard", path), path),
  "anything-but": compileAnythingBut,
  numeric: compileNumeric,
  cidr: compileCidr,
};

const onText =
  (expected: string, test: (value: string, expected: string) => boolean): Test =>
  (value) =>
    typeof value === "string" && test(value, expected);

function text(operand: unknown, operator: string, path: string): string {
  if (typeof operand !== "string") throw new InvalidPattern(`${operator} match pattern must be a string at ${path}`);
  return operand;
}

function affix(operand: unknown, path: string, test: (value: string, part: string) => boolean): Test {
  if (!isObject(operand)) return onText(text(operand, "prefix/suffix", path), test);
  const folded = text(operand["equals-ignore-case"], "equals-ignore-case", path).toLowerCase();
  return onText(folded, (value, part) => test(value.toLowerCase(), part));
}

/** `*` stands for any text; a backslash makes it, or itself, plain. */
function wildcard(pattern: string, path: string): Test {
  if (/\*\*/.test(pattern.replaceAll(/\\./g, "x"))) throw new InvalidPattern(`Consecutive wildcard characters at ${path}`);
  const parts = starredParts(pattern);
  return (value) => typeof value === "string" && matchesParts(parts, value);
}

/** True for a value that is there and is none of these. */
function compileAnythingBut(operand: unknown, path: string): Test {
  const tests = isObject(operand) ? compileExceptions(operand, path) : [operand].flat().map((one) => equals(one));
  if (tests.length === 0) throw new InvalidPattern(`anything-but needs a value at ${path}`);
  return (value) => !tests.some((test) => test(value));
}

function compileExceptions(operand: Record<string, unknown>, path: string): readonly Test[] {
  const [entry, ...more] = Object.entries(operand);
  const [operator = "", parts] = entry ?? [];
  const compile = ["prefix", "suffix", "equals-ignore-case", "wildcard"].includes(operator) ? OPERATORS[operator] : undefined;
  if (compile === undefined || more.length > 0) throw new InvalidPattern(`Unsupported anything-but pattern ${operator} at ${path}`);
  return [parts].flat().map((part) => compile(part, path));
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "=": (value, bound) => value === bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

function compileNumeric(operand: unknown, path: string): Test {
  const parts: readonly unknown[] = Array.isArray(operand) ? operand : [];
  if (parts.length === 0 || parts.length % 2 !== 0) throw new InvalidPattern(`Invalid member in numeric match at ${path}`);
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const compare = COMPARISONS[String(parts[index])];
    const bound = parts[index + 1];
    if (compare === undefined || typeof bound !== "number")
      throw new InvalidPattern(`Unrecognized numeric range operator ${String(parts[index])} at ${path}`);
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === "number" && tests.every((test) => test(value));
}

function compileCidr(operand: unknown, path: string): Test {
  const [address = "", bits] = text(operand, "cidr", path).split("/");
  const family = isIP(address);
  if (family === 0 || !/^\d+$/.test(bits ?? "")) throw new InvalidPattern(`Malformed CIDR at ${path}`);
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family === 6 ? "ipv6" : "ipv4");
  return (value) => typeof value === "string" && isIP(value) === family && list.check(value, family === 6 ? "ipv6" : "ipv4");
}
