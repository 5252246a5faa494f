import type { Access, Call, Core, ResourcePolicy } from "../gateway/service.ts";
import { functionNotFound } from "./errors.ts";
import { checkQualifier, functionArn, parseReference } from "./names.ts";
import type { Pool } from "./pool.ts";
import type { Queue } from "./queue.ts";
import { type FunctionDocument, functionKey, type Store } from "./store.ts";

/** What the operations of Lambda share. */
export interface Lambda {
  readonly core: Core;
  readonly store: Store;
  readonly pool: Pool;
  readonly queue: Queue;
  /** URLs for downloading code: token to blob. */
  readonly downloads: Map<string, string>;
}

/** A request that names a function. */
export interface Named {
  readonly FunctionName?: string | undefined;
  readonly Qualifier?: string | undefined;
}

/** @throws AwsError ResourceNotFoundException; 501 for a version or alias */
export function findFunction(
  { store }: Lambda,
  call: Pick<Call, "account" | "region">,
  { FunctionName = "", Qualifier }: Named,
): FunctionDocument {
  const reference = parseReference(FunctionName, call);
  checkQualifier(reference.qualifier, Qualifier);
  const found = store.functions.get(functionKey(reference));
  if (found === undefined) throw functionNotFound(functionArn(reference));
  return found;
}

/** Leave to do something with a function: its own policy counts too. */
export function functionAccess({ store }: Lambda, action: string, call: Call, { FunctionName = "" }: Named): Access {
  const reference = parseReference(FunctionName, call);
  const found = store.functions.get(functionKey(reference));
  const tags = Object.entries(found?.tags ?? {}).map(([name, value]) => [`aws:ResourceTag/${name}`, value]);
  const resource = functionArn(reference);
  return { action: `lambda:${action}`, resource, context: Object.fromEntries(tags), ...(found && { resourcePolicy: policyOf(found) }) };
}

/** A function's policy as IAM reads it. */
const policyOf = (of: FunctionDocument): ResourcePolicy => ({
  document: policyDocument(of),
  name: `the policy of function ${of.name}`,
  account: of.account,
});

/** A function's policy as GetPolicy shows it; undefined when it has no statement. */
export const policyDocument = ({ permissions }: FunctionDocument): string | undefined =>
  permissions.length === 0 ? undefined : JSON.stringify({ Version: "2012-10-17", Id: "default", Statement: permissions });
