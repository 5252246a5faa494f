import { type FileHandle, open, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import type { BlobStore, ByteRange } from "../../storage/blobs.ts";
import type { Layer } from "../store.ts";

type Stored = Pick<Layer, "sha256" | "size">;

/** A layer on its way here from upstream, readable meanwhile: its last bytes come only once all are proved to be right. */
export interface ArrivingLayer extends Pick<Layer, "digest" | "size"> {
  /** Resolves when the layer is stored. @throws what the source throws, DiskFull; then nothing is kept */
  readonly stored: Promise<Stored>;
  /** Resolves when there is something to read from an offset on. @throws what ends the arrival before */
  reaches(offset: number): Promise<void>;
  /** The bytes as they come; the stream breaks where the arrival does. */
  open(range?: ByteRange): Readable;
}

/** A layer that is somewhere else. */
export interface LayerSource extends Pick<Layer, "digest" | "size"> {
  /**
   * Writes it to a file; the last bytes only when all are proved to be those of the digest.
   * @param onWritten told of bytes that are in the file
   * @returns the SHA-256 of the bytes, in hex
   */
  writeTo(file: string, onWritten: (bytes: number) => void): Promise<string>;
}

/**
 * Begins to receive a layer. Its source proves the digest.
 * @param turn runs the work when it is this layer's turn
 */
export function receiveLayer(
  blobs: BlobStore,
  source: LayerSource,
  turn: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
): ArrivingLayer {
  const { digest, size } = source;
  const file = blobs.scratch();
  const growth = new Growth();
  const stored = turn(() => receive({ blobs, source, file, growth }));
  // Told to whoever waits for it; nobody need.
  stored.catch(() => undefined);
  const opened = async () => (await open(file).catch(() => undefined)) ?? open(blobs.path((await stored).sha256));
  return {
    digest,
    size,
    stored,
    reaches: (offset) => growth.reaches(Math.min(offset + 1, size)),
    open: ({ start, end } = { start: 0, end: size - 1 }) => Readable.from(bytesOf({ opened, growth, start, end }), { objectMode: false }),
  };
}

interface Receiving {
  readonly blobs: BlobStore;
  readonly source: LayerSource;
  readonly file: string;
  readonly growth: Growth;
}

async function receive(receiving: Receiving): Promise<Stored> {
  try {
    const stored = await store(receiving);
    receiving.growth.end();
    return stored;
  } catch (error) {
    // Nothing is waited for after this: who is told of it may ask again at once, and is not to find this arrival.
    receiving.growth.end(error);
    throw error;
  }
}

async function store({ blobs, source, file, growth }: Receiving): Promise<Stored> {
  try {
    const sha256 = await source.writeTo(file, (bytes) => growth.by(bytes));
    await blobs.adopt(file, sha256);
    return { sha256, size: source.size };
  } finally {
    await rm(file, { force: true });
  }
}

/** How much of a file is there, for those who read while it is written. */
class Growth {
  bytes = 0;
  #ending: { readonly failure?: unknown } | undefined;
  #waiting: (() => void)[] = [];

  by(bytes: number): void {
    this.bytes += bytes;
    this.#wake();
  }

  /** There is no more to come. */
  end(failure?: unknown): void {
    this.#ending = failure === undefined ? {} : { failure };
    this.#wake();
  }

  /** Resolves when the file has so many bytes. @throws what ended it before */
  async reaches(bytes: number): Promise<void> {
    while (this.bytes < bytes) {
      if (this.#ending) throw this.#ending.failure ?? new Error("the layer ended early");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

interface Reading extends ByteRange {
  readonly growth: Growth;
  opened(): Promise<FileHandle>;
}

const READ_BYTES = 256 * 1024;

async function* bytesOf({ opened, growth, start, end }: Reading): AsyncGenerator<Buffer> {
  if (end < start) return;
  await growth.reaches(start + 1);
  const file = await opened();
  try {
    for (let at = start; at <= end;) {
      await growth.reaches(at + 1);
      const length = Math.min(READ_BYTES, growth.bytes - at, end + 1 - at);
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafeSlow(length), position: at });
      if (bytesRead === 0) throw new Error("the layer is shorter than it was");
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
