import { request } from "undici";
import type { Dispatcher } from "undici";
import type { Clock } from "../../kit/clock.ts";
import { errorFromAnswer, RegistryError } from "../errors.ts";
import type { Scopes } from "./authorization.ts";
import { basic, withoutSecrets } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";

/** A registry token and the moment it ends. */
export interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface TokenRequest {
  readonly registry: string;
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: Scopes;
  readonly credentials: Credentials | undefined;
}

export type FetchToken = (ask: TokenRequest) => Promise<Token>;

/** The spec's default for tokens that do not say (distribution spec, token authentication). */
const DEFAULT_SECONDS = 60;

export interface TokenFetcherOptions {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  /** How long the server may be silent. */
  readonly silenceMs: number;
}

/** Asks the authorization server that a registry names, by GET or, with an identity token, by OAuth 2. */
export function tokenFetcher({ dispatcher, clock, silenceMs }: TokenFetcherOptions): FetchToken {
  return async (ask) => {
    const { statusCode, body } = await send(ask, { dispatcher, headersTimeout: silenceMs, bodyTimeout: silenceMs });
    const text = await body.text();
    const { registry } = ask;
    const { credentials } = ask;
    const told = credentials?.kind === "identityToken" ? credentials.token : basic(credentials);
    if (statusCode !== 200)
      throw errorFromAnswer({ registry, doing: `ask ${ask.realm.host} for a token`, status: statusCode, body: withoutSecrets(text, told) });
    return readToken(registry, text, clock.now().getTime());
  };
}

const MOST_REDIRECTS = 5;

/** Follows redirects of a GET, as those of a server that sends everybody from http to https. */
async function send(
  ask: TokenRequest,
  limits: { readonly dispatcher: Dispatcher; readonly headersTimeout: number; readonly bodyTimeout: number },
): Promise<Dispatcher.ResponseData> {
  const options = requestOf(ask);
  let url = urlOf(ask);
  for (let redirects = 0; ; redirects += 1) {
    const answer = await request(url, { ...limits, ...options, headers: mayKnow(ask.realm, url) ? (options.headers ?? {}) : {} });
    const location = String(answer.headers["location"] ?? "");
    const isFollowed = options.method === "GET" && redirects < MOST_REDIRECTS && [301, 302, 303, 307, 308].includes(answer.statusCode);
    if (!isFollowed || location === "" || !URL.canParse(location, url.href)) return answer;
    await answer.body.dump();
    url = new URL(location, url);
  }
}

/** The password is for the server that the registry names: no other gets it, and nobody in the clear who was to get it by TLS. */
const mayKnow = (realm: URL, asked: URL): boolean =>
  asked.hostname === realm.hostname && (asked.protocol === "https:" || realm.protocol === "http:");

const isOauth = ({ credentials }: TokenRequest): boolean => credentials?.kind === "identityToken";

function urlOf(ask: TokenRequest): URL {
  const url = new URL(ask.realm);
  if (isOauth(ask)) return url;
  if (ask.service !== undefined) url.searchParams.set("service", ask.service);
  for (const scope of ask.scopes) url.searchParams.append("scope", scope);
  return url;
}

function requestOf({ credentials, service, scopes }: TokenRequest): Omit<Dispatcher.RequestOptions, "origin" | "path"> {
  if (credentials?.kind !== "identityToken") {
    const authorization = basic(credentials);
    return { method: "GET", headers: authorization === undefined ? {} : { authorization } };
  }
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: credentials.token,
    client_id: "omx",
    scope: scopes.join(" "),
  });
  if (service !== undefined) form.set("service", service);
  return { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: form.toString() };
}

function readToken(registry: string, text: string, nowMs: number): Token {
  try {
    const answer = JSON.parse(text) as { token?: string; access_token?: string; expires_in?: number };
    const value = answer.token || answer.access_token;
    if (typeof value === "string" && value !== "") return { value, expiresAtMs: nowMs + (answer.expires_in ?? DEFAULT_SECONDS) * 1000 };
  } catch {
    // Reported below, like JSON without a token.
  }
  throw new RegistryError({ kind: "refused", registry, doing: "ask for a token", says: "the answer holds no token" });
}
