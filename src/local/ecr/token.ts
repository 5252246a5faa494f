import { createHmac, timingSafeEqual } from "node:crypto";
import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import type { Store } from "./store.ts";

const HOURS_12_MS = 12 * 3_600_000;

/** Passwords for the registry and links to layers: they carry what they allow, signed. */
export interface Tokens {
  /** The password behind `AWS:`, for twelve hours. */
  issue(principal: Principal): { readonly password: string; readonly expires: Date };
  /** Whom a password signs in; undefined for one that is false. */
  principalOf(password: string): Principal | "expired" | undefined;
  /** A link's text for one blob, for an hour. */
  link(sha256: string): string;
  blobOf(link: string): string | undefined;
}

interface Sealed {
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly principal?: Principal;
  readonly sha256?: string;
}

export function createTokens(core: Core, store: Store): Tokens {
  const secret = store.secrets.get(["token"])?.secret ?? core.random.hex(64);
  store.secrets.put(["token"], { secret });
  const sign = (text: string): string => createHmac("sha256", secret).update(text).digest("base64url");
  const seal = (value: object): string => {
    const text = Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${text}.${sign(text)}`;
  };
  const open = (sealed: string): Sealed | undefined => {
    const [text = "", signature = ""] = sealed.split(".");
    const [given, expected] = [Buffer.from(signature), Buffer.from(sign(text))];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Sealed;
  };
  const isOver = ({ expires }: Sealed): boolean => expires <= core.clock.now().getTime();
  return {
    issue(principal) {
      const expires = new Date(core.clock.now().getTime() + HOURS_12_MS);
      return { password: seal({ principal, expires: expires.getTime() }), expires };
    },
    principalOf(password) {
      const value = open(password);
      return value && isOver(value) ? "expired" : value?.principal;
    },
    link: (sha256) => seal({ sha256, expires: core.clock.now().getTime() + 3_600_000 }),
    blobOf(link) {
      const value = open(link);
      return value && !isOver(value) ? value.sha256 : undefined;
    },
  };
}
