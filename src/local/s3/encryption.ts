import type { Call, Core } from "../gateway/service.ts";
import type { Bucket, ObjectVersion } from "./store.ts";

/** What a request asks of the encryption of what it writes. */
export interface EncryptionInput {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
}

/** The key that encrypts what is written; asks KMS whether the caller may use it. */
export async function encryptFor(core: Core, bucket: Bucket, input: EncryptionInput, call: Call): Promise<{ kmsKeyId?: string }> {
  const keyId = keyFor(bucket, input);
  if (!keyId) return {};
  const { KeyId } = await useKey(core, { operation: "GenerateDataKey", keyId, region: bucket.region, call });
  return { kmsKeyId: KeyId };
}

/** Asks KMS whether the caller may read what that key encrypted. */
export async function decryptFor(core: Core, { kmsKeyId }: ObjectVersion, call: Call): Promise<void> {
  if (kmsKeyId) await useKey(core, { operation: "Decrypt", keyId: kmsKeyId, region: call.region, call });
}

function keyFor(bucket: Bucket, { ServerSideEncryption, SSEKMSKeyId }: EncryptionInput): string | undefined {
  if (ServerSideEncryption === undefined) return defaultKey(bucket);
  if (ServerSideEncryption !== "aws:kms") return undefined;
  return SSEKMSKeyId ?? defaultKey(bucket);
}

function defaultKey(bucket: Bucket): string | undefined {
  const configured = bucket.configurations["Encryption"] as
    { Rules?: { ApplyServerSideEncryptionByDefault?: { SSEAlgorithm?: string; KMSMasterKeyID?: string } }[] } | undefined;
  const rule = configured?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  return rule?.SSEAlgorithm === "aws:kms" ? rule.KMSMasterKeyID : undefined;
}

async function useKey(
  core: Core,
  { operation, keyId, region, call }: { readonly operation: string; readonly keyId: string; readonly region: string; readonly call: Call },
): Promise<{ KeyId: string }> {
  if (operation === "Decrypt" && call.caller.kind === "anonymous") return { KeyId: keyId };
  // S3 asks KMS as the caller, which key policies recognise by kms:ViaService. Bytes are not encrypted (behaviour.md).
  return core.dispatcher.call<{ KeyId: string }>({
    service: "kms",
    operation: "DescribeKeyUse",
    input: { KeyId: keyId, Action: operation },
    as: call.caller,
    account: call.account,
    region,
    context: { "kms:ViaService": `s3.${region}.amazonaws.com`, "kms:CallerAccount": call.account },
  });
}
