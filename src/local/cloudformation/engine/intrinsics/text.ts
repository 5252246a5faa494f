import type { Json } from "../../resource-provider.ts";
import { templateError } from "../errors.ts";
import { subVariables, subParts } from "../template/expressions.ts";
import { hasUnknown, isList, isValueObject, scalarText, UNKNOWN, type Value } from "../values.ts";
import type { Application } from "./evaluate.ts";

/** `{"Fn::Base64": text}` */
export function base64({ argument, value }: Application): Value {
  const given = value(argument);
  if (given === UNKNOWN) return UNKNOWN;
  const text = scalarText(given);
  if (text === undefined) throw templateError("every Fn::Base64 object must have a String-typed value.");
  return Buffer.from(text, "utf8").toString("base64");
}

const JOIN =
  "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a " +
  "function that returns a list of strings (such as Fn::GetAZs) to be joined.";

/** `{"Fn::Join": [delimiter, list]}` */
export function join({ argument, value }: Application): Value {
  if (!isList<Json>(argument) || argument.length !== 2 || typeof argument[0] !== "string") throw templateError(JOIN);
  const items = value(argument[1] as Json);
  if (hasUnknown(items)) return UNKNOWN;
  if (!isList<Value>(items)) throw templateError(JOIN);
  const texts = items.map(scalarText);
  if (texts.includes(undefined)) throw templateError(JOIN);
  return texts.join(argument[0]);
}

/** `{"Fn::Sub": text}` or `{"Fn::Sub": [text, variables]}`; `${!Literal}` stands for `${Literal}`. */
export function substitute({ argument, scope, value }: Application): Value {
  const { text, variables } = subParts(argument);
  let result = "";
  let position = 0;
  for (const { name, start, end } of subVariables(text)) {
    const found = name in variables ? value(variables[name] as Json) : lookUp(name);
    if (hasUnknown(found)) return UNKNOWN;
    const written = scalarText(found);
    if (written === undefined) throw templateError(`Fn::Sub can't write \${${name}} into a string: it is a list or an object`);
    // Only what the template wrote is unescaped: a substituted value may hold "${!" itself.
    result += unescape(text.slice(position, start)) + written;
    position = end;
  }
  return result + unescape(text.slice(position));

  function lookUp(name: string): Value {
    const dot = name.indexOf(".");
    return dot < 0 ? value({ Ref: name }) : scope.attribute(name.slice(0, dot), name.slice(dot + 1));
  }
}

const unescape = (text: string): string => text.replaceAll(/\$\{!([^}]*)\}/g, "${$1}");

/** `{"Fn::ToJsonString": object or list}` */
export function toJsonString({ argument, value }: Application): Value {
  const given = value(argument);
  if (!isList(given) && !isValueObject(given)) throw templateError("every Fn::ToJsonString object requires an object or a list");
  return hasUnknown(given) ? UNKNOWN : JSON.stringify(given);
}
