import type { AssumeRoleRequest, AssumeRoleResponse } from "@aws-sdk/client-sts";

import type { NamedPolicy, Principal, RoleSession, Tags } from "../authorization/principal.ts";
import { validatePolicyDocument } from "../authorization/validate-policy.ts";
import { type Access, type Call, type Core, operation } from "../gateway/service.ts";
import { sessionOf } from "../iam/directory.ts";
import { managedDocument } from "../iam/identity-policies.ts";
import { type IamStore, named, type RoleDocument, roleByArn } from "../iam/store.ts";
import {
  malformedPolicy,
  packedPolicyTooLarge,
  rootAssumesNoRole,
  sourceIdentityFixed,
  transitiveTagTaken,
  validationError,
} from "./errors.ts";

const SHORTEST = 900;
const LONGEST = 43_200;
const CHAINED = 3600;
const POLICY_CHARACTERS = 2048;

/** AssumeRole: a session of a role, for whom its trust policy lets in. */
export const assumeRole = (core: Core, store: IamStore) =>
  operation<AssumeRoleRequest, AssumeRoleResponse>({
    access: (input, { caller }) => accessOf(store, input, caller),
    run(input, call) {
      const role = roleByArn(store, input.RoleArn ?? "");
      if (call.caller.kind === "root") throw rootAssumesNoRole();
      if (!role) throw validationError(`${input.RoleArn} is invalid`);
      const seconds = durationOf(input, role, call.caller);
      const session = makeSession({ core, store, role }, input, call.caller);
      const keys = core.directory.issue(session, seconds);
      const lastUsed = { date: core.clock.now().toISOString(), region: call.region };
      store.roles.put(named(role.account, role.name), { ...role, lastUsed });
      return {
        Credentials: {
          AccessKeyId: keys.accessKeyId,
          SecretAccessKey: keys.secretAccessKey,
          SessionToken: keys.sessionToken,
          Expiration: keys.expiration,
        },
        AssumedRoleUser: {
          AssumedRoleId: `${role.id}:${session.sessionName}`,
          Arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session.sessionName}`,
        },
        ...(input.Policy !== undefined && { PackedPolicySize: packedSize(input.Policy) }),
        ...(session.sourceIdentity !== undefined && { SourceIdentity: session.sourceIdentity }),
      };
    },
  });

/** AssumeRole itself, and the two permissions that tags and a source identity need beside it. */
function accessOf(store: IamStore, input: AssumeRoleRequest, caller: Principal): readonly Access[] {
  const resource = input.RoleArn ?? "";
  const role = roleByArn(store, resource);
  const account = /^arn:aws:iam::(\d{12}):/.exec(resource)?.[1] ?? "";
  const tags = Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value ?? ""]));
  const context = {
    "sts:RoleSessionName": input.RoleSessionName ?? "",
    ...(input.ExternalId !== undefined && { "sts:ExternalId": input.ExternalId }),
    ...(input.DurationSeconds !== undefined && { "sts:DurationSeconds": String(input.DurationSeconds) }),
    ...(input.SourceIdentity !== undefined && { "sts:SourceIdentity": input.SourceIdentity }),
    ...(input.Tags && { "aws:TagKeys": input.Tags.map(({ Key }) => Key ?? ""), ...tags }),
    ...(input.TransitiveTagKeys && { "sts:TransitiveTagKeys": input.TransitiveTagKeys }),
    ...Object.fromEntries(
      Object.entries(role?.tags ?? {}).flatMap(([key, value]) => [
        [`aws:ResourceTag/${key}`, value],
        [`iam:ResourceTag/${key}`, value],
      ]),
    ),
  };
  const resourcePolicy = { document: role?.trust, name: `the trust policy of role "${role?.name}"`, account, mode: "trust" as const };
  const actions = ["sts:AssumeRole"];
  if (input.Tags && input.Tags.length > 0) actions.push("sts:TagSession");
  if (input.SourceIdentity !== undefined || sourceIdentityOf(caller) !== undefined) actions.push("sts:SetSourceIdentity");
  return actions.map((action) => ({ action, resource, context, resourcePolicy }));
}

const sourceIdentityOf = (caller: Principal): string | undefined => (caller.kind === "role" ? caller.sourceIdentity : undefined);

function durationOf({ DurationSeconds: seconds = CHAINED }: AssumeRoleRequest, role: RoleDocument, caller: Principal): number {
  if (seconds < SHORTEST || seconds > LONGEST)
    throw validationError(
      `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between ${SHORTEST} and ${LONGEST}`,
    );
  if (caller.kind === "role" && seconds > CHAINED)
    throw validationError("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.");
  if (seconds > role.maxSessionSeconds)
    throw validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  return seconds;
}

interface Making {
  readonly core: Core;
  readonly store: IamStore;
  readonly role: RoleDocument;
}

function makeSession({ core, store, role }: Making, input: AssumeRoleRequest, caller: Call["caller"]): RoleSession {
  const sessionName = input.RoleSessionName ?? "";
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName))
    throw validationError(
      `1 validation error detected: Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*, with length between 2 and 64`,
    );
  const inherited = inheritedTags(caller);
  const passed: Tags = Object.fromEntries((input.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
  const taken = Object.keys(passed).find((key) => key.toLowerCase() in lowered(inherited));
  if (taken !== undefined) throw transitiveTagTaken(taken);
  const policies = sessionPolicies(store, input);
  const sourceIdentity = settledSourceIdentity(input, caller);
  const transitive = [...Object.keys(inherited), ...(input.TransitiveTagKeys ?? [])];
  return {
    ...sessionOf(role, { sessionName, now: core.clock.now() }),
    tags: { ...role.tags, ...inherited, ...passed },
    ...(policies.length > 0 && { sessionPolicies: policies }),
    ...(transitive.length > 0 && { transitiveTagKeys: transitive }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  };
}

function inheritedTags(caller: Principal): Tags {
  if (caller.kind !== "role") return {};
  return Object.fromEntries(
    (caller.transitiveTagKeys ?? []).flatMap((key) => (caller.tags?.[key] === undefined ? [] : [[key, caller.tags[key]]])),
  );
}

const lowered = (tags: Tags): Tags => Object.fromEntries(Object.entries(tags).map(([key, value]) => [key.toLowerCase(), value]));

function settledSourceIdentity(input: AssumeRoleRequest, caller: Principal): string | undefined {
  const before = sourceIdentityOf(caller);
  if (before !== undefined && input.SourceIdentity !== undefined && input.SourceIdentity !== before) throw sourceIdentityFixed();
  return input.SourceIdentity ?? before;
}

function sessionPolicies(store: IamStore, input: AssumeRoleRequest): readonly NamedPolicy[] {
  const managed = (input.PolicyArns ?? []).map(({ arn = "" }) => {
    const document = managedDocument(store, arn);
    if (document === undefined) throw validationError(`The managed policy ${arn} passed as a session policy does not exist.`);
    return { name: `session policy ${arn}`, document };
  });
  if (input.Policy === undefined) return managed;
  const problem = validatePolicyDocument(input.Policy, "identity");
  if (problem !== undefined) throw malformedPolicy(problem);
  const percent = packedSize(input.Policy);
  if (percent > 100) throw packedPolicyTooLarge(percent);
  return [{ name: "the session policy", document: input.Policy }, ...managed];
}

const packedSize = (policy: string): number => Math.ceil((policy.replace(/\s+/g, "").length / POLICY_CHARACTERS) * 100);
