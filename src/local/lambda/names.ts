import type { Call } from "../gateway/service.ts";
import { notProvided, validation } from "./errors.ts";

/** What a FunctionName stands for. */
export interface FunctionReference {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly qualifier: string | undefined;
}

const REFERENCE = /^(?:arn:[^:]+:lambda:([a-z0-9-]+):)?(?:(\d{12}):)?(?:function:)?([A-Za-z0-9_-]{1,64})(?::([$\w-]+))?$/;

/** Reads a name, a partial ARN or an ARN, with or without a qualifier. @throws AwsError ValidationException */
export function parseReference(text: string, { account, region }: Pick<Call, "account" | "region">): FunctionReference {
  const match = REFERENCE.exec(text);
  if (match === null)
    throw validation(`Value '${text}' at 'functionName' failed to satisfy constraint: Member must be a function's name or ARN`);
  return { region: match[1] ?? region, account: match[2] ?? account, name: match[3] ?? "", qualifier: match[4] };
}

export const functionArn = ({ account, region, name }: Omit<FunctionReference, "qualifier">): string =>
  `arn:aws:lambda:${region}:${account}:function:${name}`;

/** There is `$LATEST` and nothing else. @throws AwsError 501 */
export function checkQualifier(...qualifiers: readonly (string | undefined)[]): void {
  for (const qualifier of qualifiers)
    if (qualifier !== undefined && qualifier !== "$LATEST") throw notProvided(`versions and aliases (qualifier ${qualifier})`);
}

export const layerArn = ({ account, region }: Pick<Call, "account" | "region">, name: string): string =>
  `arn:aws:lambda:${region}:${account}:layer:${name}`;

/** The key of the layer version that an ARN names; undefined when it is none. */
export function parseLayerVersion(
  arn: string,
): { readonly account: string; readonly region: string; readonly name: string; readonly version: number } | undefined {
  const match = /^arn:[^:]+:lambda:([^:]+):(\d{12}):layer:([A-Za-z0-9_-]+):(\d+)$/.exec(arn);
  if (match === null) return undefined;
  return { region: match[1] ?? "", account: match[2] ?? "", name: match[3] ?? "", version: Number(match[4]) };
}
