import { validateHeaderName, validateHeaderValue } from "node:http";
import { errors } from "undici";
import { type BlobAnswer, BlobConnection, type TimeLimits } from "./blob-connection.ts";

/** A GET of a blob. */
export interface BlobQuestion {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Connections for blobs alone, to any number of registries; kept for further questions. */
export class BlobConnections {
  readonly #limits: TimeLimits;
  readonly #all = new Set<BlobConnection>();
  readonly #idle = new Map<string, BlobConnection[]>();
  /** Hosts that say no lengths. */
  readonly #declined = new Set<string>();

  constructor(limits: TimeLimits) {
    this.#limits = limits;
  }

  /**
   * Asks for a blob, over a connection of its own.
   * @returns undefined where the answer, or an earlier one of the same host, says no length of its own
   * @throws undici's and Node's errors of connections; the signal's reason
   */
  async ask(question: BlobQuestion): Promise<BlobAnswer | undefined> {
    const { origin } = question.url;
    if (this.#declined.has(origin)) return undefined;
    question.signal?.throwIfAborted();
    const answer = await this.#asked(question, requestHead(question));
    if (!answer) this.#declined.add(origin);
    return answer;
  }

  /** Ends all connections. */
  close(): void {
    for (const connection of this.#all) connection.destroy();
    this.#all.clear();
  }

  async #asked({ url, signal }: BlobQuestion, head: string): Promise<BlobAnswer | undefined> {
    const kept = this.#kept(url.origin);
    if (kept) {
      try {
        return await kept.ask(head, signal);
      } catch (error) {
        signal?.throwIfAborted();
        // The registry may have ended it just before it was asked.
        if (!isClosed(error)) throw error;
      }
    }
    return this.#opened(url).ask(head, signal);
  }

  #kept(origin: string): BlobConnection | undefined {
    const idle = this.#idle.get(origin) ?? [];
    for (let kept = idle.pop(); kept; kept = idle.pop()) if (kept.isOpen) return kept;
    return undefined;
  }

  #opened({ origin }: URL): BlobConnection {
    const idle = this.#idle.get(origin) ?? [];
    this.#idle.set(origin, idle);
    const connection = new BlobConnection(new URL(origin), this.#limits, {
      onIdle: (left) => void idle.push(left),
      onClose: (closed) => void this.#all.delete(closed),
    });
    this.#all.add(connection);
    return connection;
  }
}

const isClosed = (error: unknown): boolean =>
  error instanceof errors.SocketError || ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "");

/** @throws TypeError for a header that would end before it should */
function requestHead({ url: { host, pathname, search }, headers }: BlobQuestion): string {
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return `${name}: ${value}\r\n`;
  });
  return `GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
