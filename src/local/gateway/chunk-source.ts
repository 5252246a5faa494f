import { AwsError } from "./aws-error.ts";

/** A stream of bytes read alternately by line and by count. */
export interface ChunkSource {
  /** The next line without its CRLF. @throws AwsError IncompleteBody when the stream ends first */
  line(): Promise<string>;
  /** The same; undefined when the stream has ended. */
  lineOrEnd(): Promise<string | undefined>;
  /** Takes a CRLF. @throws AwsError when something else stands there */
  lineBreak(): Promise<void>;
  /** The next `count` bytes, in pieces as they arrive. @throws AwsError IncompleteBody when the stream ends first */
  take(count: number): AsyncGenerator<Buffer>;
}

// A chunk header has at most 12 digits and an 81-character signature; a trailer a name and a checksum.
const LONGEST_LINE = 16_384;

/** Reads a stream by line and by count, holding no more of it than one piece. */
export function readChunkSource(stream: AsyncIterable<Uint8Array>): ChunkSource {
  const pieces = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  /** Whether there is something in `rest`. */
  async function fill(): Promise<boolean> {
    while (rest.length === 0) {
      const { done, value } = await pieces.next();
      if (done) return false;
      rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return true;
  }

  async function lineOrEnd(): Promise<string | undefined> {
    let line = "";
    while (await fill()) {
      const end = rest.indexOf(0x0a);
      line += rest.toString("latin1", 0, end < 0 ? rest.length : end);
      rest = rest.subarray(end < 0 ? rest.length : end + 1);
      if (end >= 0) return line.endsWith("\r") ? line.slice(0, -1) : line;
      if (line.length > LONGEST_LINE) throw new AwsError(400, "InvalidRequest", "A line of the aws-chunked body is too long.");
    }
    return line === "" ? undefined : line;
  }

  async function line(): Promise<string> {
    const read = await lineOrEnd();
    if (read === undefined) throw incomplete();
    return read;
  }

  return {
    line,
    lineOrEnd,
    async lineBreak() {
      const read = await line();
      if (read !== "") throw new AwsError(400, "InvalidRequest", "A chunk of the aws-chunked body is longer than its header says.");
    },
    async *take(count) {
      for (let left = count; left > 0; ) {
        if (!(await fill())) throw incomplete();
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.length);
        left -= piece.length;
        yield piece;
      }
    },
  };
}

const incomplete = (): AwsError => new AwsError(400, "IncompleteBody", "The request body terminated unexpectedly");
