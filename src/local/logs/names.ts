import type { Access, Call } from "../gateway/service.ts";
import { invalidParameter, noSuchGroup } from "./errors.ts";
import type { LogGroup, LogStore, StreamName } from "./store.ts";

type Place = Pick<Call, "account" | "region">;

export const groupArn = ({ account, region }: Place, group: string): string => `arn:aws:logs:${region}:${account}:log-group:${group}`;
export const streamArn = (place: Place, group: string, stream: string): string => `${groupArn(place, group)}:log-stream:${stream}`;

/** The name of a group given as a name or an ARN. */
export function groupName(identifier: string | undefined): string {
  const inArn = /^arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)/.exec(identifier ?? "")?.[1];
  return inArn ?? identifier ?? "";
}

/** A request that names a group by name or, in newer operations, by identifier. */
export interface Grouped {
  readonly logGroupName?: string | undefined;
  readonly logGroupIdentifier?: string | undefined;
}

export const groupNameOf = ({ logGroupName, logGroupIdentifier }: Grouped): string => groupName(logGroupIdentifier ?? logGroupName);

/** What IAM must allow for something done to a group, or to one of its streams. */
export const accessTo =
  <Input extends Grouped & { readonly logStreamName?: string | undefined }>(store: LogStore, action: string) =>
  (input: Input, call: Call): readonly Access[] => {
    const group = groupNameOf(input);
    const tags = store.groups.get([call.account, call.region, group])?.tags ?? {};
    const context = Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
    return [{ action: `logs:${action}`, resource: streamArn(call, group, input.logStreamName ?? ""), context }];
  };

/** @throws AwsError ResourceNotFoundException */
export function findGroup(store: LogStore, { account, region }: Place, name: string): LogGroup {
  const group = store.groups.get([account, region, name]);
  if (!group) throw noSuchGroup();
  return group;
}

export const streamOf = ({ account, region }: Place, group: string, stream: string): StreamName => ({ account, region, group, stream });

/** @throws AwsError InvalidParameterException */
export function checkGroupName(name: string): void {
  if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name))
    throw invalidParameter(
      `1 validation error detected: Value '${name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+`,
    );
}

/** @throws AwsError InvalidParameterException */
export function checkStreamName(name: string): void {
  if (!/^[^:*]{1,512}$/.test(name))
    throw invalidParameter(
      `1 validation error detected: Value '${name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*`,
    );
}
