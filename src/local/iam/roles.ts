import type {
  CreateRoleRequest,
  CreateRoleResponse,
  DeleteRoleRequest,
  GetRoleRequest,
  GetRoleResponse,
  ListRolesRequest,
  ListRolesResponse,
  Role,
  UpdateAssumeRolePolicyRequest,
  UpdateRoleDescriptionRequest,
  UpdateRoleDescriptionResponse,
  UpdateRoleRequest,
} from "@aws-sdk/client-iam";

import { encodeRfc3986 } from "../gateway/sigv4-canonical.ts";
import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { hasAttached, hasInline, malformedPolicy, noSuchRole, notOffered, quotaExceeded, roleExists, validationError } from "./errors.ts";
import { checkName, checkPath, checkPolicy, mergeTags, page, tagContext, tagList } from "./input-rules.ts";
import { holding, type IamStore, named, type RoleDocument, roleArn } from "./store.ts";
import { missingPrincipal } from "./trust.ts";
import { uniqueId } from "./unique-id.ts";

const SESSION = { shortest: 3600, longest: 43_200 };

/** What IAM must allow for something done to a role: the ARN has the role's path, which a request does not name. */
export const onRole =
  <Input extends { readonly RoleName?: string | undefined }>(
    store: IamStore,
    action: string,
    context: (input: Input) => Record<string, string> = () => ({}),
  ) =>
  (input: Input, { account }: Call) => {
    const role = store.roles.get(named(account, input.RoleName ?? ""));
    const resource = role ? roleArn(role) : `arn:aws:iam::${account}:role/${input.RoleName}`;
    return [{ action: `iam:${action}`, resource, context: { ...tagContext(undefined, role?.tags), ...context(input) } }];
  };

/** @throws AwsError NoSuchEntity */
export function findRole(store: IamStore, account: string, name = ""): RoleDocument {
  const role = store.roles.get(named(account, name));
  if (!role) throw noSuchRole(name);
  return role;
}

const createRole = ({ clock, random, settings }: Core, store: IamStore) =>
  operation<CreateRoleRequest, CreateRoleResponse>({
    access: (input, { account }) => [
      {
        action: "iam:CreateRole",
        resource: `arn:aws:iam::${account}:role${input.Path ?? "/"}${input.RoleName}`,
        context: tagContext(input.Tags),
      },
      ...(input.Tags && input.Tags.length > 0
        ? [
            {
              action: "iam:TagRole",
              resource: `arn:aws:iam::${account}:role${input.Path ?? "/"}${input.RoleName}`,
              context: tagContext(input.Tags),
            },
          ]
        : []),
    ],
    run(input, { account }) {
      const { RoleName: name = "", AssumeRolePolicyDocument: trust = "" } = input;
      if (input.PermissionsBoundary !== undefined) throw notOffered("PermissionsBoundary", "permission boundaries");
      checkName("roleName", name, 64);
      checkTrust(store, settings, trust);
      const role: RoleDocument = {
        account,
        name,
        path: checkPath(input.Path),
        id: uniqueId("AROA", random),
        created: clock.now().toISOString(),
        description: input.Description,
        trust,
        maxSessionSeconds: checkSeconds(input.MaxSessionDuration),
        tags: mergeTags({}, input.Tags),
      };
      if (!store.roles.insert(named(account, name), role)) throw roleExists(name);
      return { Role: describeRole(role) };
    },
  });

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, before it is raised.
const MOST_TRUST = 2048;

function checkTrust(store: IamStore, settings: Core["settings"], document: string): void {
  checkPolicy(document, "trust");
  if (document.replace(/\s+/g, "").length > MOST_TRUST) throw quotaExceeded("ACLSizePerRole", MOST_TRUST);
  const missing = missingPrincipal(store, settings, document);
  if (missing !== undefined) throw malformedPolicy(`Invalid principal in policy: "AWS":"${missing}"`);
}

function checkSeconds(seconds = SESSION.shortest): number {
  if (seconds >= SESSION.shortest && seconds <= SESSION.longest) return seconds;
  throw validationError(
    `1 validation error detected: Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between ${SESSION.shortest} and ${SESSION.longest}`,
  );
}

const getRole = (store: IamStore) =>
  operation<GetRoleRequest, GetRoleResponse>({
    access: onRole(store, "GetRole"),
    run: ({ RoleName }, { account }) => ({ Role: describeRole(findRole(store, account, RoleName)) }),
  });

const listRoles = (store: IamStore) =>
  operation<ListRolesRequest, ListRolesResponse>({
    access: ({ PathPrefix = "/" }, { account }) => [{ action: "iam:ListRoles", resource: `arn:aws:iam::${account}:role${PathPrefix}` }],
    run(input, { account }) {
      const { PathPrefix = "/" } = input;
      const roles = store.roles
        .list([account])
        .map(({ value }) => value)
        .filter(({ path }) => path.startsWith(PathPrefix));
      const { items, rest } = page(roles, input);
      // ListRoles leaves out tags and the last use, as AWS documents it.
      return { Roles: items.map((role) => ({ ...describeRole(role), Tags: undefined, RoleLastUsed: undefined })), ...rest };
    },
  });

const updateRole = (store: IamStore) =>
  operation<UpdateRoleRequest, object>({
    access: onRole(store, "UpdateRole"),
    run({ RoleName, Description, MaxSessionDuration }, { account }) {
      const role = findRole(store, account, RoleName);
      const maxSessionSeconds = MaxSessionDuration === undefined ? role.maxSessionSeconds : checkSeconds(MaxSessionDuration);
      store.roles.put(named(account, role.name), { ...role, maxSessionSeconds, description: Description ?? role.description });
      return {};
    },
  });

const updateRoleDescription = (store: IamStore) =>
  operation<UpdateRoleDescriptionRequest, UpdateRoleDescriptionResponse>({
    access: onRole(store, "UpdateRoleDescription"),
    run({ RoleName, Description }, { account }) {
      const role = { ...findRole(store, account, RoleName), description: Description };
      store.roles.put(named(account, role.name), role);
      return { Role: describeRole(role) };
    },
  });

const updateAssumeRolePolicy = ({ settings }: Core, store: IamStore) =>
  operation<UpdateAssumeRolePolicyRequest, object>({
    access: onRole(store, "UpdateAssumeRolePolicy"),
    run({ RoleName, PolicyDocument = "" }, { account }) {
      const role = findRole(store, account, RoleName);
      checkTrust(store, settings, PolicyDocument);
      store.roles.put(named(account, role.name), { ...role, trust: PolicyDocument });
      return {};
    },
  });

const deleteRole = (store: IamStore) =>
  operation<DeleteRoleRequest, object>({
    access: onRole(store, "DeleteRole"),
    run({ RoleName }, { account }) {
      const { name } = findRole(store, account, RoleName);
      if (store.attachments.count(holding(account, "role", name)) > 0) throw hasAttached();
      if (store.inline.count(holding(account, "role", name)) > 0) throw hasInline();
      store.roles.delete(named(account, name));
      return {};
    },
  });

/** A role as the API writes it: the trust policy is percent-encoded. */
export const describeRole = (role: RoleDocument): Role => ({
  RoleName: role.name,
  RoleId: role.id,
  Arn: roleArn(role),
  Path: role.path,
  CreateDate: new Date(role.created),
  AssumeRolePolicyDocument: encodeRfc3986(role.trust),
  MaxSessionDuration: role.maxSessionSeconds,
  RoleLastUsed: role.lastUsed ? { LastUsedDate: new Date(role.lastUsed.date), Region: role.lastUsed.region } : {},
  ...(role.description !== undefined && { Description: role.description }),
  ...(Object.keys(role.tags).length > 0 && { Tags: tagList(role.tags) }),
});

/** Roles themselves; their policies and tags are elsewhere. */
export const roleOperations = (core: Core, store: IamStore): Readonly<Record<string, AnyOperation>> => ({
  CreateRole: createRole(core, store),
  DeleteRole: deleteRole(store),
  GetRole: getRole(store),
  ListRoles: listRoles(store),
  UpdateAssumeRolePolicy: updateAssumeRolePolicy(core, store),
  UpdateRole: updateRole(store),
  UpdateRoleDescription: updateRoleDescription(store),
});
