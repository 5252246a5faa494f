import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { errors } from "undici";
import { LentBody } from "./lent-body.ts";
import { readPlainHead } from "./plain-head.ts";

/** How long a registry may be silent, in milliseconds. */
export interface TimeLimits {
  readonly connectMs: number;
  readonly headMs: number;
  readonly bodyMs: number;
}

/** Who keeps connections is told of them. */
export interface ConnectionEvents {
  /** An answer has been read to its end, and the next question can be asked. */
  onIdle(connection: BlobConnection): void;
  onClose(connection: BlobConnection): void;
}

export interface BlobAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: LentBody;
}

/** Read at once: more than sockets usually hold, and it fits into a core's cache together with its neighbour. */
const READ_BYTES = 256 * 1024;
const LONGEST_HEAD = 64 * 1024;
/** Registries end idle connections after a while; one that is used just then costs a request. */
const IDLE_MS = 4000;

/**
 * A connection over which a registry sends blobs, one at a time, into few buffers that are used again and again. That is
 * all it knows of HTTP: GET, and answers of a length that they tell.
 */
export class BlobConnection {
  readonly #socket: Socket;
  readonly #limits: TimeLimits;
  readonly #events: ConnectionEvents;
  readonly #free: Uint8Array[] = [];
  #asked: PromiseWithResolvers<BlobAnswer | undefined> | undefined;
  #head: Buffer = Buffer.alloc(0);
  #body: LentBody | undefined;
  #isPaused = false;
  #stopListening: (() => void) | undefined;

  constructor(origin: URL, limits: TimeLimits, events: ConnectionEvents) {
    this.#limits = limits;
    this.#events = events;
    this.#socket = this.#open(origin);
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => {
      this.#fail(new errors.SocketError("other side closed"));
      events.onClose(this);
    });
    this.#socket.on("timeout", () => this.#socket.destroy(this.#timeout()));
  }

  /** Whether a question can be asked. */
  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#asked === undefined && this.#body === undefined;
  }

  /**
   * Asks for a blob.
   * @param head of the request, with the empty line at its end
   * @returns undefined for an answer that says no length of its own: somebody else has to ask again
   * @throws undici's and Node's errors of connections; the signal's reason
   */
  async ask(head: string, signal?: AbortSignal): Promise<BlobAnswer | undefined> {
    this.#asked = Promise.withResolvers();
    const abort = (): void => void this.#socket.destroy(signal?.reason as Error);
    signal?.addEventListener("abort", abort, { once: true });
    this.#stopListening = () => signal?.removeEventListener("abort", abort);
    this.#socket.ref().setTimeout(this.#socket.connecting ? this.#limits.connectMs : this.#limits.headMs);
    this.#socket.write(head);
    return this.#asked.promise;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #open({ protocol, hostname, port }: URL): Socket {
    const host = hostname.replace(/^\[|\]$/g, "");
    const onread = {
      buffer: () => this.#free.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes: number, buffer: Uint8Array) => this.#read(bytes, buffer),
    };
    const isTls = protocol === "https:";
    const to = { host, port: Number(port || (isTls ? 443 : 80)), noDelay: true, onread };
    const socket = isTls ? connectTls({ ...to, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ["http/1.1"] }) : connect(to);
    return socket.once(isTls ? "secureConnect" : "connect", () => socket.setTimeout(this.#limits.headMs));
  }

  /** @returns whether to go on reading; `#resume` does it otherwise */
  #read(length: number, buffer: Uint8Array): boolean {
    const bytes = buffer.subarray(0, length);
    if (this.#body && !this.#body.isWhole) return this.#take(bytes, buffer);
    if (this.#asked) return this.#readHead(Buffer.from(bytes.buffer, bytes.byteOffset, length), buffer);
    // Nobody asked for it.
    this.#socket.destroy();
    return false;
  }

  #take(bytes: Uint8Array, buffer?: Uint8Array): boolean {
    this.#isPaused = this.#body?.take({ bytes, ...(buffer && { buffer }) }) === false;
    // Who keeps the registry waiting is not waited for.
    this.#socket.setTimeout(this.#isPaused ? 0 : this.#limits.bodyMs);
    return !this.#isPaused;
  }

  #readHead(bytes: Buffer, buffer: Uint8Array): boolean {
    const isFirst = this.#head.length === 0;
    this.#head = isFirst ? bytes : Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf("\r\n\r\n");
    const head = end < 0 ? undefined : readPlainHead(this.#head.toString("latin1", 0, end));
    if (!head) return this.#awaitHead(end < 0, buffer);
    const rest = this.#head.subarray(end + 4);
    const { status, headers, length, isKept } = head;
    this.#head = Buffer.alloc(0);
    this.#body = new LentBody(length, {
      resume: () => this.#resume(),
      giveBack: (lent) => void this.#free.push(lent),
      leave: (isWhole) => this.#leave(isWhole && isKept),
    });
    this.#asked?.resolve({ status, headers, body: this.#body });
    this.#asked = undefined;
    if (!isFirst) this.#free.push(buffer);
    return this.#take(rest, isFirst ? buffer : undefined);
  }

  /** The head is not there yet, or none that is understood here. */
  #awaitHead(isUnderWay: boolean, buffer: Uint8Array): boolean {
    if (isUnderWay && this.#head.length < LONGEST_HEAD) {
      this.#head = Buffer.from(this.#head);
      this.#free.push(buffer);
      return true;
    }
    this.#asked?.resolve(undefined);
    this.#asked = undefined;
    this.#socket.destroy();
    return false;
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.setTimeout(this.#limits.bodyMs);
    this.#socket.resume();
  }

  #leave(isUsable: boolean): void {
    this.#body = undefined;
    this.#stopListening?.();
    if (!isUsable) return void this.#socket.destroy();
    this.#resume();
    this.#socket.unref().setTimeout(IDLE_MS);
    this.#events.onIdle(this);
  }

  #timeout(): Error | undefined {
    if (!this.#asked && !this.#body) return undefined;
    if (this.#socket.connecting) return new errors.ConnectTimeoutError("Connect Timeout Error");
    return this.#asked ? new errors.HeadersTimeoutError() : new errors.BodyTimeoutError();
  }

  #fail(error: Error): void {
    this.#asked?.reject(error);
    this.#asked = undefined;
    this.#body?.fail(error);
    this.#stopListening?.();
  }
}
