import { createHash } from "node:crypto";
import type { NameOptions } from "../resource-provider.ts";

/** What a generated name is made of. */
export interface NameParts {
  readonly stack: string;
  readonly logicalId: string;
  /** Anything that is the same for every attempt at one step and differs between steps. */
  readonly token: string;
  readonly limit: number;
}

const SUFFIX_LENGTH = 12;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/**
 * A physical name as CloudFormation generates it: `<stack>-<logical id>-<12 characters>`, both names shortened evenly
 * where the limit asks for it. The same parts give the same name.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-physical-names.html
 */
export function generatedName({ stack, logicalId, token, limit }: NameParts, options: NameOptions = {}): string {
  const foreign = new RegExp(`[^${options.allowed ?? "A-Za-z0-9-"}]`, "g");
  const room = Math.max(0, limit - SUFFIX_LENGTH - 2);
  const [first, second] = shared(stack.replaceAll(foreign, ""), logicalId.replaceAll(foreign, ""), room);
  const name = [first, second, suffix(token)]
    .filter((part) => part !== "")
    .join("-")
    .replaceAll(foreign, "")
    .slice(0, limit);
  return options.lowerCase ? name.toLowerCase() : name;
}

// Each gets half of the room; what one does not need the other may have.
function shared(first: string, second: string, room: number): readonly [string, string] {
  const half = Math.floor(room / 2);
  const forSecond = Math.max(half, room - first.length);
  const forFirst = room - Math.min(second.length, forSecond);
  return [first.slice(0, forFirst), second.slice(0, forSecond)];
}

function suffix(token: string): string {
  const digest = createHash("sha256").update(token).digest();
  return [...digest.subarray(0, SUFFIX_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** The client token of a step: 32 hexadecimal digits made of everything that tells it from others. */
export const stepToken = (parts: readonly (string | number)[]): string =>
  createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
