import type { Json } from "../../resource-provider.ts";
import { templateError } from "../errors.ts";
import { hasUnknown, isList, scalarText, UNKNOWN, type Value } from "../values.ts";
import { subnets } from "./cidr.ts";
import type { Application } from "./evaluate.ts";

const SELECT = "every Fn::Select object requires two parameters, the first one is an integer index and the second one is a list";

/** `{"Fn::Select": [index, list]}` */
export function select({ argument, value }: Application): Value {
  if (!isList<Json>(argument) || argument.length !== 2) throw templateError(SELECT);
  const index = value(argument[0] as Json);
  const items = value(argument[1] as Json);
  if (index === UNKNOWN || items === UNKNOWN) return UNKNOWN;
  if (!isList<Value>(items) || !/^\d+$/.test(scalarText(index) ?? "")) throw templateError(SELECT);
  const found = items[Number(index)];
  if (found === undefined || found === null) throw templateError(`Fn::Select cannot select nonexistent value at index ${String(index)}`);
  return found;
}

const SPLIT =
  "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that " +
  "returns a string to be split.";

/** `{"Fn::Split": [delimiter, text]}` */
export function split({ argument, value }: Application): Value {
  if (!isList<Json>(argument) || argument.length !== 2 || typeof argument[0] !== "string" || argument[0] === "") throw templateError(SPLIT);
  const given = value(argument[1] as Json);
  if (given === UNKNOWN) return UNKNOWN;
  const text = scalarText(given);
  if (text === undefined) throw templateError(SPLIT);
  return text.split(argument[0]);
}

/** `{"Fn::Length": list}` */
export function length({ argument, value }: Application): Value {
  const items = value(argument);
  if (items === UNKNOWN) return UNKNOWN;
  if (!isList<Value>(items)) throw templateError("every Fn::Length object requires a list or a function that returns a list");
  return items.length;
}

/**
 * `{"Fn::GetAZs": region}`; an empty text is the stack's own region.
 * The zones of every region are said to be a, b and c: which ones an account sees differs on AWS from account to account.
 */
export function zones({ argument, scope, value }: Application): Value {
  const region = scalarText(value(argument));
  if (region === undefined) throw templateError("every Fn::GetAZs object requires a string-typed region");
  return ["a", "b", "c"].map((letter) => `${region === "" ? scope.region : region}${letter}`);
}

/** `{"Fn::Cidr": [block, count, host bits]}` */
export function cidr({ argument, value }: Application): Value {
  const parts = isList<Json>(argument) ? argument.map(value) : [];
  if (parts.some(hasUnknown)) return UNKNOWN;
  const [block, count, bits] = parts.map(scalarText);
  const blocks =
    block === undefined || count === undefined
      ? undefined
      : subnets({ block, count: Number(count), ...(bits && { hostBits: Number(bits) }) });
  if (!blocks)
    throw templateError(
      "every Fn::Cidr object requires two or three parameters, the ipBlock, the number of CIDRs (1 to 256) and the number of subnet bits, " +
        "and as many blocks must fit into the ipBlock",
    );
  return blocks;
}
