import { createHash } from "node:crypto";

import type { Call, Core } from "../gateway/service.ts";
import type { ParameterVersion } from "./store.ts";

/** Asks KMS whether the caller may use the key of a SecureString. @throws AwsError AccessDeniedException, NotFoundException */
export async function checkKey(
  core: Core,
  call: Call,
  { type, keyId, action }: { readonly type: string; readonly keyId: string | undefined; readonly action: "GenerateDataKey" | "Decrypt" },
): Promise<void> {
  // The key policy of alias/aws/ssm lets everybody of the account use it through Systems Manager.
  if (type !== "SecureString" || keyId === undefined || keyId === "alias/aws/ssm") return;
  await core.dispatcher.call({
    service: "kms",
    operation: "DescribeKeyUse",
    input: { KeyId: keyId, Action: action },
    as: call.caller,
    region: call.region,
    account: call.account,
    context: { ...call.context, "kms:ViaService": `ssm.${call.region}.amazonaws.com` },
  });
}

/** The value as it is shown: a SecureString without decryption as a text that tells nothing of it. */
export function shownValue({ type, value }: ParameterVersion, isDecrypted: boolean): string {
  if (type !== "SecureString" || isDecrypted) return value;
  return `AQICAH${createHash("sha512").update(value).digest("base64")}`;
}
