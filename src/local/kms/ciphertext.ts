import { createCipheriv, createDecipheriv } from "node:crypto";

import type { Random } from "../../kit/random.ts";
import { invalidCiphertext } from "./errors.ts";
import { type Key, keyArn } from "./store.ts";

/** `aws:s3:arn` → …; what was named at encryption must be named again at decryption. */
export type EncryptionContext = Readonly<Record<string, string>>;

const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts with AES-256-GCM. The blob names its key: version, length and text of the ARN, IV, tag, ciphertext. */
export function encrypt(
  key: Key,
  plaintext: Uint8Array,
  { context, random }: { readonly context: EncryptionContext; readonly random: Random },
): Uint8Array {
  const iv = Buffer.from(random.hex(IV_BYTES * 2), "hex");
  const arn = Buffer.from(keyArn(key));
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(key.material, "base64"), iv);
  cipher.setAAD(canonical(context));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return new Uint8Array(Buffer.concat([Buffer.from([VERSION, arn.length]), arn, iv, cipher.getAuthTag(), body]));
}

/** The ARN of the key a blob was encrypted with. @throws AwsError InvalidCiphertextException */
export function keyOf(blob: Uint8Array): string {
  const end = 2 + (blob[1] ?? 0);
  if (blob[0] !== VERSION || blob.length < end + IV_BYTES + TAG_BYTES) throw invalidCiphertext();
  return Buffer.from(blob.subarray(2, end)).toString();
}

/** @throws AwsError InvalidCiphertextException for a changed blob or another encryption context */
export function decrypt(key: Key, blob: Uint8Array, context: EncryptionContext): Uint8Array {
  const start = 2 + (blob[1] ?? 0);
  const iv = blob.subarray(start, start + IV_BYTES);
  const tag = blob.subarray(start + IV_BYTES, start + IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key.material, "base64"), iv);
  decipher.setAAD(canonical(context));
  decipher.setAuthTag(tag);
  try {
    return new Uint8Array(Buffer.concat([decipher.update(blob.subarray(start + IV_BYTES + TAG_BYTES)), decipher.final()]));
  } catch {
    throw invalidCiphertext();
  }
}

const canonical = (context: EncryptionContext): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));
