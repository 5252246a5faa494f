import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/** Proofs that a request comes from a page of this console. */
export interface Sessions {
  /** The token that forms of this browser carry; gives the browser a session where it has none. */
  token(context: Context): string;
  /** Whether a token belongs to the session of the request's browser. */
  accepts(context: Context, token: string): boolean;
  /** Signs the address of a report, so that the reports' origin serves only what a page of ours links to. */
  sign(text: string): string;
  verifies(text: string, signature: string): boolean;
}

/** Sessions that live as long as the process. Cookies know no ports, so the name says which console. */
export function createSessions(port: () => number): Sessions {
  const secret = randomBytes(32);
  const mac = (purpose: string, text: string): string => createHmac("sha256", secret).update(`${purpose}\0${text}`).digest("base64url");
  const name = () => `omx-console-${port()}`;
  const sessionOf = (context: Context): string => {
    const known = getCookie(context, name());
    if (known) return known;
    const made = randomBytes(32).toString("base64url");
    setCookie(context, name(), made, { httpOnly: true, sameSite: "Strict", path: "/" });
    return made;
  };
  return {
    token: (context) => mac("form", sessionOf(context)),
    accepts(context, token) {
      const session = getCookie(context, name());
      return session !== undefined && same(token, mac("form", session));
    },
    sign: (text) => mac("report", text),
    verifies: (text, signature) => same(signature, mac("report", text)),
  };
}

function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
