import { AwsError } from "../gateway/aws-error.ts";
import type { AnyOperation } from "../gateway/service.ts";
import { invalidParameter } from "./errors.ts";
import { EXCLUSIVE, MEMBERS, MEMBERS_OF, REPOSITORY_NAME, type Rule } from "./input-rules.ts";

type Input = Readonly<Record<string, unknown>>;

/** Operations that look at their input before anything else: before IAM is asked, and before anything is looked for. */
export const checked = <T extends Readonly<Record<string, AnyOperation>>>(operations: T): T =>
  Object.fromEntries(
    Object.entries(operations).map(([name, operation]): [string, AnyOperation] => [
      name,
      {
        ...operation,
        access(input: Input, call) {
          checkInput(name, input);
          return operation.access(input, call) as ReturnType<AnyOperation["access"]>;
        },
      },
    ]),
  ) as T;

/** @throws AwsError InvalidParameterException in ECR's words, SerializationException for a value of another kind */
export function checkInput(operation: string, input: Input): void {
  for (const [member, value] of Object.entries(input)) {
    const rule = MEMBERS_OF[operation]?.[member] ?? MEMBERS[member];
    if (rule && value !== undefined && value !== null) checkValue(member, rule, value);
  }
  const [named, ...without] = EXCLUSIVE[operation] ?? [""];
  const other = input[named] === undefined ? undefined : without.find((member) => input[member] !== undefined);
  if (other !== undefined) throw invalid(other, `Member must not be given with ${named}`);
}

const invalid = (path: string, why: string): AwsError => invalidParameter(`at '${path}' failed to satisfy constraint: '${why}'`);

function checkValue(path: string, rule: Rule, value: unknown): void {
  if (kindOf(value) !== rule.kind)
    throw new AwsError(400, "SerializationException", `${path}: ${KINDS[kindOf(value)]} can not be converted to ${KINDS[rule.kind]}`);
  const why = rule.kind === "list" ? whyNotList(rule, value as readonly unknown[]) : whyNot(rule, value);
  if (why !== undefined) throw invalid(path, why);
  if (rule.kind === "structure") checkStructure(path, rule, value as Input);
  if (rule.kind === "list")
    for (const [index, item] of (value as readonly unknown[]).entries())
      if (rule.of.kind === "structure") checkValue(`${path}.${index + 1}.member`, rule.of, item);
}

function checkStructure(path: string, { members, required = [] }: Extract<Rule, { kind: "structure" }>, value: Input): void {
  for (const member of required)
    if (value[member] === undefined || value[member] === null) throw invalid(`${path}.${member}`, "Member must not be null");
  for (const [member, rule] of Object.entries(members))
    if (value[member] !== undefined && value[member] !== null) checkValue(`${path}.${member}`, rule, value[member]);
}

const KINDS: Readonly<Record<Rule["kind"] | "nothing", string>> = {
  text: "a String",
  number: "a Number",
  flag: "a Boolean",
  bytes: "a Blob",
  list: "a List",
  structure: "a Structure",
  nothing: "null",
};

function kindOf(value: unknown): Rule["kind"] | "nothing" {
  if (typeof value === "string") return "text";
  if (typeof value === "number" && Number.isInteger(value)) return "number";
  if (typeof value === "boolean") return "flag";
  if (value instanceof Uint8Array) return "bytes";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" && value !== null ? "structure" : "nothing";
}

/** What is wrong with a list; of items that are no structures, all that is wrong with one of them is told together. */
function whyNotList({ min = 0, max = Infinity, of }: Extract<Rule, { kind: "list" }>, items: readonly unknown[]): string | undefined {
  const length = whyNotLength(items.length, min, max);
  if (length !== undefined || of.kind === "structure") return length;
  const wrong = items.flatMap((item) => (kindOf(item) === of.kind ? (whyNot(of, item) ?? []) : `Member must be ${KINDS[of.kind]}`))[0];
  return wrong === undefined ? undefined : `Member must satisfy constraint: [${wrong}]`;
}

function whyNot(rule: Rule, value: unknown): string | undefined {
  switch (rule.kind) {
    case "text":
      return whyNotText(rule, value as string);
    case "number":
      return whyNotNumber(rule, value as number);
    case "bytes":
      return whyNotLength((value as Uint8Array).byteLength, 0, rule.max);
    default:
      return undefined;
  }
}

function whyNotNumber({ min, max = Infinity }: Extract<Rule, { kind: "number" }>, value: number): string | undefined {
  if (value < min) return `Member must have value greater than or equal to ${min}`;
  return value > max ? `Member must have value less than or equal to ${max}` : undefined;
}

function whyNotText({ min = 0, max = Infinity, pattern, values }: Extract<Rule, { kind: "text" }>, value: string): string | undefined {
  const length = whyNotLength(value.length, min, max);
  if (length !== undefined) return length;
  if (values && !values.includes(value)) return `Member must satisfy enum value set: [${values.join(", ")}]`;
  if (!pattern || new RegExp(`^(?:${pattern.source})$`).test(value)) return undefined;
  return pattern === REPOSITORY_NAME
    ? `must satisfy regular expression '${pattern.source}'`
    : `Member must satisfy regular expression pattern: ${pattern.source}`;
}

function whyNotLength(length: number, min: number, max: number): string | undefined {
  if (length < min) return `Member must have length greater than or equal to ${min}`;
  return length > max ? `Member must have length less than or equal to ${max}` : undefined;
}
