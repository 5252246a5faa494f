import type { Json } from "../../resource-provider.ts";
import { templateError, validationError } from "../errors.ts";
import { asIntrinsic, EXTENSION_FUNCTIONS, type Intrinsic, STANDARD_FUNCTIONS } from "../template/expressions.ts";
import { isList, NO_VALUE, type Value } from "../values.ts";
import { cidr, length, select, split, zones } from "./lists.ts";
import { attribute, findInMap, importValue, ref } from "./lookups.ts";
import type { Scope } from "./scope.ts";
import { base64, join, substitute, toJsonString } from "./text.ts";

/** What a function needs: its argument as written, the scope, and the evaluation of what is nested in it. */
export interface Application {
  readonly argument: Json;
  readonly scope: Scope;
  /** Evaluates a nested node; a NoValue in it is an error of the template. */
  value(node: Json): Value;
}

type Function = (application: Application) => Value | typeof NO_VALUE;

const FUNCTIONS: Readonly<Record<string, Function>> = {
  Ref: ref,
  "Fn::Base64": base64,
  "Fn::Cidr": cidr,
  "Fn::FindInMap": findInMap,
  "Fn::GetAtt": attribute,
  "Fn::GetAZs": zones,
  "Fn::ImportValue": importValue,
  "Fn::Join": join,
  "Fn::Length": length,
  "Fn::Select": select,
  "Fn::Split": split,
  "Fn::Sub": substitute,
  "Fn::ToJsonString": toJsonString,
};

/**
 * Evaluates a node of a template whose Fn::If functions have been resolved (`withoutConditions`). Members and items that
 * are AWS::NoValue disappear.
 * @throws AwsError ValidationError in CloudFormation's words
 */
export function evaluate(node: Json, scope: Scope): Value | typeof NO_VALUE {
  const intrinsic = asIntrinsic(node);
  if (intrinsic) return apply(intrinsic, scope);
  if (isList<Json>(node)) return node.map((item) => evaluate(item, scope)).filter((item) => item !== NO_VALUE);
  if (typeof node !== "object" || node === null) return node;
  const members = Object.entries(node).map(([name, member]) => [name, evaluate(member as Json, scope)] as const);
  return Object.fromEntries(members.filter((member): member is [string, Value] => member[1] !== NO_VALUE));
}

/** As {@link evaluate}, where a NoValue makes no sense. */
export function evaluateValue(node: Json, scope: Scope): Value {
  const value = evaluate(node, scope);
  if (value === NO_VALUE) throw templateError("AWS::NoValue may only stand for a whole property or list item");
  return value;
}

function apply({ name, argument }: Intrinsic, scope: Scope): Value | typeof NO_VALUE {
  const implementation = FUNCTIONS[name];
  if (name === "Fn::Transform")
    throw validationError(
      "Fn::Transform is not available in the local accounts: no macro runs here. Expand the template before it is deployed.",
    );
  if (!implementation || (isExtension(name) && !scope.hasExtensions)) throw unsupported(name, scope);
  return implementation({ argument, scope, value: (node) => evaluateValue(node, scope) });
}

const isExtension = (name: string): boolean => (EXTENSION_FUNCTIONS as readonly string[]).includes(name);

function unsupported(name: string, scope: Scope): Error {
  const supported = [...STANDARD_FUNCTIONS, ...(scope.hasExtensions ? EXTENSION_FUNCTIONS : [])];
  return templateError(`Encountered unsupported function: ${name} Supported functions are: [${supported.join(", ")}]`);
}
