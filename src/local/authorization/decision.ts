import type { CompiledStatement } from "./compile-policy.ts";
import type { ConditionContext } from "./condition-values.ts";
import type { NamedPolicy, Principal } from "./principal.ts";
import type { Naming } from "./principal-pattern.ts";

/** Whether somebody may do something to something. */
export interface AccessRequest {
  readonly principal: Principal;
  /** `ecr:CreateRepository` */
  readonly action: string;
  /** An ARN, or `*` for an action that knows no resource. */
  readonly resource: string;
  /** Every condition key of the request: see `conditionContext`. */
  readonly context: ConditionContext;
}

/** The policies that have a say. */
export interface ApplicablePolicies {
  /** Those of the principal: of the user, or of the session's role. */
  readonly identity: readonly NamedPolicy[];
  /** Those passed at AssumeRole. Undefined, or an empty list, when none were. */
  readonly session?: readonly NamedPolicy[];
  /** That of the resource, where it has one. */
  readonly resource?: NamedPolicy;
  /** The account that owns the resource. */
  readonly resourceAccount: string;
  /**
   * `resource` (the default): the usual rule. `key` and `trust`: the policy of a KMS key, or of a role to be assumed,
   * must itself allow; identity-based policies count only where it delegates to the account.
   */
  readonly mode?: PolicyMode;
}

export type PolicyMode = "resource" | "key" | "trust";

/** The answer, and why, in AWS's words. */
export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

export type PolicyKind = "identity" | "session" | "resource";

/** A statement that speaks to the request. */
export interface Hit {
  readonly kind: PolicyKind;
  readonly policy: NamedPolicy;
  /** Undefined for a policy that can't be read at all. */
  readonly statement?: CompiledStatement;
  readonly naming: Naming | undefined;
  /** What of it is not known: a Deny that may or may not have meant this request. */
  readonly unknown?: string;
}

/** A statement that would have allowed the request but for its conditions, or one that could not be read. */
export interface NearMiss {
  readonly policy: NamedPolicy;
  readonly what: string;
}
