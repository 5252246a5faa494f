import { BlockList, isIP } from "node:net";

import type { ConditionValues } from "./condition-values.ts";
import { compileArnTemplate, compileTemplate, type Template } from "./template.ts";

/** Whether one value of the request matches one value of the policy; undefined when the policy's value can't be resolved. */
export type ValueMatcher = (value: string, values: ConditionValues) => boolean | undefined;

/** A condition operator without its set prefix and without `IfExists`. */
export interface Operator {
  /** Whether the condition holds when the values do not match: the `Not` operators. */
  readonly isNegated: boolean;
  /** Prepares one value of the policy. @returns undefined when the text is not of the operator's type */
  prepare(text: string, variables: boolean): ValueMatcher | undefined;
}

const fromTemplate =
  (template: Template): ValueMatcher =>
  (value, values) =>
    template.matches(value, values);

const equals = (text: string, variables: boolean): ValueMatcher => fromTemplate(compileTemplate(text, { variables, wildcards: false }));
const like = (text: string, variables: boolean): ValueMatcher => fromTemplate(compileTemplate(text, { variables, wildcards: true }));
const arn = (text: string, variables: boolean): ValueMatcher => fromTemplate(compileArnTemplate(text, { variables, wildcards: true }));

// A variable's value is lowered with the text around it, so the comparison is on lower-case text from end to end.
function equalsIgnoringCase(text: string, variables: boolean): ValueMatcher {
  const template = compileTemplate(text.toLowerCase(), { variables, wildcards: false });
  return (value, values) => template.matches(value.toLowerCase(), lowered(values));
}

const lowered = (values: ConditionValues): ConditionValues => ({
  all: (key) => values.all(key)?.map((value) => value.toLowerCase()),
  single: (key) => values.single(key)?.toLowerCase(),
});

type Compare = (a: number, b: number) => boolean;

const ordered =
  (read: (text: string) => number, holds: Compare) =>
  (text: string): ValueMatcher | undefined => {
    const bound = read(text);
    return Number.isNaN(bound) ? undefined : (value) => holds(read(value), bound);
  };

const readNumber = (text: string): number => (/^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$/.test(text) ? Number(text) : Number.NaN);

// ISO 8601 in the forms W3C names, or epoch seconds.
const readDate = (text: string): number => (/^-?\d{5,}$/.test(text) ? Number(text) * 1000 : Date.parse(text));

function bool(text: string): ValueMatcher | undefined {
  const wanted = text.toLowerCase();
  return wanted === "true" || wanted === "false" ? (value) => value.toLowerCase() === wanted : undefined;
}

function binary(text: string): ValueMatcher | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const wanted = Buffer.from(text, "base64");
  return (value) => Buffer.from(value, "base64").equals(wanted);
}

function address(text: string): ValueMatcher | undefined {
  const [network = "", bits] = text.split("/");
  const version = isIP(network);
  if (version === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return undefined;
  const width = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? width : Number(bits);
  if (prefix > width) return undefined;
  const list = new BlockList();
  list.addSubnet(network, prefix, version === 4 ? "ipv4" : "ipv6");
  return (value) => {
    const family = isIP(value);
    return family !== 0 && list.check(value, family === 4 ? "ipv4" : "ipv6");
  };
}

const is = (prepare: Operator["prepare"]): Operator => ({ isNegated: false, prepare });
const isNot = (prepare: Operator["prepare"]): Operator => ({ isNegated: true, prepare });

/**
 * Every condition operator of the policy language but `Null`, which looks at presence alone.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: is(equals),
  StringNotEquals: isNot(equals),
  StringEqualsIgnoreCase: is(equalsIgnoringCase),
  StringNotEqualsIgnoreCase: isNot(equalsIgnoringCase),
  StringLike: is(like),
  StringNotLike: isNot(like),
  NumericEquals: is(ordered(readNumber, (a, b) => a === b)),
  NumericNotEquals: isNot(ordered(readNumber, (a, b) => a === b)),
  NumericLessThan: is(ordered(readNumber, (a, b) => a < b)),
  NumericLessThanEquals: is(ordered(readNumber, (a, b) => a <= b)),
  NumericGreaterThan: is(ordered(readNumber, (a, b) => a > b)),
  NumericGreaterThanEquals: is(ordered(readNumber, (a, b) => a >= b)),
  DateEquals: is(ordered(readDate, (a, b) => a === b)),
  DateNotEquals: isNot(ordered(readDate, (a, b) => a === b)),
  DateLessThan: is(ordered(readDate, (a, b) => a < b)),
  DateLessThanEquals: is(ordered(readDate, (a, b) => a <= b)),
  DateGreaterThan: is(ordered(readDate, (a, b) => a > b)),
  DateGreaterThanEquals: is(ordered(readDate, (a, b) => a >= b)),
  Bool: is(bool),
  BinaryEquals: is(binary),
  IpAddress: is(address),
  NotIpAddress: isNot(address),
  // AWS documents ArnEquals and ArnLike as the same.
  ArnEquals: is(arn),
  ArnLike: is(arn),
  ArnNotEquals: isNot(arn),
  ArnNotLike: isNot(arn),
};
