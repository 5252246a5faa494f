import type { MiddlewareHandler } from "hono";
import { ConsoleError } from "./errors.ts";

/** Names under which a browser of this machine asks; anything else is a foreign name that was made to point here. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

export interface Door {
  /** Further names by which the console is reached, behind a proxy of the user's own. */
  readonly hosts: readonly string[];
  port(): number;
}

const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d+$/, "");

/** Refuses requests under a foreign name: a page elsewhere could point its own name at this machine (DNS rebinding). */
export const ownHostOnly =
  ({ hosts, port }: Door): MiddlewareHandler =>
  async (context, next) => {
    const authority = context.req.header("host") ?? "";
    const local = LOOPBACK.some((name) => authority.toLowerCase() === `${name}:${port()}`);
    if (!local && !hosts.includes(hostOf(authority)))
      throw new ConsoleError(403, `This server does not answer as "${authority}". Open it by the address it printed when it started.`);
    await next();
  };

/** Refuses a change that a page of another origin asked for. */
export const ownOriginOnly: MiddlewareHandler = async (context, next) => {
  if (context.req.method !== "GET" && context.req.method !== "HEAD") {
    const origin = context.req.header("origin");
    const site = context.req.header("sec-fetch-site");
    const foreign = origin !== undefined && hostAndPort(origin) !== context.req.header("host")?.toLowerCase();
    if (foreign || (site !== undefined && site !== "same-origin"))
      throw new ConsoleError(403, "The request comes from another site. Answer on the release's own page.");
  }
  await next();
};

const hostAndPort = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : origin);

/** What a browser may do with a page of the console: our own files, frames of the reports' origin, nothing else. */
export const pageHeaders =
  (reports: () => string): MiddlewareHandler =>
  async (context, next) => {
    await next();
    const policy = [
      "default-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "object-src 'none'",
      `frame-src ${reports()}`,
      "frame-ancestors 'none'",
      "form-action 'self'",
      "base-uri 'none'",
    ];
    const { headers } = context.res;
    headers.set("Content-Security-Policy", policy.join("; "));
    headers.set("X-Frame-Options", "DENY");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    for (const [name, value] of Object.entries(EVERYWHERE)) headers.set(name, value);
    // With "no-referrer" a browser sends `Origin: null` with our own forms too.
    headers.set("Referrer-Policy", "same-origin");
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  };

/** Headers of every answer, of both origins. */
export const EVERYWHERE = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
} as const;
