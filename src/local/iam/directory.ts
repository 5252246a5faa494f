import { type AccountId, parseAccountId } from "../../kit/account-id.ts";
import { isArn, parseArn } from "../../kit/arn.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { conditionContext } from "../authorization/condition-context.ts";
import type { Decision } from "../authorization/decision.ts";
import { evaluate } from "../authorization/evaluate.ts";
import { type NamedPolicy, type Principal, principalAccount, type RoleSession, type User } from "../authorization/principal.ts";
import { accessDenied } from "../gateway/aws-error.ts";
import type { Access, Credential, Directory, ServiceSession, SessionKeys, Settings } from "../gateway/service.ts";
import type { Database } from "../storage/database.ts";
import { identityPolicies } from "./identity-policies.ts";
import { seedIdentities } from "./seed.ts";
import { type IamStore, iamStore, named, type RoleDocument, roleByArn, type UserDocument } from "./store.ts";
import { missingPrincipal } from "./trust.ts";
import { newSecret, newSessionToken, uniqueId } from "./unique-id.ts";

export interface DirectoryParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  log(service: string, message: string): void;
}

/** Who there is, who may become whom, and what each may do. The users of `identities.ts` are there from the first start. */
export function createDirectory(parts: DirectoryParts): Directory {
  const store = iamStore(parts.database);
  const identities = seedIdentities(store, parts);
  forgetExpired(store, parts.clock);
  return {
    credential: (accessKeyId) => findCredential(store, accessKeyId),
    identities: () => identities,
    missingPrincipal: (document) => missingPrincipal(store, parts.settings, document),
    assumeAsService: (request) => assumeAsService(store, parts, request),
    issue: (principal, seconds) => issue(store, parts, { principal, seconds }),
    authorize(principal, access, call, code) {
      const decision = decide(store, parts.clock, { principal, access, call });
      if (decision.allowed) return;
      parts.log("iam", decision.reason);
      throw accessDenied(code ?? denialCode(access.action), decision.reason);
    },
  };
}

function findCredential(store: IamStore, accessKeyId: string): Credential | undefined {
  const key = store.accessKeys.get([accessKeyId]);
  if (key) {
    const user = key.status === "Active" ? store.users.get(named(key.account, key.userName)) : undefined;
    return user && { secretAccessKey: key.secretAccessKey, principal: asPrincipal(user) };
  }
  const session = store.sessions.get([accessKeyId]);
  if (!session) return undefined;
  const { secretAccessKey, sessionToken, principal, expires } = session;
  // Sessions of a user end with the user; those of a role stay, with nothing they may do.
  if (principal.kind === "user" && store.users.get(named(principal.account, principal.name))?.id !== principal.id) return undefined;
  return { secretAccessKey, sessionToken, principal, expires: new Date(expires) };
}

const asPrincipal = ({ account, name, path, id, tags }: UserDocument): User => ({ kind: "user", account, name, path, id, tags });

interface Question {
  readonly principal: Principal;
  readonly access: Access;
  readonly call: { readonly context: Readonly<Record<string, string | readonly string[]>>; readonly region: string };
}

function decide(store: IamStore, clock: Clock, { principal, access, call }: Question): Decision {
  const { action, resource, resourcePolicy } = access;
  const resourceAccount = resourcePolicy?.account ?? accountOfArn(resource) ?? principalAccount(principal) ?? "";
  const globals = conditionContext({ principal, now: clock.now(), region: call.region, resourceAccount });
  const session = sessionPolicies(principal);
  const document = resourcePolicy?.document;
  return evaluate(
    { principal, action, resource, context: { ...globals, ...call.context, ...access.context } },
    {
      identity: identityPolicies(store, principal),
      resourceAccount,
      mode: resourcePolicy?.mode ?? "resource",
      ...(session && { session }),
      ...(document !== undefined && { resource: { name: resourcePolicy?.name ?? "the resource policy", document } }),
    },
  );
}

function sessionPolicies(principal: Principal): readonly NamedPolicy[] | undefined {
  if (principal.kind === "role") return principal.sessionPolicies;
  return principal.kind === "user" ? principal.session?.policies : undefined;
}

// ARNs of S3 name no account: then the resource policy's does.
function accountOfArn(resource: string): AccountId | undefined {
  const account = isArn(resource) ? parseArn(resource).account : "";
  return /^\d{12}$/.test(account) ? parseAccountId(account) : undefined;
}

// The query and XML protocols know AccessDenied, the JSON ones AccessDeniedException.
function denialCode(action: string): string {
  const service = action.split(":")[0] ?? "";
  if (service === "sns") return "AuthorizationError";
  return ["s3", "iam", "sts", "cloudformation"].includes(service) ? "AccessDenied" : "AccessDeniedException";
}

function assumeAsService(store: IamStore, { clock, log }: DirectoryParts, request: ServiceSession): RoleSession {
  const { service, roleArn, sessionName, sourceArn } = request;
  const role = roleByArn(store, roleArn);
  if (!role) throw accessDenied("AccessDenied", `${service} can't assume ${roleArn}: there is no such role`);
  const sourceAccount = sourceArn === undefined ? undefined : accountOfArn(sourceArn);
  const principal: Principal = {
    kind: "service",
    service,
    ...(sourceArn !== undefined && { sourceArn }),
    ...(sourceAccount !== undefined && { sourceAccount }),
  };
  const now = clock.now();
  const region = sourceArn === undefined ? "" : parseArn(sourceArn).region;
  const context = conditionContext({ principal, now, region, resourceAccount: role.account });
  const decision = evaluate(
    { principal, action: "sts:AssumeRole", resource: roleArn, context },
    { identity: [], resource: trustOf(role), resourceAccount: role.account, mode: "trust" },
  );
  if (!decision.allowed) {
    log("iam", decision.reason);
    throw accessDenied("AccessDenied", decision.reason);
  }
  return sessionOf(role, { sessionName, now, assumedBy: service });
}

const trustOf = (role: RoleDocument): NamedPolicy => ({ name: `the trust policy of role "${role.name}"`, document: role.trust });

/** The session of a role, with nothing passed to it. */
export function sessionOf(
  role: RoleDocument,
  { sessionName, now, assumedBy }: { readonly sessionName: string; readonly now: Date; readonly assumedBy?: string },
): RoleSession {
  const { account, name, path, id, tags } = role;
  return {
    kind: "role",
    account,
    role: { name, path, id },
    sessionName,
    tags,
    issuedAt: now.toISOString(),
    ...(assumedBy !== undefined && { assumedBy }),
  };
}

function issue(
  store: IamStore,
  { clock, random }: DirectoryParts,
  of: { readonly principal: Principal; readonly seconds: number },
): SessionKeys {
  const expiration = new Date(clock.now().getTime() + of.seconds * 1000);
  const keys = { accessKeyId: uniqueId("ASIA", random), secretAccessKey: newSecret(random), sessionToken: newSessionToken(random) };
  store.sessions.put([keys.accessKeyId], { ...keys, principal: of.principal, expires: expiration.toISOString() });
  return { ...keys, expiration };
}

// An expired key still answers ExpiredToken for a day, then it is as if it had never been.
function forgetExpired(store: IamStore, clock: Clock): void {
  const before = new Date(clock.now().getTime() - 86_400_000).toISOString();
  for (const { key, value } of store.sessions.list([])) if (value.expires < before) store.sessions.delete(key);
}
