import type { Json } from "../resource-provider.ts";
import { formatError, validationError } from "./errors.ts";
import { checkConstraints } from "./parameter-constraints.ts";
import { isListType, isSsmValue, listItems, TYPES } from "./parameter-types.ts";
import type { ParameterDeclaration, Template } from "./template/template.ts";
import { isList, type Value } from "./values.ts";

/** A parameter as a request gives it. */
export interface GivenParameter {
  readonly key: string;
  readonly value?: string;
  readonly usePreviousValue?: boolean;
}

/** A parameter as a stack keeps it. */
export interface StackParameter {
  readonly key: string;
  /** As given or by default; the name of the parameter in SSM for `AWS::SSM::Parameter::Value<…>`. */
  readonly value: string;
  /** What SSM held when the operation was asked for. */
  readonly resolved?: string;
  readonly noEcho?: boolean;
}

/** What a request brings to a template's parameters. */
export interface ParameterRequest {
  readonly template: Template;
  readonly given: readonly GivenParameter[];
  /** The stack's present parameters, for UsePreviousValue. */
  readonly previous?: readonly StackParameter[];
}

/**
 * The value of every declared parameter, checked against its constraints. Those of SSM are not looked up: see
 * {@link ssmNames} and {@link withSsmValues}.
 * @throws AwsError ValidationError in CloudFormation's words
 */
export function resolveParameters({ template, given, previous = [] }: ParameterRequest): readonly StackParameter[] {
  const strange = given.filter(({ key }) => !(key in template.parameters)).map(({ key }) => key);
  if (strange.length > 0) throw validationError(`Parameters: [${strange.join(", ")}] do not exist in the template`);
  const missing: string[] = [];
  const resolved = Object.entries(template.parameters).flatMap(([key, declaration]) => {
    checkType(key, declaration);
    const value = valueOf(key, { declaration, given, previous });
    if (value === undefined) {
      missing.push(key);
      return [];
    }
    checkConstraints(key, { declaration, value });
    return [{ key, value, ...(isTrue(declaration.NoEcho) && { noEcho: true }) }];
  });
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(", ")}] must have values`);
  return resolved;
}

function checkType(key: string, { Type }: ParameterDeclaration): void {
  if (TYPES.has(Type) || isSsmValue(Type)) return;
  throw formatError(
    `Unrecognized parameter type: ${Type}, of parameter ${key}. The local accounts know ${[...TYPES].join(", ")} and AWS::SSM::Parameter::Value<String or List<String>>.`,
  );
}

interface Sources {
  readonly declaration: ParameterDeclaration;
  readonly given: readonly GivenParameter[];
  readonly previous: readonly StackParameter[];
}

function valueOf(key: string, { declaration, given, previous }: Sources): string | undefined {
  const own = given.find((parameter) => parameter.key === key);
  if (own?.usePreviousValue) {
    const before = previous.find((parameter) => parameter.key === key);
    if (own.value !== undefined)
      throw validationError(
        `Invalid input for parameter key ${key}. Cannot specify usePreviousValue as true and non empty value for a parameter`,
      );
    if (!before)
      throw validationError(
        `Invalid input for parameter key ${key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`,
      );
    return before.value;
  }
  if (own) return own.value ?? "";
  return declaration.Default === undefined ? undefined : defaultText(declaration.Default);
}

const defaultText = (value: Json): string => (isList<Json>(value) ? value.map(String).join(",") : String(value));
const isTrue = (value: Json | undefined): boolean => value === true || value === "true";

/** Names of the parameters in SSM whose values are needed. */
export function ssmNames(template: Template, parameters: readonly StackParameter[]): readonly string[] {
  return parameters.filter(({ key }) => isSsmValue(template.parameters[key]?.Type ?? "")).map(({ value }) => value);
}

/**
 * The parameters with what SSM holds.
 * @param found values by name in SSM
 * @throws AwsError ValidationError naming all that SSM does not have
 */
export function withSsmValues(
  template: Template,
  parameters: readonly StackParameter[],
  found: ReadonlyMap<string, string>,
): readonly StackParameter[] {
  const missing = ssmNames(template, parameters).filter((name) => !found.has(name));
  if (missing.length > 0)
    throw validationError(`Unable to fetch parameters [${[...new Set(missing)].join(",")}] from parameter store for this account.`);
  return parameters.map((parameter) => {
    const resolved = isSsmValue(template.parameters[parameter.key]?.Type ?? "") ? found.get(parameter.value) : undefined;
    return resolved === undefined ? parameter : { ...parameter, resolved };
  });
}

/** What `Ref` of a parameter gives: a list for list types, a text for all others. */
export function parameterValue(declaration: ParameterDeclaration, parameter: StackParameter): Value {
  const text = parameter.resolved ?? parameter.value;
  return isListType(declaration.Type) ? listItems(text) : text;
}
