import { formatError, validationError } from "./errors.ts";
import { isListType, isSsmValue, listItems } from "./parameter-types.ts";
import type { ParameterDeclaration } from "./template/template.ts";

/** A value on its way into a parameter. */
export interface Candidate {
  readonly declaration: ParameterDeclaration;
  readonly value: string;
}

/** @throws AwsError ValidationError with the template's ConstraintDescription, or CloudFormation's own sentence */
export function checkConstraints(key: string, candidate: Candidate): void {
  const broken = brokenConstraint(key, candidate);
  if (broken === undefined) return;
  const { ConstraintDescription } = candidate.declaration;
  throw validationError(
    ConstraintDescription ? `Parameter ${key} failed to satisfy constraint: ${ConstraintDescription}` : `Parameter '${key}' must ${broken}`,
  );
}

function brokenConstraint(key: string, { declaration, value }: Candidate): string | undefined {
  const items = isListType(declaration.Type) && !isSsmValue(declaration.Type) ? listItems(value) : [value];
  const isNumeric = declaration.Type === "Number" || declaration.Type === "List<Number>";
  if (isNumeric && !items.every(isNumber)) return "be a number.";
  const allowed = declaration.AllowedValues?.map(String);
  if (allowed && !items.every((item) => allowed.includes(item))) return `be one of AllowedValues: [${allowed.join(", ")}]`;
  const pattern = declaration.AllowedPattern;
  if (pattern !== undefined && !items.every((item) => matcher(key, pattern).test(item))) return `match pattern ${pattern}`;
  return isNumeric ? brokenRange(declaration, items.map(Number)) : brokenLength(declaration, value);
}

const isNumber = (text: string): boolean => /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text);

// Java's Matcher.matches() compares the whole text.
function matcher(key: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, "s");
  } catch {
    throw formatError(`Parameter '${key}' has an AllowedPattern that is not a regular expression: ${pattern}`);
  }
}

function brokenRange({ MinValue, MaxValue }: ParameterDeclaration, numbers: readonly number[]): string | undefined {
  if (MinValue !== undefined && numbers.some((number) => number < Number(MinValue))) return `be a number not less than ${String(MinValue)}`;
  if (MaxValue !== undefined && numbers.some((number) => number > Number(MaxValue)))
    return `be a number not greater than ${String(MaxValue)}`;
  return undefined;
}

function brokenLength({ MinLength, MaxLength }: ParameterDeclaration, text: string): string | undefined {
  if (MinLength !== undefined && text.length < Number(MinLength)) return `contain at least ${String(MinLength)} characters`;
  if (MaxLength !== undefined && text.length > Number(MaxLength)) return `contain at most ${String(MaxLength)} characters`;
  return undefined;
}
