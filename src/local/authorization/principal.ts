import type { AccountId } from "../../kit/account-id.ts";

/** A policy and what denials call it. */
export interface NamedPolicy {
  readonly name: string;
  /** The JSON text as it was put. */
  readonly document: string;
}

export type Tags = Readonly<Record<string, string>>;

/** Who makes a request. Plain data: it may be stored and read back. */
export type Principal = AccountRoot | User | RoleSession | ServicePrincipal | Anonymous;

/** The root of an account, whom no identity-based policy limits. */
export interface AccountRoot {
  readonly kind: "root";
  readonly account: AccountId;
}

export interface User {
  readonly kind: "user";
  readonly account: AccountId;
  readonly name: string;
  /** Starts and ends with a slash. */
  readonly path: string;
  /** `AIDA…` */
  readonly id: string;
  readonly tags?: Tags;
  /** Set for a session of GetSessionToken or GetFederationToken. */
  readonly session?: { readonly policies?: readonly NamedPolicy[] };
}

/** A session of an assumed role. */
export interface RoleSession {
  readonly kind: "role";
  readonly account: AccountId;
  readonly role: { readonly name: string; readonly path: string; /** `AROA…` */ readonly id: string };
  readonly sessionName: string;
  /** Policies passed at AssumeRole: they limit the session and grant nothing. */
  readonly sessionPolicies?: readonly NamedPolicy[];
  /** The role's tags, overlaid by the session's: what `aws:PrincipalTag` answers. */
  readonly tags?: Tags;
  /** Keys of the session tags that pass on to the next role of a chain. */
  readonly transitiveTagKeys?: readonly string[];
  readonly sourceIdentity?: string;
  /** ISO 8601: `aws:TokenIssueTime`. */
  readonly issuedAt?: string;
  /** The service that assumed the role for itself (`codebuild.amazonaws.com`), where one did. */
  readonly assumedBy?: string;
  /** Services that act with this session in a chain of calls, first caller first: `aws:CalledVia`. */
  readonly calledVia?: readonly string[];
}

/** A service acting on its own behalf, as S3 does when it sends a notification. */
export interface ServicePrincipal {
  readonly kind: "service";
  /** `omics.amazonaws.com` */
  readonly service: string;
  /** On whose behalf: `aws:SourceAccount` and `aws:SourceArn`. */
  readonly sourceAccount?: AccountId;
  readonly sourceArn?: string;
}

/** Nobody who signed. */
export interface Anonymous {
  readonly kind: "anonymous";
}

export const anonymous: Anonymous = { kind: "anonymous" };

/**
 * The ARN AWS names a principal by in denials and in GetCallerIdentity; a service's own name for a service.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
export function principalArn(principal: Principal): string {
  switch (principal.kind) {
    case "root":
      return `arn:aws:iam::${principal.account}:root`;
    case "user":
      return `arn:aws:iam::${principal.account}:user${principal.path}${principal.name}`;
    case "role":
      return `arn:aws:sts::${principal.account}:assumed-role/${principal.role.name}/${principal.sessionName}`;
    case "service":
      return principal.service;
    case "anonymous":
      return "anonymous";
  }
}

/** The ARN of the role of a session. */
export const roleArnOf = ({ account, role }: RoleSession): string => `arn:aws:iam::${account}:role${role.path}${role.name}`;

/** What `aws:PrincipalArn` answers: a session's role, not the session. Undefined for services and nobody. */
export function principalArnKey(principal: Principal): string | undefined {
  if (principal.kind === "role") return roleArnOf(principal);
  return principal.kind === "root" || principal.kind === "user" ? principalArn(principal) : undefined;
}

/** The principal's account; undefined for services and nobody. */
export const principalAccount = (principal: Principal): AccountId | undefined =>
  principal.kind === "service" || principal.kind === "anonymous" ? undefined : principal.account;

/** `aws:userid`, and UserId of GetCallerIdentity. Undefined for services and nobody. */
export function principalUserId(principal: Principal): string | undefined {
  switch (principal.kind) {
    case "root":
      return principal.account;
    case "user":
      return principal.id;
    case "role":
      return `${principal.role.id}:${principal.sessionName}`;
    case "service":
    case "anonymous":
      return undefined;
  }
}
