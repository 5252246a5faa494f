import type { NamedPolicy, Principal } from "../authorization/principal.ts";
import { awsManagedPolicy } from "./aws-managed-policies.ts";
import { type HolderKind, holding, type IamStore, named, policyByArn } from "./store.ts";

/** The identity-based policies of a principal: of the user, or of the session's role as it is now. */
export function identityPolicies(store: IamStore, principal: Principal): readonly NamedPolicy[] {
  if (principal.kind === "user") return policiesOf(store, { ...principal, kind: "user" });
  if (principal.kind !== "role") return [];
  const { account, role } = principal;
  // A role made anew under the same name is another one: sessions of the old one have nothing left.
  const isSame = store.roles.get(named(account, role.name))?.id === role.id;
  return isSame ? policiesOf(store, { account, kind: "role", name: role.name }) : [];
}

interface Holder {
  readonly account: string;
  readonly kind: HolderKind;
  readonly name: string;
}

interface Known {
  readonly version: number;
  readonly policies: Map<string, readonly NamedPolicy[]>;
}

// Every request asks for them, and they seldom change.
const known = new WeakMap<IamStore, Known>();

function policiesOf(store: IamStore, holder: Holder): readonly NamedPolicy[] {
  const version = store.policiesVersion();
  let current = known.get(store);
  if (current?.version !== version) known.set(store, (current = { version, policies: new Map() }));
  const key = holding(holder.account, holder.kind, holder.name).join("/");
  const found = current.policies.get(key) ?? readPolicies(store, holder);
  current.policies.set(key, found);
  return found;
}

function readPolicies(store: IamStore, { account, kind, name }: Holder): readonly NamedPolicy[] {
  const prefix = holding(account, kind, name);
  const inline = store.inline
    .list(prefix)
    .map(({ value }) => ({ name: `inline policy "${value.name}" of ${kind} "${name}"`, document: value.document }));
  const attached = store.attachments.list(prefix).flatMap(({ value }) => managedPolicy(store, value.policyArn) ?? []);
  return [...inline, ...attached];
}

function managedPolicy(store: IamStore, arn: string): NamedPolicy | undefined {
  const document = managedDocument(store, arn);
  return document === undefined ? undefined : { name: `managed policy ${arn}`, document };
}

/** The document of a managed policy, of AWS or of a customer, in its default version. */
export function managedDocument(store: IamStore, arn: string): string | undefined {
  const aws = awsManagedPolicy(arn);
  if (aws) return aws.document;
  const policy = policyByArn(store, arn);
  return policy?.versions.find(({ id }) => id === policy.defaultVersion)?.document;
}
