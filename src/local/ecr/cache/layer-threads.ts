import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { errorOf, type FromThread, type LayerOrder, type ToThread } from "./layer-orders.ts";

/** Threads that bring layers from upstream: one process would read, hash and write them no faster than one core can. */
export interface LayerThreads {
  /**
   * Brings a layer into the order's file, of which there may be anything after a failure.
   * @param onWritten told of bytes that are in the file. The last ones are so only when all are proved to be right.
   * @returns the SHA-256 of the bytes, in hex
   * @throws RegistryError, DiskFull, and what the signal says
   */
  bring(order: LayerOrder, onWritten: (bytes: number) => void, signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** More of them wait for disk and network, not for each other. */
const MOST_THREADS = 4;

/** Threads start when there is a layer for them. */
export function layerThreads(): LayerThreads {
  const threads: LayerThread[] = [];
  const most = Math.min(availableParallelism(), MOST_THREADS);
  const free = (): LayerThread => {
    const idlest = threads.toSorted((a, b) => a.bytesLeft - b.bytesLeft)[0];
    if (idlest && (idlest.bytesLeft === 0 || threads.length >= most)) return idlest;
    const started = new LayerThread(() => threads.splice(threads.indexOf(started), 1));
    threads.push(started);
    return started;
  };
  return {
    bring: (order, onWritten, signal) => free().bring(order, onWritten, signal),
    async close() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

interface Bringing {
  readonly stored: PromiseWithResolvers<string>;
  onWritten(bytes: number): void;
}

class LayerThread {
  /** Of all that it has to bring. */
  bytesLeft = 0;
  readonly #worker = new Worker(join(import.meta.dirname, `layer-thread${extname(import.meta.filename)}`), { execArgv: ["--no-warnings"] });
  readonly #bringing = new Map<number, Bringing>();
  #asked = 0;

  constructor(onEnd: () => void) {
    this.#worker.on("message", (told: FromThread) => this.#hear(told));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => {
      onEnd();
      this.#fail(new Error("the thread that brought the layer ended"));
    });
  }

  async bring(order: LayerOrder, onWritten: (bytes: number) => void, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const id = this.#asked++;
    const stored = Promise.withResolvers<string>();
    const cancel = () => this.#tell({ id, cancelled: true });
    let left = order.blob.size;
    this.bytesLeft += left;
    this.#bringing.set(id, {
      stored,
      onWritten: (bytes) => {
        this.bytesLeft -= bytes;
        left -= bytes;
        onWritten(bytes);
      },
    });
    signal?.addEventListener("abort", cancel);
    try {
      this.#tell({ id, order });
      return await stored.promise;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#bringing.delete(id);
      this.bytesLeft -= left;
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #tell(told: ToThread): void {
    this.#worker.postMessage(told);
  }

  #hear(told: FromThread): void {
    const bringing = this.#bringing.get(told.id);
    if ("written" in told) bringing?.onWritten(told.written);
    else if ("failed" in told) bringing?.stored.reject(errorOf(told.failed));
    else bringing?.stored.resolve(told.sha256);
  }

  #fail(error: Error): void {
    for (const { stored } of this.#bringing.values()) stored.reject(error);
  }
}
