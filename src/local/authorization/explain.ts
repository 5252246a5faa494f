import type { AccessRequest, Hit, NearMiss, PolicyKind, PolicyMode } from "./decision.ts";
import { principalArn } from "./principal.ts";

// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
const opening = ({ principal, action, resource }: AccessRequest): string =>
  `User: ${principalArn(principal)} is not authorized to perform: ${action} on resource: ${resource}`;

const KINDS: Readonly<Record<PolicyKind, string>> = { identity: "identity-based", session: "session", resource: "resource-based" };
const nameOf = (kind: PolicyKind, mode: PolicyMode): string =>
  `${kind === "resource" && mode === "trust" ? "role trust" : KINDS[kind]} policy`;
const article = (name: string): string => (/^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`);

const place = ({ policy, statement }: Hit): string => `statement "${statement?.label}" of ${policy.name}`;

/** Names the statement that denies. */
export function explainDenied(request: AccessRequest, deny: Hit, mode: PolicyMode): string {
  const sentence = `${opening(request)} with an explicit deny in ${article(nameOf(deny.kind, mode))}`;
  if (!deny.statement) return `${sentence} (${deny.policy.name} can't be read: ${deny.unknown})`;
  return deny.unknown === undefined ? `${sentence} (${place(deny)})` : `${sentence} (${place(deny)}: ${deny.unknown})`;
}

/** Names the kind of policy that should have allowed, and what came nearest to it. */
export function explainLack(
  request: AccessRequest,
  { lacking, mode, misses }: { readonly lacking: PolicyKind; readonly mode: PolicyMode; readonly misses: readonly NearMiss[] },
): string {
  const sentence = `${opening(request)} because no ${nameOf(lacking, mode)} allows the ${request.action} action`;
  const nearest = misses.map(({ policy, what }) => `${policy.name}: ${what}`);
  return nearest.length === 0 ? sentence : `${sentence} (${nearest.join("; ")})`;
}

/** Names the statement that allows; the root of an account needs none. */
export const explainAllowed = (allow: Hit | undefined): string =>
  allow ? `allowed by ${place(allow)}` : "allowed to the root of the account";
