import type {
  CreatePolicyRequest,
  CreatePolicyResponse,
  DeletePolicyRequest,
  GetPolicyRequest,
  GetPolicyResponse,
  ListEntitiesForPolicyRequest,
  ListEntitiesForPolicyResponse,
  ListPoliciesRequest,
  ListPoliciesResponse,
  Policy,
} from "@aws-sdk/client-iam";

import { type AnyOperation, type Core, operation } from "../gateway/service.ts";
import { type AwsManagedPolicy, awsManagedPolicies, awsManagedPolicy } from "./aws-managed-policies.ts";
import { hasVersions, isAttached, noSuchPolicy, policyExists, quotaExceeded } from "./errors.ts";
import { checkName, checkPath, checkPolicy, mergeTags, page, tagContext, tagList } from "./input-rules.ts";
import { type IamStore, type ManagedPolicyDocument, named, policyArn, policyByArn } from "./store.ts";
import { uniqueId } from "./unique-id.ts";

const MOST_CHARACTERS = 6144;

/** What IAM must allow for something done to a managed policy. */
export const onPolicy =
  (store: IamStore, action: string) =>
  ({ PolicyArn = "" }: { readonly PolicyArn: string | undefined }) => [
    { action: `iam:${action}`, resource: PolicyArn, context: tagContext(undefined, policyByArn(store, PolicyArn)?.tags) },
  ];

/** @throws AwsError NoSuchEntity, also for policies of AWS, which nobody may change */
export function findPolicy(store: IamStore, arn = ""): ManagedPolicyDocument {
  const policy = policyByArn(store, arn);
  if (!policy) throw noSuchPolicy(arn);
  return policy;
}

/** @throws AwsError MalformedPolicyDocument, LimitExceeded */
export function checkManagedDocument(document: string): void {
  checkPolicy(document, "identity");
  if (document.replace(/\s+/g, "").length > MOST_CHARACTERS) throw quotaExceeded("PolicySize", MOST_CHARACTERS);
}

const createPolicy = ({ clock, random }: Core, store: IamStore) =>
  operation<CreatePolicyRequest, CreatePolicyResponse>({
    access: (input, { account }) => [
      {
        action: "iam:CreatePolicy",
        resource: `arn:aws:iam::${account}:policy${input.Path ?? "/"}${input.PolicyName}`,
        context: tagContext(input.Tags),
      },
    ],
    run(input, { account }) {
      const { PolicyName: name = "", PolicyDocument: document = "" } = input;
      checkName("policyName", name, 128);
      checkManagedDocument(document);
      const created = clock.now().toISOString();
      const policy: ManagedPolicyDocument = {
        account,
        name,
        path: checkPath(input.Path),
        id: uniqueId("ANPA", random),
        description: input.Description,
        created,
        updated: created,
        tags: mergeTags({}, input.Tags),
        defaultVersion: "v1",
        nextVersion: 2,
        versions: [{ id: "v1", document, created }],
      };
      if (!store.policies.insert(named(account, name), policy)) throw policyExists(name);
      return { Policy: describePolicy(store, policy) };
    },
  });

const getPolicy = (store: IamStore) =>
  operation<GetPolicyRequest, GetPolicyResponse>({
    access: onPolicy(store, "GetPolicy"),
    run({ PolicyArn = "" }, { account }) {
      const aws = awsManagedPolicy(PolicyArn);
      return { Policy: aws ? describeAws(store, aws, account) : describePolicy(store, findPolicy(store, PolicyArn)) };
    },
  });

const listPolicies = (store: IamStore) =>
  operation<ListPoliciesRequest, ListPoliciesResponse>({
    access: () => [{ action: "iam:ListPolicies", resource: "*" }],
    run(input, { account }) {
      const { Scope = "All", PathPrefix = "/", OnlyAttached = false } = input;
      const aws = Scope === "Local" ? [] : awsManagedPolicies().map((policy) => describeAws(store, policy, account));
      const own = Scope === "AWS" ? [] : store.policies.list([account]).map(({ value }) => describePolicy(store, value));
      const wanted = [...own, ...aws].filter(
        ({ Path = "/", AttachmentCount = 0 }) => Path.startsWith(PathPrefix) && (!OnlyAttached || AttachmentCount > 0),
      );
      const { items, rest } = page(wanted, input);
      return { Policies: items.map((policy) => ({ ...policy, Tags: undefined, Description: undefined })), ...rest };
    },
  });

const deletePolicy = (store: IamStore) =>
  operation<DeletePolicyRequest, object>({
    access: onPolicy(store, "DeletePolicy"),
    run({ PolicyArn }) {
      const policy = findPolicy(store, PolicyArn);
      if (attachmentsOf(store, policyArn(policy), policy.account).length > 0) throw isAttached();
      if (policy.versions.length > 1) throw hasVersions();
      store.policies.delete(named(policy.account, policy.name));
      return {};
    },
  });

const listEntities = (store: IamStore) =>
  operation<ListEntitiesForPolicyRequest, ListEntitiesForPolicyResponse>({
    access: onPolicy(store, "ListEntitiesForPolicy"),
    run(input, { account }) {
      const { PolicyArn = "", EntityFilter } = input;
      if (!awsManagedPolicy(PolicyArn)) findPolicy(store, PolicyArn);
      const { items, rest } = page(attachmentsOf(store, PolicyArn, account), input);
      const holders = (kind: string): readonly string[] =>
        items.filter((holder) => holder.startsWith(`${kind}/`)).map((holder) => holder.slice(kind.length + 1));
      const isAsked = (kind: string): boolean => EntityFilter === undefined || EntityFilter === kind;
      return {
        PolicyRoles: isAsked("Role")
          ? holders("role").map((RoleName) => ({ RoleName, RoleId: store.roles.get(named(account, RoleName))?.id }))
          : [],
        PolicyUsers: isAsked("User")
          ? holders("user").map((UserName) => ({ UserName, UserId: store.users.get(named(account, UserName))?.id }))
          : [],
        PolicyGroups: [],
        ...rest,
      };
    },
  });

const attachmentsOf = (store: IamStore, arn: string, account: string): readonly string[] =>
  store.attachments
    .find("policy", arn)
    .filter(({ key }) => key[0] === account)
    .map(({ value }) => value.holder);

function describePolicy(store: IamStore, policy: ManagedPolicyDocument): Policy {
  const arn = policyArn(policy);
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: attachmentsOf(store, arn, policy.account).length,
    PermissionsBoundaryUsageCount: 0,
    IsAttachable: true,
    CreateDate: new Date(policy.created),
    UpdateDate: new Date(policy.updated),
    ...(policy.description !== undefined && { Description: policy.description }),
    ...(Object.keys(policy.tags).length > 0 && { Tags: tagList(policy.tags) }),
  };
}

const describeAws = (store: IamStore, policy: AwsManagedPolicy, account: string): Policy => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policy.arn,
  Path: policy.path,
  DefaultVersionId: policy.version,
  AttachmentCount: attachmentsOf(store, policy.arn, account).length,
  PermissionsBoundaryUsageCount: 0,
  IsAttachable: true,
  CreateDate: new Date(policy.created),
  UpdateDate: new Date(policy.updated),
});

/** Managed policies; their versions are elsewhere. */
export const managedPolicyOperations = (core: Core, store: IamStore): Readonly<Record<string, AnyOperation>> => ({
  CreatePolicy: createPolicy(core, store),
  DeletePolicy: deletePolicy(store),
  GetPolicy: getPolicy(store),
  ListEntitiesForPolicy: listEntities(store),
  ListPolicies: listPolicies(store),
});
