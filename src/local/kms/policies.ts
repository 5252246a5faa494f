import type {
  GetKeyPolicyRequest,
  GetKeyPolicyResponse,
  ListKeyPoliciesRequest,
  ListKeyPoliciesResponse,
  PutKeyPolicyRequest,
} from "@aws-sdk/client-kms";

import { validatePolicyDocument } from "../authorization/validate-policy.ts";
import { AwsError } from "../gateway/aws-error.ts";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { lockedOut, malformedPolicy, policyTooLarge, validation } from "./errors.ts";
import { accessToKey, change, find, type Kms } from "./keys.ts";
import { type Key, keyArn } from "./store.ts";

/** The policy of a key that is made without one: its account decides. */
export const defaultPolicy = (account: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });

const MOST_BYTES = 32 * 1024;

/**
 * Checks a key policy, and that whoever puts it can change it again.
 * @throws AwsError MalformedPolicyDocumentException, LimitExceededException (developerguide/resource-limits.html)
 */
export function checkKeyPolicy(
  { core }: Kms,
  call: Call,
  of: { readonly key: Key; readonly policy: string; readonly bypass: boolean },
): void {
  const problem = validatePolicyDocument(of.policy, "resource");
  if (problem !== undefined) throw malformedPolicy(problem);
  if (Buffer.byteLength(JSON.stringify(JSON.parse(of.policy))) > MOST_BYTES) throw policyTooLarge(MOST_BYTES);
  const nobody = core.directory.missingPrincipal(of.policy);
  if (nobody !== undefined) throw malformedPolicy(`Policy contains a statement with one or more invalid principals. ("AWS":"${nobody}")`);
  if (of.bypass) return;
  const resource = keyArn(of.key);
  const resourcePolicy = { document: of.policy, name: "the new key policy", account: of.key.account, mode: "key" as const };
  try {
    core.directory.authorize(call.caller, { action: "kms:PutKeyPolicy", resource, resourcePolicy }, call);
  } catch (error) {
    throw error instanceof AwsError ? lockedOut() : error;
  }
}

function checkName(name: string | undefined): void {
  if (name !== undefined && name !== "default") throw validation("The only valid policy name is default.");
}

/** Key policies. */
export const policyOperations = (kms: Kms): Readonly<Record<string, AnyOperation>> => ({
  GetKeyPolicy: operation<GetKeyPolicyRequest, GetKeyPolicyResponse>({
    access: accessToKey(kms, "GetKeyPolicy"),
    run({ KeyId, PolicyName }, call) {
      checkName(PolicyName);
      return { Policy: find(kms, KeyId, call).policy, PolicyName: "default" };
    },
  }),
  ListKeyPolicies: operation<ListKeyPoliciesRequest, ListKeyPoliciesResponse>({
    access: accessToKey(kms, "ListKeyPolicies"),
    run({ KeyId }, call) {
      find(kms, KeyId, call);
      return { PolicyNames: ["default"], Truncated: false };
    },
  }),
  PutKeyPolicy: operation<PutKeyPolicyRequest, object>({
    access: accessToKey(kms, "PutKeyPolicy", ({ BypassPolicyLockoutSafetyCheck = false }) => ({
      "kms:BypassPolicyLockoutSafetyCheck": String(BypassPolicyLockoutSafetyCheck),
    })),
    run({ KeyId, PolicyName, Policy = "", BypassPolicyLockoutSafetyCheck = false }, call) {
      checkName(PolicyName);
      change(kms, call, {
        keyId: KeyId,
        change(key) {
          checkKeyPolicy(kms, call, { key, policy: Policy, bypass: BypassPolicyLockoutSafetyCheck });
          return { ...key, policy: Policy };
        },
      });
      return {};
    },
  }),
});
