import type { Tags } from "../authorization/principal.ts";
import { type PolicyUse, validatePolicyDocument } from "../authorization/validate-policy.ts";
import { pageOf } from "../gateway/paging.ts";
import { invalidInput, malformedPolicy, validationError } from "./errors.ts";

/** @throws AwsError ValidationError unless the text is a name of at most `longest` characters */
export function checkName(member: string, name: string, longest: number): void {
  const failed = (constraint: string): never => {
    throw validationError(`1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`);
  };
  if (name.length > longest) failed(`Member must have length less than or equal to ${longest}`);
  if (!/^[\w+=,.@-]+$/.test(name))
    throw validationError(
      `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
}

/** The path, `/` when none is given. @throws AwsError ValidationError */
export function checkPath(path = "/"): string {
  if (/^\/$|^\/[\x21-\x7e]+\/$/.test(path) && path.length <= 512) return path;
  throw validationError(
    "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
  );
}

/** @throws AwsError MalformedPolicyDocument */
export function checkPolicy(document: string, use: PolicyUse): void {
  const problem = validatePolicyDocument(document, use);
  if (problem !== undefined) throw malformedPolicy(problem);
}

interface TagInput {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

const MOST_TAGS = 50;

/** `tags` with those of the request over them. Keys ignore case, and the newer spelling stays. @throws AwsError */
export function mergeTags(tags: Tags, given: readonly TagInput[] = []): Tags {
  const keys = given.map(({ Key }) => (Key ?? "").toLowerCase());
  if (new Set(keys).size < keys.length) throw invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  const kept = Object.entries(tags).filter(([key]) => !keys.includes(key.toLowerCase()));
  const merged = Object.fromEntries([...kept, ...given.map(({ Key, Value }) => [Key ?? "", Value ?? ""])]);
  if (Object.keys(merged).length > MOST_TAGS) throw invalidInput("Number of tags cannot exceed the quota of 50 tags.");
  return merged;
}

/** `tags` without the keys, whatever their case. */
export function withoutTags(tags: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key.toLowerCase())));
}

export const tagList = (tags: Tags): { Key: string; Value: string }[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** Condition keys of a request that brings tags, and of the tags that are there already. */
export function tagContext(given: readonly TagInput[] | undefined, present: Tags = {}): Record<string, string | readonly string[]> {
  return {
    ...(given && { "aws:TagKeys": given.map(({ Key }) => Key ?? "") }),
    ...Object.fromEntries((given ?? []).map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value ?? ""])),
    ...Object.fromEntries(
      Object.entries(present).flatMap(([key, value]) => [
        [`aws:ResourceTag/${key}`, value],
        [`iam:ResourceTag/${key}`, value],
      ]),
    ),
  };
}

/** One page of a list, and the members that say how to go on. @throws AwsError ValidationError for a strange marker */
export function page<T>(
  all: readonly T[],
  { Marker, MaxItems = 100 }: { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined },
) {
  const { items, next } = pageOf(all, { token: Marker, limit: MaxItems, invalid: () => validationError("Invalid Marker.") });
  return { items, rest: { IsTruncated: next !== undefined, ...(next !== undefined && { Marker: next }) } };
}
