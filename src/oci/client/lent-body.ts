/** What a body asks of its connection. */
export interface BodySource {
  /** Lets more come, after `take` said that it is enough. */
  resume(): void;
  /** Takes memory back that was lent. */
  giveBack(buffer: Uint8Array): void;
  /** Is told once that no more is wanted: of a body that came whole, and nothing behind it, the connection can be used again. */
  leave(isWhole: boolean): void;
}

/** Bytes that came, in the memory that is to be given back for them. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly buffer?: Uint8Array;
}

/** One is with the reader, one may come meanwhile. */
const MOST_PIECES = 2;

/** Errors and redirects say what they have to say in less. */
const LONGEST_TEXT = 1024 * 1024;

/**
 * The body of an answer, in the memory into which the socket was read. To be read once; each chunk is the reader's until
 * it asks for the next one, then its memory is used again.
 */
export class LentBody implements AsyncIterable<Uint8Array> {
  readonly #source: BodySource;
  readonly #pieces: Piece[] = [];
  #missing: number;
  #isLeft = false;
  #isOverfull = false;
  #failure: { readonly error: unknown } | undefined;
  #arrival: PromiseWithResolvers<void> | undefined;

  /** @param length of the whole body, in bytes */
  constructor(length: number, source: BodySource) {
    this.#missing = length;
    this.#source = source;
  }

  /** Takes bytes from the connection. @returns false when the connection is to wait for `resume` */
  take(piece: Piece): boolean {
    this.#isOverfull ||= piece.bytes.byteLength > this.#missing;
    const bytes = piece.bytes.subarray(0, this.#missing);
    this.#missing -= bytes.byteLength;
    this.#pieces.push({ ...piece, bytes });
    this.#arrival?.resolve();
    return this.#pieces.length < MOST_PIECES;
  }

  /** Whether all of it came. */
  get isWhole(): boolean {
    return this.#missing === 0;
  }

  /** No more comes. What came is still read. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#arrival?.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece) {
          yield piece.bytes;
          if (piece.buffer) this.#source.giveBack(piece.buffer);
        } else if (this.isWhole) return;
        else if (this.#failure) throw this.#failure.error;
        else await this.#next();
      }
    } finally {
      this.destroy();
    }
  }

  async text(): Promise<string> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      if ((length += chunk.byteLength) > LONGEST_TEXT) break;
      chunks.push(Uint8Array.from(chunk));
    }
    return Buffer.concat(chunks).toString();
  }

  /** Reads what is left and throws it away; a connection with much of it is given up instead. */
  async dump(): Promise<void> {
    try {
      if (this.#missing <= LONGEST_TEXT) for await (const _ of this);
    } catch {
      // What is thrown away need not come whole.
    }
    this.destroy();
  }

  /** Ends the reading. */
  destroy(): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#source.leave(this.isWhole && !this.#isOverfull && this.#pieces.length === 0);
  }

  async #next(): Promise<void> {
    this.#arrival = Promise.withResolvers();
    this.#source.resume();
    await this.#arrival.promise;
    this.#arrival = undefined;
  }
}
