import type {
  CreatePolicyVersionRequest,
  CreatePolicyVersionResponse,
  DeletePolicyVersionRequest,
  GetPolicyVersionRequest,
  GetPolicyVersionResponse,
  ListPolicyVersionsRequest,
  ListPolicyVersionsResponse,
  PolicyVersion,
  SetDefaultPolicyVersionRequest,
} from "@aws-sdk/client-iam";

import { encodeRfc3986 } from "../gateway/sigv4-canonical.ts";
import { type AnyOperation, type Core, operation } from "../gateway/service.ts";
import { awsManagedPolicy } from "./aws-managed-policies.ts";
import { isDefaultVersion, noSuchVersion, tooManyVersions } from "./errors.ts";
import { page } from "./input-rules.ts";
import { checkManagedDocument, findPolicy, onPolicy } from "./managed-policies.ts";
import { type IamStore, type ManagedPolicyDocument, named, policyArn, type PolicyVersionDocument } from "./store.ts";

const MOST_VERSIONS = 5;

const save = (store: IamStore, policy: ManagedPolicyDocument): void => store.policies.put(named(policy.account, policy.name), policy);

const createPolicyVersion = ({ clock }: Core, store: IamStore) =>
  operation<CreatePolicyVersionRequest, CreatePolicyVersionResponse>({
    access: onPolicy(store, "CreatePolicyVersion"),
    run({ PolicyArn, PolicyDocument: document = "", SetAsDefault = false }) {
      const policy = findPolicy(store, PolicyArn);
      checkManagedDocument(document);
      if (policy.versions.length >= MOST_VERSIONS) throw tooManyVersions();
      const version: PolicyVersionDocument = { id: `v${policy.nextVersion}`, document, created: clock.now().toISOString() };
      save(store, {
        ...policy,
        versions: [...policy.versions, version],
        nextVersion: policy.nextVersion + 1,
        updated: version.created,
        defaultVersion: SetAsDefault ? version.id : policy.defaultVersion,
      });
      return { PolicyVersion: { VersionId: version.id, IsDefaultVersion: SetAsDefault, CreateDate: new Date(version.created) } };
    },
  });

const getPolicyVersion = (store: IamStore) =>
  operation<GetPolicyVersionRequest, GetPolicyVersionResponse>({
    access: onPolicy(store, "GetPolicyVersion"),
    run({ PolicyArn = "", VersionId = "" }) {
      const version = versionsOf(store, PolicyArn).find(({ VersionId: id }) => id === VersionId);
      if (!version) throw noSuchVersion(PolicyArn, VersionId);
      return { PolicyVersion: version };
    },
  });

const listPolicyVersions = (store: IamStore) =>
  operation<ListPolicyVersionsRequest, ListPolicyVersionsResponse>({
    access: onPolicy(store, "ListPolicyVersions"),
    run(input) {
      const { items, rest } = page(versionsOf(store, input.PolicyArn), input);
      return { Versions: items.map((version) => ({ ...version, Document: undefined })), ...rest };
    },
  });

/** Newest first, with their documents. Of a policy of AWS only the default one is known here. */
function versionsOf(store: IamStore, arn = ""): readonly PolicyVersion[] {
  const aws = awsManagedPolicy(arn);
  if (aws)
    return [{ VersionId: aws.version, IsDefaultVersion: true, CreateDate: new Date(aws.updated), Document: encodeRfc3986(aws.document) }];
  const policy = findPolicy(store, arn);
  return [...policy.versions].reverse().map(({ id, document, created }) => ({
    VersionId: id,
    IsDefaultVersion: id === policy.defaultVersion,
    CreateDate: new Date(created),
    Document: encodeRfc3986(document),
  }));
}

const setDefaultPolicyVersion = ({ clock }: Core, store: IamStore) =>
  operation<SetDefaultPolicyVersionRequest, object>({
    access: onPolicy(store, "SetDefaultPolicyVersion"),
    run({ PolicyArn, VersionId = "" }) {
      const policy = findPolicy(store, PolicyArn);
      if (!policy.versions.some(({ id }) => id === VersionId)) throw noSuchVersion(policyArn(policy), VersionId);
      save(store, { ...policy, defaultVersion: VersionId, updated: clock.now().toISOString() });
      return {};
    },
  });

const deletePolicyVersion = (store: IamStore) =>
  operation<DeletePolicyVersionRequest, object>({
    access: onPolicy(store, "DeletePolicyVersion"),
    run({ PolicyArn, VersionId = "" }) {
      const policy = findPolicy(store, PolicyArn);
      if (!policy.versions.some(({ id }) => id === VersionId)) throw noSuchVersion(policyArn(policy), VersionId);
      if (VersionId === policy.defaultVersion) throw isDefaultVersion();
      save(store, { ...policy, versions: policy.versions.filter(({ id }) => id !== VersionId) });
      return {};
    },
  });

/** Versions of managed policies. */
export const policyVersionOperations = (core: Core, store: IamStore): Readonly<Record<string, AnyOperation>> => ({
  CreatePolicyVersion: createPolicyVersion(core, store),
  DeletePolicyVersion: deletePolicyVersion(store),
  GetPolicyVersion: getPolicyVersion(store),
  ListPolicyVersions: listPolicyVersions(store),
  SetDefaultPolicyVersion: setDefaultPolicyVersion(core, store),
});
