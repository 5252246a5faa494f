import type { Json } from "../../resource-provider.ts";
import { templateError } from "../errors.ts";
import { isList, isObject } from "../values.ts";

/** A function call in a template: an object with exactly one member that names an intrinsic. */
export interface Intrinsic {
  readonly name: string;
  readonly argument: Json;
}

/** Functions of every template, as AWS lists them. */
export const STANDARD_FUNCTIONS = [
  "Fn::Base64",
  "Fn::Cidr",
  "Fn::FindInMap",
  "Fn::GetAtt",
  "Fn::GetAZs",
  "Fn::If",
  "Fn::ImportValue",
  "Fn::Join",
  "Fn::Select",
  "Fn::Split",
  "Fn::Sub",
] as const;

/** Functions of the Conditions and Rules sections. */
export const CONDITION_FUNCTIONS = ["Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"] as const;

/** Functions that the macro AWS::LanguageExtensions brings. */
export const EXTENSION_FUNCTIONS = ["Fn::Length", "Fn::ToJsonString"] as const;

/** The function call that a node is, if it is one. */
export function asIntrinsic(node: Json): Intrinsic | undefined {
  if (!isObject(node)) return undefined;
  const names = Object.keys(node);
  const name = names.find((key) => key === "Ref" || key.startsWith("Fn::"));
  if (name === undefined) return undefined;
  if (names.length > 1) {
    // A property may be called Ref; nothing but a function is called Fn::Something.
    if (name === "Ref") return undefined;
    throw templateError(
      `${name} must be the only member of its object, beside it stand: ${names.filter((key) => key !== name).join(", ")}`,
    );
  }
  return { name, argument: node[name] as Json };
}

/** A use of a parameter, pseudo parameter or resource by an expression. */
export interface Reference {
  readonly kind: "Ref" | "GetAtt";
  readonly name: string;
  /** For GetAtt, where it is written as plain text. */
  readonly attribute?: string;
}

/** Every reference inside a node, in order of appearance, repeated ones too. */
export function* references(node: Json): Generator<Reference> {
  const intrinsic = asIntrinsic(node);
  if (intrinsic?.name === "Ref") return yield { kind: "Ref", name: refName(intrinsic.argument) };
  if (intrinsic?.name === "Fn::GetAtt") return yield* attributeReferences(intrinsic.argument);
  if (intrinsic?.name === "Fn::Sub") return yield* subReferences(intrinsic.argument);
  if (typeof node === "object" && node !== null) for (const child of Object.values(node) as Json[]) yield* references(child);
}

/** @throws AwsError unless the argument of a Ref is a name */
export function refName(argument: Json): string {
  if (typeof argument !== "string") throw templateError("Ref must be given the name of a parameter or resource as a string");
  return argument;
}

function* attributeReferences(argument: Json): Generator<Reference> {
  const { name, attribute } = attributeParts(argument);
  yield typeof attribute === "string" ? { kind: "GetAtt", name, attribute } : { kind: "GetAtt", name };
  if (typeof attribute !== "string") yield* references(attribute);
}

/** The resource and the attribute of a Fn::GetAtt in either form. The attribute may be an expression (a Ref). */
export function attributeParts(argument: Json): { readonly name: string; readonly attribute: Json } {
  const parts = typeof argument === "string" ? splitOnce(argument) : argument;
  if (!isList<Json>(parts) || parts.length < 2 || typeof parts[0] !== "string" || parts[0] === "" || parts[1] === "")
    throw templateError("every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute");
  const rest = parts.slice(1);
  return { name: parts[0], attribute: rest.length === 1 ? (rest[0] as Json) : rest.map(String).join(".") };
}

const splitOnce = (text: string): readonly string[] => {
  const dot = text.indexOf(".");
  return dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
};

function* subReferences(argument: Json): Generator<Reference> {
  const { text, variables } = subParts(argument);
  for (const { name } of subVariables(text)) {
    if (name in variables) continue;
    const [resource = "", attribute] = splitOnce(name);
    yield attribute === undefined ? { kind: "Ref", name } : { kind: "GetAtt", name: resource, attribute };
  }
  for (const value of Object.values(variables)) yield* references(value);
}

/** The text and the variables of a Fn::Sub in either form. */
export function subParts(argument: Json): { readonly text: string; readonly variables: Readonly<Record<string, Json>> } {
  if (typeof argument === "string") return { text: argument, variables: {} };
  if (isList<Json>(argument) && argument.length === 2 && typeof argument[0] === "string" && isObject(argument[1]))
    return { text: argument[0], variables: argument[1] };
  throw templateError(
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first " +
      "argument, and an optional second argument to specify a mapping of values to replace in the string",
  );
}

/** A `${name}` in the text of a Fn::Sub. */
export interface SubVariable {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The variables in a Fn::Sub text. `${!Literal}` is none: it stands for `${Literal}`. */
export function* subVariables(text: string): Generator<SubVariable> {
  for (const match of text.matchAll(/\$\{([^}]*)\}/g)) {
    const name = (match[1] as string).trim();
    if (name.startsWith("!")) continue;
    if (!/^[A-Za-z0-9_.:]+$/.test(name))
      throw templateError("variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons");
    yield { name, start: match.index, end: match.index + match[0].length };
  }
}
