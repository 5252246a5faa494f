import type { Random } from "../../kit/random.ts";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Prefixes by which AWS tells the kinds of unique ids apart. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
export type IdPrefix = "AIDA" | "AROA" | "ANPA" | "AKIA" | "ASIA";

/** A new unique id: the prefix and 17 characters, 16 for access keys. */
export function uniqueId(prefix: IdPrefix, random: Random): string {
  const length = prefix === "AKIA" || prefix === "ASIA" ? 16 : 17;
  const bytes = Buffer.from(random.hex(length * 2), "hex");
  return prefix + [...bytes].map((byte) => BASE32[byte % 32]).join("");
}

/** A new secret access key: 40 characters of base64. */
export const newSecret = (random: Random): string => Buffer.from(random.hex(60), "hex").toString("base64");

/** A new session token. */
export const newSessionToken = (random: Random): string => `IQoJ${Buffer.from(random.hex(360), "hex").toString("base64")}`;
