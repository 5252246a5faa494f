import { randomBytes, randomUUID } from "node:crypto";

/** Randomness as an argument. */
export interface Random {
  /** A version-4 UUID in lower case. */
  uuid(): string;
  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string;
  /** `length` decimal digits, the first of them not 0. */
  digits(length: number): string;
}

/** Randomness of the operating system. */
export const systemRandom: Random = {
  uuid: () => randomUUID(),
  hex: (length) =>
    randomBytes(Math.ceil(length / 2))
      .toString("hex")
      .slice(0, length),
  digits: (length) => {
    const bytes = [...randomBytes(length)];
    return bytes.map((byte, index) => (index === 0 ? 1 + (byte % 9) : byte % 10)).join("");
  },
};
