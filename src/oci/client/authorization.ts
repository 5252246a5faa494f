import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import type { Clock } from "../../kit/clock.ts";
import { RegistryError } from "../errors.ts";
import { readChallenges } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import { basic } from "./credentials.ts";
import type { CredentialProvider, Credentials } from "./credentials.ts";
import type { FetchToken, Token } from "./token.ts";

/** What may be done with repositories: `repository:library/ubuntu:pull`, more than one where a blob is mounted. */
export type Scopes = readonly string[];

export interface AuthorizationOptions {
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
  /** Asks `/v2/` of the registry and returns its WWW-Authenticate header; undefined where it lets everybody in. */
  readonly ping: (registry: string) => Promise<string | undefined>;
  readonly fetchToken: FetchToken;
}

/** What is known of one registry. */
interface Known {
  challenge: Promise<Challenge | undefined>;
  /** When the challenge could not be learned. */
  failedAtMs?: number;
  credentials?: Promise<Credentials | undefined> | undefined;
  credentialsAtMs?: number;
  /** When a credential program failed. */
  credentialsFailedAtMs?: number | undefined;
  hasCredentials?: boolean;
  readonly tokens: Map<string, Promise<Token>>;
}

/** Who asks a registry, or for its credentials, just after that was in vain is told the same: a hundred images would wait one after another. */
const IN_VAIN_MS = 5000;

/** A token this close to its end is not used any more: the request takes time too. */
const MARGIN_MS = 10_000;

/** Who asks, for each registry: its challenge is learned once, tokens are kept for each scope until they end. */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #registries = new Map<string, Known>();

  constructor(options: AuthorizationOptions) {
    this.#options = options;
  }

  /** The Authorization header for a request; undefined where the registry wants none. */
  async header(registry: string, scopes: Scopes): Promise<string | undefined> {
    const challenge = await this.#of(registry).challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") return basic(await this.#credentials(registry));
    return `Bearer ${(await this.#token(registry, scopes, challenge)).value}`;
  }

  /**
   * The header for one more try after a refusal: what another request has got since, a fresh token, or credentials asked
   * for anew.
   * @returns undefined where another try would be refused as well
   */
  async renewed(
    registry: string,
    scopes: Scopes,
    { header: refused, wwwAuthenticate, heldLongerThanMs = 0 }: Refused,
  ): Promise<string | undefined> {
    const known = this.#of(registry);
    const challenge = wwwAuthenticate === undefined ? await known.challenge : chooseChallenge(wwwAuthenticate);
    if (challenge === undefined) return undefined;
    known.challenge = Promise.resolve(challenge);
    const current = await this.header(registry, scopes);
    if (current !== refused) return current;
    if (this.#ageMs(known) < heldLongerThanMs) return undefined;
    known.tokens.delete(keyOf(scopes));
    if (refused !== undefined) known.credentials = undefined;
    const header = await this.header(registry, scopes);
    return header === refused ? undefined : header;
  }

  /** Whether the registry was asked by somebody that it can know. */
  hasCredentials(registry: string): boolean {
    return this.#registries.get(registry)?.hasCredentials === true;
  }

  #ageMs({ credentialsAtMs = 0 }: Known): number {
    return this.#nowMs() - credentialsAtMs;
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }

  #of(registry: string): Known {
    const known = this.#registries.get(registry);
    const { failedAtMs = Number.POSITIVE_INFINITY } = known ?? {};
    if (known && this.#nowMs() - failedAtMs < IN_VAIN_MS) return known;
    const fresh: Known = { challenge: this.#learn(registry), tokens: new Map() };
    this.#registries.set(registry, fresh);
    fresh.challenge.catch(() => (fresh.failedAtMs = this.#nowMs()));
    return fresh;
  }

  async #learn(registry: string): Promise<Challenge | undefined> {
    // ECR takes the password at once: its hosts need no question first.
    if (readPrivateEcrHost(registry)) return { scheme: "basic", parameters: {} };
    const header = await this.#options.ping(registry);
    return header === undefined ? undefined : chooseChallenge(header);
  }

  #credentials(registry: string): Promise<Credentials | undefined> {
    const known = this.#of(registry);
    const { credentialsFailedAtMs: failedAtMs = Number.POSITIVE_INFINITY } = known;
    if (known.credentials && this.#nowMs() - failedAtMs < IN_VAIN_MS) return known.credentials;
    const found = this.#options.credentials(registry);
    known.credentials = found;
    known.credentialsAtMs = this.#nowMs();
    known.credentialsFailedAtMs = undefined;
    void found.then(
      (credentials) => (known.hasCredentials = credentials !== undefined),
      () => undefined,
    );
    found.catch(() => known.credentials === found && (known.credentialsFailedAtMs = this.#nowMs()));
    return found;
  }

  async #token(registry: string, scopes: Scopes, challenge: Challenge): Promise<Token> {
    const { tokens } = this.#of(registry);
    const key = keyOf(scopes);
    for (let pending = tokens.get(key); pending !== undefined; pending = tokens.get(key)) {
      const kept = await pending;
      if (kept.expiresAtMs - MARGIN_MS > this.#nowMs()) return kept;
      if (tokens.get(key) === pending) break;
    }
    const asked = this.#ask(registry, scopes, challenge);
    tokens.set(key, asked);
    asked.catch(() => tokens.delete(key));
    return asked;
  }

  async #ask(registry: string, scopes: Scopes, { parameters }: Challenge): Promise<Token> {
    const { realm = "", service } = parameters;
    if (!URL.canParse(realm))
      throw new RegistryError({
        kind: "refused",
        registry,
        doing: "ask for a token",
        says: `its challenge names no address for tokens ("${realm}")`,
      });
    const credentials = await this.#credentials(registry);
    try {
      return await this.#options.fetchToken({ registry, realm: new URL(realm), service, scopes, credentials });
    } catch (error) {
      // The password may have been changed since it was read.
      if (error instanceof RegistryError && error.kind === "denied") this.#of(registry).credentials = undefined;
      throw error;
    }
  }
}

/** What a registry refused, and what it asks for. */
export interface Refused {
  /** The Authorization header that was sent. */
  readonly header: string | undefined;
  /** Absent where it asks for nothing new. */
  readonly wwwAuthenticate?: string;
  /** Credentials that have been known for a shorter time are not asked for anew. @default 0 */
  readonly heldLongerThanMs?: number;
}

const keyOf = (scopes: Scopes): string => scopes.toSorted().join(" ");

function chooseChallenge(header: string): Challenge | undefined {
  const challenges = readChallenges(header);
  return challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
}
