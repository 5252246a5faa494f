import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { invalidParameter } from "../errors.ts";

/** Whether a text is a digest of a kind the registry knows. */
export const isDigest = (text: string): boolean => /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);

/** The digest of bytes, by the algorithm of the one that is expected. @throws AwsError InvalidParameterException */
export const digestOf = (bytes: Buffer, expected = "sha256:"): string => {
  const algorithm = algorithmOf(expected);
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
};

/** The digest of a file's bytes, by the algorithm of the one that is expected. @throws AwsError InvalidParameterException */
export async function digestOfFile(file: string, expected: string): Promise<string> {
  const algorithm = algorithmOf(expected);
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `${algorithm}:${hash.digest("hex")}`;
}

function algorithmOf(digest: string): "sha256" | "sha512" {
  if (digest.startsWith("sha256:")) return "sha256";
  if (digest.startsWith("sha512:")) return "sha512";
  throw invalidParameter(`at 'imageDigest' failed to satisfy constraint: '${digest} is no digest this registry knows (sha256, sha512)'`);
}
