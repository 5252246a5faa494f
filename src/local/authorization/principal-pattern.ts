import { anonymous, type Principal, principalArn, roleArnOf } from "./principal.ts";

/**
 * How strongly a Principal element names somebody. `session`: that very session or user; `direct`: the role behind the
 * session, a service, or everybody; `account`: the account, which leaves the decision to its identity-based policies.
 */
export type Naming = "session" | "direct" | "account";

/** A compiled Principal or NotPrincipal element. */
export interface PrincipalPattern {
  /** How it names the principal, or undefined when it does not. */
  names(principal: Principal): Naming | undefined;
  /** What is not known about it. */
  readonly unknown: string | undefined;
}

/** The element as JSON holds it. */
export type PrincipalElement = "*" | Readonly<Record<string, string | readonly string[]>>;

const STRENGTH: readonly Naming[] = ["session", "direct", "account"];

/** Compiles a Principal element. */
export function compilePrincipal(element: PrincipalElement): PrincipalPattern {
  const { all, unknown } = readElement(element);
  return {
    unknown,
    names(who) {
      const found = all(who);
      return STRENGTH.find((naming) => found.includes(naming));
    },
  };
}

/**
 * Compiles a NotPrincipal element, which names everybody but those listed. A user is left out only when its account is
 * listed too, a session only when its role and its account are, as AWS documents it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
export function compileNotPrincipal(element: PrincipalElement): PrincipalPattern {
  const { all, unknown } = readElement(element);
  return {
    unknown,
    names(who) {
      const found = all(who);
      return LEFT_OUT_BY[who.kind].every((naming) => found.includes(naming)) ? undefined : "direct";
    },
  };
}

const LEFT_OUT_BY: Readonly<Record<Principal["kind"], readonly Naming[]>> = {
  root: ["account"],
  user: ["session", "account"],
  role: ["session", "direct", "account"],
  service: ["direct"],
  anonymous: ["direct"],
};

interface ReadElement {
  /** Every way in which the element names the principal. */
  all(who: Principal): readonly Naming[];
  readonly unknown: string | undefined;
}

function readElement(element: PrincipalElement): ReadElement {
  if (element === "*") return { all: () => ["direct"], unknown: undefined };
  const entries = Object.entries(element).flatMap(([type, ids]) => [ids].flat().map((id) => ({ type, id })));
  const strange = entries.find(({ type }) => !["AWS", "Service", "Federated", "CanonicalUser"].includes(type));
  const tests = entries.map(({ type, id }) => compileEntry(type, id));
  return {
    unknown: strange && `the principal type "${strange.type}" is not known`,
    all: (who) => tests.flatMap((test) => test(who) ?? []),
  };
}

function compileEntry(type: string, id: string): (who: Principal) => Naming | undefined {
  if (type === "Service") return (who) => (who.kind === "service" && sameService(id, who.service) ? "direct" : undefined);
  if (type !== "AWS") return () => undefined;
  if (id === "*") return () => "direct";
  const account = /^(?:arn:[^:]+:iam::)?(\d{12})(?::root)?$/.exec(id)?.[1];
  if (account !== undefined) return (who) => nameByAccount(who, account);
  return (who) => nameByArn(who, id);
}

function nameByAccount(who: Principal, account: string): Naming | undefined {
  if (who.kind === "service" || who.kind === "anonymous" || who.account !== account) return undefined;
  return "account";
}

function nameByArn(who: Principal, id: string): Naming | undefined {
  if (who.kind !== "user" && who.kind !== "role") return undefined;
  if (id === principalArn(who)) return "session";
  if (who.kind === "user") return id === who.id ? "session" : undefined;
  return id === roleArnOf(who) || id === who.role.id ? "direct" : undefined;
}

// Some services have a name per region beside the global one: states.eu-west-1.amazonaws.com.
const withoutRegion = (service: string): string =>
  service.replace(/^([a-z-]+)\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com$/, "$1.amazonaws.com");
const sameService = (written: string, calling: string): boolean => withoutRegion(written) === withoutRegion(calling);

/** Whether a policy with this Principal element lets anybody in. */
export const isPublic = (element: PrincipalElement): boolean => compilePrincipal(element).names(anonymous) !== undefined;
