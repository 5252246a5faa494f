import type { Readable } from "node:stream";
import { errors, request as send } from "undici";
import type { Dispatcher } from "undici";
import type { ProxySettings } from "../../kit/proxy.ts";
import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { errorFromAnswer, errorFromNetwork, RegistryError } from "../errors.ts";
import { Authorization } from "./authorization.ts";
import type { Scopes } from "./authorization.ts";
import { readRetryAfter } from "./backoff.ts";
import { BlobConnections } from "./blob-connections.ts";
import { CONNECT_TIMEOUT_MS, connections } from "./connections.ts";
import { withoutSecrets } from "./credentials.ts";
import type { CredentialProvider } from "./credentials.ts";
import { Gate, Pace } from "./gate.ts";
import { advised, Patience } from "./patience.ts";
import type { PatienceOptions } from "./patience.ts";
import { tokenFetcher } from "./token.ts";
import { type Transport, whereRead } from "./transport.ts";

/** One request to a registry. */
export interface RegistryRequest {
  readonly registry: string;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Where to: the whole address. */
  readonly url: URL;
  readonly scopes: Scopes;
  /** A verb phrase for errors. */
  readonly doing: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | AsyncIterable<Uint8Array>;
  /** The statuses that are no error. */
  readonly expect: readonly number[];
  readonly context: RequestContext;
  /** Whether the body is read piece by piece, and each is done with when the next is asked for: that can be faster. */
  readonly isLent?: boolean;
}

/** What belongs to the work that a request is part of. */
export interface RequestContext {
  readonly signal?: AbortSignal;
  /** Called for each request to the registry; not for those that only ask who we are. */
  readonly onRequest?: () => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Must be read to its end or given up by `dump`. */
  readonly body: AnswerBody;
  /** Where it came from, after redirects. */
  readonly url: URL;
}

/** What an answer brings after its head, to be read once. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  text(): Promise<string>;
  /** Reads it to its end, or gives it up where that takes less. */
  dump(): Promise<void>;
  destroy(): unknown;
}

export interface ExchangeOptions extends PatienceOptions {
  readonly transport: Transport;
  readonly credentials: CredentialProvider;
  /** Requests to one registry at a time, those that read and those that write each. */
  readonly requestsPerRegistry: number;
  /** How often manifests are stored in one registry. Undefined: as often as it goes. */
  readonly manifestPutsPerSecond: number | undefined;
  /** Connections over which one large blob is read at the same time. */
  readonly rangesPerBlob: number;
  readonly advice?: Advice | undefined;
  /** How the network lets its users out. @default - directly */
  readonly proxy?: ProxySettings | undefined;
  /** How long a registry may be silent that has nothing to fetch or to hash first. */
  readonly silenceMs: number;
}

/** What a user can do about an error, of a registry that was asked with credentials or without any; undefined where its own words are enough. */
export type Advice = (error: RegistryError, asked: { readonly withCredentials: boolean }) => string | undefined;

const MOST_REDIRECTS = 5;
/** A registry may hash a whole layer before it answers the last request of an upload, and one that caches fetch it first. */
const HEADERS_TIMEOUT_MS = 300_000;
/** Credentials that are older may have ended meanwhile. */
const LONG_HELD_MS = 600_000;

/** Sends requests to registries: authorized, a limited number at a time, again where it is worth it. */
export class Exchange {
  readonly patience: Patience;
  readonly #options: ExchangeOptions;
  readonly #dispatcher: Dispatcher;
  /** Undefined behind a proxy. */
  readonly #blobs: BlobConnections | undefined;
  readonly #authorization: Authorization;
  readonly #gates = new Map<string, Gate>();
  readonly #paces = new Map<string, Pace>();

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.patience = new Patience(options);
    this.#dispatcher = connections(options.proxy);
    this.#blobs = options.proxy
      ? undefined
      : new BlobConnections({ connectMs: CONNECT_TIMEOUT_MS, headMs: HEADERS_TIMEOUT_MS, bodyMs: options.silenceMs });
    this.#authorization = new Authorization({
      credentials: options.credentials,
      clock: options.clock,
      ping: (registry) => this.#ping(registry),
      fetchToken: (ask) =>
        this.patience.again(() =>
          tokenFetcher({ dispatcher: this.#dispatcher, clock: options.clock, silenceMs: options.silenceMs })(ask).catch(
            asRegistryError(ask.registry, `ask ${ask.realm.host} for a token`),
          ),
        ),
    });
  }

  /** Sends a request that may be sent again: after 429, 5xx and broken connections, with growing waits. */
  async send(ask: RegistryRequest): Promise<Answer> {
    return this.patience.again(() => this.sendOnce(ask), ask.context.signal);
  }

  /** Sends a request that may not simply be sent again, or whose caller counts the tries. */
  async sendOnce(ask: RegistryRequest): Promise<Answer> {
    await this.#paceOf(ask)?.turn(ask.context.signal);
    return this.#gate(ask).pass(() => this.#authorized(ask).catch((error: unknown) => this.#advised(error)), ask.context.signal);
  }

  #advised(error: unknown): never {
    if (!(error instanceof RegistryError)) throw error;
    const advice = this.#options.advice?.(error, { withCredentials: this.#authorization.hasCredentials(error.registry) });
    throw advice === undefined ? error : advised(error, advice);
  }

  get rangesPerBlob(): number {
    return this.#options.rangesPerBlob;
  }

  get transport(): Transport {
    return this.#options.transport;
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#blobs?.close();
    await this.#dispatcher.destroy();
  }

  async #ping(registry: string): Promise<string | undefined> {
    const { origin, elsewhere } = this.#options.transport(registry);
    const doing = `reach the registry${whereRead(elsewhere)}`;
    return this.patience.again(async () => {
      const options = { dispatcher: this.#dispatcher, method: "GET" as const, headersTimeout: this.#options.silenceMs };
      const answer = await send(new URL("/v2/", origin), options).catch(asRegistryError(registry, doing));
      await answer.body.dump();
      if (answer.statusCode >= 500 || answer.statusCode === 429) throw this.#failed({ registry, doing }, answer, "");
      return answer.statusCode === 401 ? one(answer.headers["www-authenticate"]) : undefined;
    });
  }

  async #authorized(ask: RegistryRequest): Promise<Answer> {
    const header = await this.#authorization.header(ask.registry, ask.scopes);
    const first = await this.#follow(ask, header);
    if (ask.expect.includes(first.status)) return first;
    const failure = await this.#failure(ask, first, header);
    const renewed = await this.#renewed(ask, { header, answer: first, failure });
    if (renewed === undefined) throw failure;
    if (isStream(ask.body)) throw new RegistryError({ kind: "unavailable", ...pick(ask), says: "the token ended before the upload did" });
    const second = await this.#follow(ask, renewed);
    if (ask.expect.includes(second.status)) return second;
    throw await this.#failure(ask, second, renewed);
  }

  /**
   * The header for one more try: of a registry that asks who we are, or of one that forbids what it allowed before. ECR
   * answers so for a token that has ended; to a HEAD without saying why, so that an old one is renewed to be sure.
   */
  async #renewed({ registry, scopes, method }: RegistryRequest, { header, answer, failure }: Turned): Promise<string | undefined> {
    const { origin } = this.#options.transport(registry);
    // Who the registry points to may ask for its password as well.
    if (answer.url.origin !== origin) return undefined;
    if (answer.status === 401)
      return this.#authorization.renewed(registry, scopes, { header, wwwAuthenticate: answer.headers["www-authenticate"] ?? "" });
    if (answer.status !== 403 || header === undefined) return undefined;
    if (/token has expired/i.test(failure.says)) return this.#authorization.renewed(registry, scopes, { header });
    return method === "HEAD" ? this.#authorization.renewed(registry, scopes, { header, heldLongerThanMs: LONG_HELD_MS }) : undefined;
  }

  /** Follows redirects of reads. Only the registry itself gets the Authorization header, never whom it points to. */
  async #follow(ask: RegistryRequest, authorization: string | undefined): Promise<Answer> {
    const { origin } = this.#options.transport(ask.registry);
    let url = ask.url;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
      const answer = await this.#request(ask, url, url.origin === origin ? authorization : undefined);
      const location = answer.headers["location"];
      if (!isRead(ask) || ![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      await answer.body.dump();
      if (!URL.canParse(location, url.href))
        throw new RegistryError({ kind: "refused", ...pick(ask), says: `it redirects to "${location}", which is no address` });
      url = new URL(location, url);
    }
    throw new RegistryError({ kind: "refused", ...pick(ask), says: `it redirects more than ${MOST_REDIRECTS} times` });
  }

  async #request(ask: RegistryRequest, url: URL, authorization: string | undefined): Promise<Answer> {
    ask.context.onRequest?.();
    const headers = { ...ask.headers, ...(authorization === undefined ? {} : { authorization }) };
    const { signal } = ask.context;
    const lent = ask.isLent
      ? await this.#blobs?.ask({ url, headers, signal }).catch(asRegistryError(ask.registry, ask.doing, signal))
      : undefined;
    if (lent) return { ...lent, url };
    // undici sends any AsyncIterable; its types name Readable alone.
    const body = (ask.body ?? null) as Buffer | Readable | null;
    const limits = {
      dispatcher: this.#dispatcher,
      headersTimeout: isQuick(ask) ? this.#options.silenceMs : HEADERS_TIMEOUT_MS,
      bodyTimeout: this.#options.silenceMs,
    };
    const options = { ...limits, method: ask.method, headers, body };
    const answer = await send(url, { ...options, ...(signal ? { signal } : {}) }).catch(asRegistryError(ask.registry, ask.doing, signal));
    const plain = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, one(value)]));
    return { status: answer.statusCode, headers: plain, body: answer.body, url };
  }

  /** The error for an answer that nobody expects; one that asks for patience is kept to by all. */
  async #failure(ask: RegistryRequest, answer: Answer, header: string | undefined): Promise<RegistryError> {
    const body = withoutSecrets(await answer.body.text().catch(() => ""), header);
    const error = this.#failed(ask, { statusCode: answer.status, headers: answer.headers }, body);
    if (error.retryAfterMs !== undefined && error.temporary) this.#hold(ask.registry, error.retryAfterMs);
    return error;
  }

  #failed(
    ask: Pick<RegistryRequest, "registry" | "doing">,
    answer: Pick<Dispatcher.ResponseData, "statusCode" | "headers">,
    body: string,
  ): RegistryError {
    const retryAfterMs = readRetryAfter(one(answer.headers["retry-after"]), this.#options.clock.now());
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    const location = one(answer.headers["location"]);
    const pointed = location === undefined ? {} : { location };
    return errorFromAnswer({ registry: ask.registry, doing: ask.doing, status: answer.statusCode, body, ...wait, ...pointed });
  }

  /** One client that was told to wait makes the others wait too. */
  #hold(registry: string, ms: number): void {
    if (ms > this.#options.retries.longestRetryAfterMs) return;
    for (const method of ["GET", "PUT"] as const) this.#gate({ registry, method }).quietFor(ms);
  }

  #paceOf({ registry, method, url }: RegistryRequest): Pace | undefined {
    const { manifestPutsPerSecond: perSecond, clock } = this.#options;
    if (perSecond === undefined || method !== "PUT" || !url.pathname.includes("/manifests/")) return undefined;
    const pace = this.#paces.get(registry) ?? new Pace(perSecond, clock);
    this.#paces.set(registry, pace);
    return pace;
  }

  /** Reads and writes have a gate each: an upload that waits for its source must not keep that source waiting. */
  #gate(ask: Pick<RegistryRequest, "registry" | "method">): Gate {
    const key = `${ask.registry} ${isRead(ask) ? "read" : "write"}`;
    const gate = this.#gates.get(key) ?? new Gate(this.#options.requestsPerRegistry, this.#options.clock);
    this.#gates.set(key, gate);
    return gate;
  }
}

/** A request that was turned down. */
interface Turned {
  readonly header: string | undefined;
  readonly answer: Answer;
  readonly failure: RegistryError;
}

const pick = ({ registry, doing }: RegistryRequest): Pick<RegistryRequest, "registry" | "doing"> => ({ registry, doing });

const isRead = ({ method }: Pick<RegistryRequest, "method">): boolean => method === "GET" || method === "HEAD";

/** Whether the answer is small and there or not: ECR's cache fetches images, and every registry that caches, layers. */
const isQuick = (ask: RegistryRequest): boolean =>
  isRead(ask) && !ask.url.pathname.includes("/blobs/") && readPrivateEcrHost(ask.registry) === undefined;

const isStream = (body: RegistryRequest["body"]): boolean => body !== undefined && !Buffer.isBuffer(body);

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(", ") : value);

/** Broken connections, names that do not resolve and timeouts, as errors that say whose registry it was. */
export function asRegistryError(registry: string, doing: string, signal?: AbortSignal): (error: unknown) => never {
  return (cause) => {
    if (cause instanceof RegistryError) throw cause;
    signal?.throwIfAborted();
    if (cause instanceof errors.HTTPParserError)
      throw new RegistryError({ kind: "unavailable", registry, doing, says: `its answer is not HTTP (${cause.message})`, cause });
    // What has no code is no failure of the network but of the program.
    if (typeof (cause as NodeJS.ErrnoException).code !== "string") throw cause;
    throw errorFromNetwork(registry, doing, cause);
  };
}
