import type {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  GenerateDataKeyRequest,
  GenerateDataKeyResponse,
  GenerateDataKeyWithoutPlaintextResponse,
  GenerateRandomRequest,
  GenerateRandomResponse,
  ReEncryptRequest,
  ReEncryptResponse,
} from "@aws-sdk/client-kms";

import { type Access, type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { decrypt, encrypt, type EncryptionContext, keyOf } from "./ciphertext.ts";
import { incorrectKey, validation } from "./errors.ts";
import { accessOf, accessToKey, findUsable, type Kms, lookUp } from "./keys.ts";
import { keyArn } from "./store.ts";

const MOST_PLAINTEXT = 4096;
const MOST_RANDOM = 1024;

const contextKeys = (context: EncryptionContext = {}): Record<string, string | readonly string[]> => ({
  "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
  ...(Object.keys(context).length > 0 && { "kms:EncryptionContextKeys": Object.keys(context) }),
  ...Object.fromEntries(Object.entries(context).map(([key, value]) => [`kms:EncryptionContext:${key}`, value])),
});

const encryptOperation = (kms: Kms) =>
  operation<EncryptRequest, EncryptResponse>({
    access: accessToKey(kms, "Encrypt", ({ EncryptionContext: context }) => contextKeys(context)),
    run({ KeyId, Plaintext = new Uint8Array(), EncryptionContext: context = {} }, call) {
      const key = findUsable(kms, KeyId, call);
      if (Plaintext.length === 0 || Plaintext.length > MOST_PLAINTEXT)
        throw validation(
          `1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and ${MOST_PLAINTEXT}`,
        );
      return {
        CiphertextBlob: encrypt(key, Plaintext, { context, random: kms.core.random }),
        KeyId: keyArn(key),
        EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      };
    },
  });

interface Opening {
  readonly blob: Uint8Array;
  readonly keyId: string | undefined;
  readonly context: EncryptionContext | undefined;
}

/** Decrypts with the key the blob names. @throws AwsError IncorrectKeyException where another was asked for */
function open(kms: Kms, call: Call, { blob, keyId, context = {} }: Opening) {
  const key = findUsable(kms, keyOf(blob), call);
  const asked = keyId === undefined ? key : lookUp(kms, keyId, call);
  if (asked?.id !== key.id) throw incorrectKey();
  return { key, plaintext: decrypt(key, blob, context) };
}

const decryptOperation = (kms: Kms) =>
  operation<DecryptRequest, DecryptResponse>({
    access: ({ CiphertextBlob = new Uint8Array(), EncryptionContext: context }, call) => [
      accessOf(kms, { action: "Decrypt", keyId: keyOf(CiphertextBlob), call, context: contextKeys(context) }),
    ],
    run({ CiphertextBlob: blob = new Uint8Array(), KeyId: keyId, EncryptionContext: context }, call) {
      const { key, plaintext } = open(kms, call, { blob, keyId, context });
      return { Plaintext: plaintext, KeyId: keyArn(key), EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    },
  });

const reEncrypt = (kms: Kms) =>
  operation<ReEncryptRequest, ReEncryptResponse>({
    access: ({ CiphertextBlob = new Uint8Array(), DestinationKeyId = "", SourceEncryptionContext, DestinationEncryptionContext }, call) => [
      accessOf(kms, { action: "ReEncryptFrom", keyId: keyOf(CiphertextBlob), call, context: contextKeys(SourceEncryptionContext) }),
      accessOf(kms, { action: "ReEncryptTo", keyId: DestinationKeyId, call, context: contextKeys(DestinationEncryptionContext) }),
    ],
    run(input, call) {
      const { CiphertextBlob: blob = new Uint8Array(), DestinationEncryptionContext: context = {} } = input;
      const { key: source, plaintext } = open(kms, call, { blob, keyId: input.SourceKeyId, context: input.SourceEncryptionContext });
      const key = findUsable(kms, input.DestinationKeyId, call);
      return {
        CiphertextBlob: encrypt(key, plaintext, { context, random: kms.core.random }),
        SourceKeyId: keyArn(source),
        KeyId: keyArn(key),
        SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
        DestinationEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
      };
    },
  });

function dataKey(
  kms: Kms,
  call: Call,
  { KeyId, KeySpec, NumberOfBytes, EncryptionContext: context = {} }: GenerateDataKeyRequest,
): Required<Pick<GenerateDataKeyResponse, "CiphertextBlob" | "Plaintext" | "KeyId">> {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) throw validation("Please specify either number of bytes or key spec.");
  const bytes = NumberOfBytes ?? (KeySpec === "AES_128" ? 16 : 32);
  if (bytes < 1 || bytes > MOST_RANDOM) throw validation(`NumberOfBytes must be between 1 and ${MOST_RANDOM}.`);
  const key = findUsable(kms, KeyId, call);
  const plaintext = new Uint8Array(Buffer.from(kms.core.random.hex(bytes * 2), "hex"));
  return { Plaintext: plaintext, CiphertextBlob: encrypt(key, plaintext, { context, random: kms.core.random }), KeyId: keyArn(key) };
}

const generateDataKey = (kms: Kms) =>
  operation<GenerateDataKeyRequest, GenerateDataKeyResponse>({
    access: accessToKey(kms, "GenerateDataKey", ({ EncryptionContext: context }) => contextKeys(context)),
    run: (input, call) => dataKey(kms, call, input),
  });

const generateWithoutPlaintext = (kms: Kms) =>
  operation<GenerateDataKeyRequest, GenerateDataKeyWithoutPlaintextResponse>({
    access: accessToKey(kms, "GenerateDataKeyWithoutPlaintext", ({ EncryptionContext: context }) => contextKeys(context)),
    run(input, call) {
      const { CiphertextBlob, KeyId } = dataKey(kms, call, input);
      return { CiphertextBlob, KeyId };
    },
  });

const generateRandom = ({ core }: Kms) =>
  operation<GenerateRandomRequest, GenerateRandomResponse>({
    access: () => [{ action: "kms:GenerateRandom", resource: "*" }],
    run({ NumberOfBytes: bytes = 0 }) {
      if (bytes < 1 || bytes > MOST_RANDOM) throw validation(`NumberOfBytes must be between 1 and ${MOST_RANDOM}.`);
      return { Plaintext: new Uint8Array(Buffer.from(core.random.hex(bytes * 2), "hex")) };
    },
  });

interface KeyUse {
  readonly KeyId: string;
  readonly Action: "GenerateDataKey" | "Decrypt" | "Encrypt" | "DescribeKey" | "CreateGrant";
}

/** Asked by services that keep data under a key: whether the caller may use it so. No client can reach it. */
const describeKeyUse = (kms: Kms) =>
  operation<KeyUse, { KeyId: string }>({
    access: ({ KeyId, Action }, call): readonly Access[] => [accessOf(kms, { action: Action, keyId: KeyId, call })],
    run: ({ KeyId }, call) => ({ KeyId: keyArn(findUsable(kms, KeyId, call)) }),
  });

/** What keys are for. */
export const cryptographyOperations = (kms: Kms): Readonly<Record<string, AnyOperation>> => ({
  Decrypt: decryptOperation(kms),
  DescribeKeyUse: describeKeyUse(kms),
  Encrypt: encryptOperation(kms),
  GenerateDataKey: generateDataKey(kms),
  GenerateDataKeyWithoutPlaintext: generateWithoutPlaintext(kms),
  GenerateRandom: generateRandom(kms),
  ReEncrypt: reEncrypt(kms),
});
