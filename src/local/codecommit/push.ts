import { Readable } from "node:stream";
import { AwsError } from "../gateway/aws-error.ts";

/** A push whose beginning was read, to be handed on whole. */
export interface Push {
  /** What it moves, makes or deletes: `refs/heads/main`. */
  readonly references: readonly string[];
  readonly body: Readable;
}

const LONGEST_BYTES = 4 * 1024 * 1024;

/**
 * Reads the commands at the beginning of a push: lines of `old new reference`, each with its length in front, up to a flush.
 * @see https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer
 */
export async function readPush(body: Readable): Promise<Push> {
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const references: string[] = [];
  let read = Buffer.alloc(0);
  let at = 0;
  const has = async (bytes: number): Promise<void> => {
    while (read.length < bytes) {
      const { value, done } = await iterator.next();
      if (done || bytes > LONGEST_BYTES) throw new AwsError(400, "InvalidRequest", "the push ends before its list of references does");
      read = Buffer.concat([read, value]);
    }
  };
  for (;;) {
    await has(at + 4);
    const length = Number.parseInt(read.subarray(at, at + 4).toString("latin1"), 16);
    if (!(length === 0 || length >= 4)) throw new AwsError(400, "InvalidRequest", "the push is not in git's protocol");
    if (length === 0) break;
    await has(at + length);
    const [line = ""] = read
      .subarray(at + 4, at + length)
      .toString("utf8")
      .split("\0");
    const [, , reference] = /^[0-9a-f]{40,64} [0-9a-f]{40,64} (\S+)/.exec(line) ? line.trimEnd().split(" ") : [];
    if (reference) references.push(reference);
    at += length;
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield read;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) return;
      yield value;
    }
  }
  return { references, body: Readable.from(whole(), { objectMode: false }) };
}
