import type { Random } from "../../../kit/random.ts";

/** A number in [0, 1) with 48 random bits. */
export const randomFraction = (random: Random): number => Number.parseInt(random.hex(12), 16) / 2 ** 48;
