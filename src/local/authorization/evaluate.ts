import { compilePolicy, type CompiledStatement } from "./compile-policy.ts";
import { conditionValues, type ConditionValues } from "./condition-values.ts";
import { allHold } from "./conditions.ts";
import type { AccessRequest, ApplicablePolicies, Decision, Hit, NearMiss, PolicyKind, PolicyMode } from "./decision.ts";
import { explainAllowed, explainDenied, explainLack } from "./explain.ts";
import { type NamedPolicy, principalAccount } from "./principal.ts";
import type { Naming } from "./principal-pattern.ts";

/**
 * Decides as AWS does: an explicit deny wins; within an account identity- or resource-based policies may allow; across
 * accounts both must; a session policy limits what the role may do.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function evaluate(request: AccessRequest, policies: ApplicablePolicies): Decision {
  const probe: Probe = { ...request, action: request.action.toLowerCase(), values: conditionValues(request.context) };
  const identity = tally(probe, "identity", policies.identity);
  const session = policies.session && policies.session.length > 0 ? tally(probe, "session", policies.session) : undefined;
  const resource = tally(probe, "resource", policies.resource ? [policies.resource] : []);
  const mode = policies.mode ?? "resource";
  const deny = identity.deny ?? resource.deny ?? session?.deny;
  if (deny) return { allowed: false, reason: explainDenied(request, deny, mode) };
  const facts: Facts = {
    identity: request.principal.kind === "root" || identity.allow !== undefined,
    session: session === undefined || session.allow !== undefined,
    resource: resource.allow?.naming,
    isOwn: principalAccount(request.principal) === policies.resourceAccount,
    hasIdentity: request.principal.kind !== "service" && request.principal.kind !== "anonymous",
    mode,
  };
  const lacking = findLack(facts);
  if (lacking === undefined) return { allowed: true, reason: explainAllowed(resource.allow ?? identity.allow) };
  const misses = [...identity.misses, ...resource.misses, ...(session?.misses ?? [])];
  return { allowed: false, reason: explainLack(request, { lacking, mode, misses }) };
}

interface Facts {
  readonly identity: boolean;
  /** True where no session policy was passed. */
  readonly session: boolean;
  readonly resource: Naming | undefined;
  /** Whether principal and resource are of one account. */
  readonly isOwn: boolean;
  /** Services and nobody have no identity-based policies. */
  readonly hasIdentity: boolean;
  readonly mode: PolicyMode;
}

/** The kind of policy that should have allowed and did not; undefined when nothing lacks. */
function findLack({ identity, session, resource, isOwn, hasIdentity, mode }: Facts): PolicyKind | undefined {
  if (!hasIdentity) return resource === undefined ? "resource" : undefined;
  if (isOwn) {
    // A grant to the very session is not limited by the session's policies, one to its role is.
    if (resource === "session") return undefined;
    if (resource === "direct") return session ? undefined : "session";
    if (mode !== "resource" && resource === undefined) return "resource";
  } else if (identity && session && resource === undefined) return "resource";
  if (!identity) return "identity";
  return session ? undefined : "session";
}

interface Probe extends AccessRequest {
  readonly values: ConditionValues;
}

/** What a set of policies says of a request. */
interface Tally {
  deny?: Hit;
  allow?: Hit;
  readonly misses: NearMiss[];
}

function tally(probe: Probe, kind: PolicyKind, policies: readonly NamedPolicy[]): Tally {
  const result: Tally = { misses: [] };
  for (const policy of policies) {
    const { statements, problem } = compilePolicy(policy.document);
    // A text that is no policy may have been meant to deny.
    if (problem !== undefined) result.deny ??= { kind, policy, naming: undefined, unknown: problem };
    for (const statement of statements) count(result, { kind, policy, statement, naming: undefined }, probe);
    if (result.deny) return result;
  }
  return result;
}

interface Candidate extends Hit {
  readonly statement: CompiledStatement;
}

function count(result: Tally, candidate: Candidate, probe: Probe): void {
  const { statement, policy, kind } = candidate;
  if (!statement.matchesAction(probe.action) || !statement.matchesResource(probe.resource, probe.values)) return;
  const naming = statement.principal?.names(probe.principal);
  if (kind === "resource" && naming === undefined && statement.unknown === undefined) return;
  const conditions = allHold(statement.conditions, probe.values);
  if (statement.effect === "Deny") {
    if (conditions === false) return;
    const unknown = whatIsUnknown(statement, probe.values);
    result.deny ??= { ...candidate, naming, ...(unknown !== undefined && { unknown }) };
  } else if (conditions === true && statement.unknown === undefined) result.allow = stronger(result.allow, { ...candidate, naming });
  else result.misses.push({ policy, what: describeMiss(statement, probe.values) });
}

const STRENGTH: Readonly<Record<Naming, number>> = { session: 3, direct: 2, account: 1 };
const strength = ({ naming }: Hit): number => (naming ? STRENGTH[naming] : 0);
const stronger = (before: Hit | undefined, now: Hit): Hit => (before && strength(before) >= strength(now) ? before : now);

function whatIsUnknown(statement: CompiledStatement, values: ConditionValues): string | undefined {
  const guess = statement.conditions.find((condition) => condition.holds(values) === "unknown");
  return statement.unknown ?? (guess && (guess.unknown ?? `a policy variable in ${guess.label} has no value`));
}

function describeMiss(statement: CompiledStatement, values: ConditionValues): string {
  const unknown = whatIsUnknown(statement, values);
  if (unknown !== undefined) return `statement "${statement.label}" is not applied, because ${unknown}`;
  const failed = statement.conditions.find((condition) => condition.holds(values) === false);
  const present = values.all(failed?.key.toLowerCase() ?? "");
  const found =
    present === undefined ? "the request does not have the key" : `the request has ${present.map((value) => `"${value}"`).join(", ")}`;
  return `statement "${statement.label}" allows it only where ${failed?.label} holds; ${found}`;
}
