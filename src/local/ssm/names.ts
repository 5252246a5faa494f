import type { Call } from "../gateway/service.ts";
import { notFound, reservedName, validation, versionNotFound } from "./errors.ts";
import { type Parameter, type ParameterStore, type ParameterVersion, current } from "./store.ts";

const DEEPEST = 15;
const LONGEST = 1011;

/** @throws AwsError for a name that AWS refuses */
export function checkName(name: string): void {
  const bare = name.replace(/^\//, "");
  if (/^(aws|ssm)/i.test(bare)) {
    if (name.startsWith("/")) throw reservedName(name);
    throw validation('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).');
  }
  if (name.includes("/") && !name.startsWith("/"))
    throw validation(`Parameter name must be a fully qualified name: it has a "/" and must begin with one.`);
  if (!/^[a-zA-Z0-9_.\-/]+$/.test(name) || name.endsWith("/") || name.includes("//") || name.length > LONGEST)
    throw validation("Parameter name: can only include the following letters a-zA-Z0-9_.-, parts between slashes must not be empty.");
  if (name.split("/").length - 1 > DEEPEST) throw validation(`A hierarchy can have a maximum of ${DEEPEST} levels.`);
}

/** What a request names: the bare name, and the version or label after the colon. */
export interface Reference {
  readonly name: string;
  readonly selector: string | undefined;
}

/** Reads a name, an ARN, either with `:version` or `:label`. */
export function readReference(text = ""): Reference {
  const arn = /^arn:[^:]+:ssm:[^:]*:[^:]*:parameter(\/.*)$/.exec(text)?.[1];
  const [name = "", selector] = (arn ?? text).split(":");
  return { name, selector };
}

/** The ARN of a parameter; a name without a slash gets one. */
export const parameterArn = ({ account, region }: Pick<Call, "account" | "region">, name: string): string =>
  `arn:aws:ssm:${region}:${account}:parameter${name.startsWith("/") ? "" : "/"}${name}`;

/** The parameter of a reference. The ARN of a name without a slash has one, so both forms are looked for. */
export function findParameter(
  store: ParameterStore,
  { account, region }: Pick<Call, "account" | "region">,
  { name }: Reference,
): Parameter | undefined {
  return store.get([account, region, name]) ?? (/^\/[^/]+$/.test(name) ? store.get([account, region, name.slice(1)]) : undefined);
}

/** The version that is meant. @throws AwsError ParameterNotFound, ParameterVersionNotFound */
export function selectVersion(parameter: Parameter | undefined, { name, selector }: Reference): ParameterVersion {
  if (!parameter) throw notFound();
  if (selector === undefined) return current(parameter);
  const found = parameter.versions.find(({ version, labels }) => String(version) === selector || labels.includes(selector));
  if (!found) throw versionNotFound(name, selector);
  return found;
}
