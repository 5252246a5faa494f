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
  const buffer = new PieceBuffer(stream);
  const line = async (): Promise<string> => {
    const read = await buffer.line();
    if (read === undefined) throw incomplete();
    return read;
  };
  return {
    line,
    lineOrEnd: () => buffer.line(),
    async lineBreak() {
      if ((await line()) !== "")
        throw new AwsError(400, "InvalidRequest", "A chunk of the aws-chunked body is longer than its header says.");
    },
    async *take(count) {
      for (let left = count; left > 0;) {
        const piece = await buffer.piece(left);
        if (!piece) throw incomplete();
        left -= piece.length;
        yield piece;
      }
    },
  };
}

/** What has arrived and was not read. */
class PieceBuffer {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** The next line without its CRLF; undefined at the end. */
  async line(): Promise<string | undefined> {
    let line = "";
    while (await this.#fill()) {
      const end = this.#rest.indexOf(0x0a);
      line += this.#take(end < 0 ? this.#rest.length : end + 1).toString("latin1");
      if (end >= 0) return line.replace(/\r?\n$/, "");
      if (line.length > LONGEST_LINE) throw new AwsError(400, "InvalidRequest", "A line of the aws-chunked body is too long.");
    }
    return line === "" ? undefined : line;
  }

  /** At most `longest` bytes; undefined at the end. */
  async piece(longest: number): Promise<Buffer | undefined> {
    return (await this.#fill()) ? this.#take(longest) : undefined;
  }

  #take(longest: number): Buffer {
    const taken = this.#rest.subarray(0, longest);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done) return false;
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return true;
  }
}

const incomplete = (): AwsError => new AwsError(400, "IncompleteBody", "The request body terminated unexpectedly");
