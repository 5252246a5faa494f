/** What Fn::Cidr is asked for. */
export interface SubnetRequest {
  /** `10.0.0.0/16` or an IPv6 block. */
  readonly block: string;
  readonly count: number;
  /** Bits of a host's address inside each block. @default 8 */
  readonly hostBits?: number;
}

/**
 * The first `count` blocks with `hostBits` bits for hosts inside a block; undefined where the block is not one or they
 * do not fit.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-cidr.html
 */
export function subnets({ block, count, hostBits = 8 }: SubnetRequest): readonly string[] | undefined {
  const parsed = parseBlock(block);
  if (!parsed || !Number.isInteger(count) || count < 1 || count > 256) return undefined;
  const { start, width, prefix } = parsed;
  const length = width - hostBits;
  if (!Number.isInteger(hostBits) || hostBits < 1 || length < prefix || 2n ** BigInt(length - prefix) < BigInt(count)) return undefined;
  const size = 2n ** BigInt(hostBits);
  return Array.from({ length: count }, (_, index) => `${printAddress(start + BigInt(index) * size, width)}/${length}`);
}

interface Block {
  readonly start: bigint;
  readonly width: 32 | 128;
  readonly prefix: number;
}

function parseBlock(text: string): Block | undefined {
  const [address = "", prefixText = ""] = text.split("/");
  const width = address.includes(":") ? 128 : 32;
  const groups = width === 128 ? sixGroups(address) : address.split(".");
  const prefix = Number(prefixText);
  if (!/^\d+$/.test(prefixText) || prefix > width || !groups || groups.length !== (width === 128 ? 8 : 4)) return undefined;
  const bits = width === 128 ? 16n : 8n;
  let start = 0n;
  for (const group of groups) {
    const part = width === 128 ? Number.parseInt(group, 16) : Number(group);
    if (!Number.isInteger(part) || part < 0 || BigInt(part) >= 1n << bits) return undefined;
    start = (start << bits) | BigInt(part);
  }
  const hosts = BigInt(width - prefix);
  return { start: (start >> hosts) << hosts, width, prefix };
}

function sixGroups(address: string): readonly string[] | undefined {
  const [head = "", tail, ...more] = address.split("::");
  if (more.length > 0) return undefined;
  const left = head === "" ? [] : head.split(":");
  if (tail === undefined) return left;
  const right = tail === "" ? [] : tail.split(":");
  return [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
}

function printAddress(address: bigint, width: 32 | 128): string {
  const [count, bits] = width === 128 ? [8, 16n] : [4, 8n];
  const groups = Array.from({ length: count }, (_, index) => (address >> (bits * BigInt(count - 1 - index))) & ((1n << bits) - 1n));
  if (width === 32) return groups.join(".");
  const text = groups.map((group) => group.toString(16)).join(":");
  return text.replace(/(?:^|:)(?:0(?::|$)){2,}/, "::");
}
