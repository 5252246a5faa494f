import type {
  DeleteLifecyclePolicyRequest,
  DeleteRepositoryPolicyRequest,
  DeleteRepositoryPolicyResponse,
  GetLifecyclePolicyRequest,
  GetLifecyclePolicyResponse,
  GetRepositoryPolicyRequest,
  GetRepositoryPolicyResponse,
  PutLifecyclePolicyRequest,
  SetRepositoryPolicyRequest,
  SetRepositoryPolicyResponse,
} from "@aws-sdk/client-ecr";
import { validatePolicyDocument } from "../../authorization/validate-policy.ts";
import { type Core, operation } from "../../gateway/service.ts";
import { accessTo, on, placeOf } from "../access.ts";
import type { Contents } from "../contents.ts";
import { invalidParameter, lifecyclePolicyNotFound, policyNotFound } from "../errors.ts";
import { checkLifecyclePolicy } from "./lifecycle-policy.ts";
import { keyOf, type Repository, type Store } from "../store.ts";
import { whyNot } from "./ecr-created.ts";

const saver =
  (store: Store) =>
  (repository: Repository): void =>
    store.repositories.put(keyOf(repository), repository);

/** Who may do what with a repository, besides identity-based policies. */
export function repositoryPolicyOperations(contents: Contents) {
  const { store } = contents;
  const save = saver(store);
  return {
    SetRepositoryPolicy: operation<SetRepositoryPolicyRequest, SetRepositoryPolicyResponse>({
      access: on(store, "SetRepositoryPolicy"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        const policyText = checkedPolicy(contents.core, input.policyText);
        store.transaction(() => {
          save({ ...repository, policy: policyText });
          const why = input.force
            ? undefined
            : whyNot(contents.core, call, { access: accessTo(store, "SetRepositoryPolicy", repository), region: call.region });
          if (why !== undefined) throw lockedOut(why);
        });
        return { registryId: repository.account, repositoryName: repository.name, policyText };
      },
    }),
    GetRepositoryPolicy: operation<GetRepositoryPolicyRequest, GetRepositoryPolicyResponse>({
      access: on(store, "GetRepositoryPolicy"),
      run(input, call) {
        const { account, name, policy } = contents.repository(placeOf(input, call));
        if (policy === undefined) throw policyNotFound(name, account);
        return { registryId: account, repositoryName: name, policyText: policy };
      },
    }),
    DeleteRepositoryPolicy: operation<DeleteRepositoryPolicyRequest, DeleteRepositoryPolicyResponse>({
      access: on(store, "DeleteRepositoryPolicy"),
      run(input, call) {
        const { policy, ...repository } = contents.repository(placeOf(input, call));
        if (policy === undefined) throw policyNotFound(repository.name, repository.account);
        save(repository);
        return { registryId: repository.account, repositoryName: repository.name, policyText: policy };
      },
    }),
  };
}

/** Which images of a repository expire: kept and given back. */
export function lifecyclePolicyOperations(contents: Contents) {
  const { store } = contents;
  const save = saver(store);
  return {
    PutLifecyclePolicy: operation<PutLifecyclePolicyRequest, object>({
      access: on(store, "PutLifecyclePolicy"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        const lifecyclePolicyText = input.lifecyclePolicyText ?? "";
        checkLifecyclePolicy(lifecyclePolicyText);
        save({ ...repository, lifecyclePolicy: lifecyclePolicyText });
        return { registryId: repository.account, repositoryName: repository.name, lifecyclePolicyText };
      },
    }),
    GetLifecyclePolicy: operation<GetLifecyclePolicyRequest, GetLifecyclePolicyResponse>({
      access: on(store, "GetLifecyclePolicy"),
      run(input, call) {
        const { account, name, lifecyclePolicy } = contents.repository(placeOf(input, call));
        if (lifecyclePolicy === undefined) throw lifecyclePolicyNotFound(name, account);
        return { registryId: account, repositoryName: name, lifecyclePolicyText: lifecyclePolicy };
      },
    }),
    DeleteLifecyclePolicy: operation<DeleteLifecyclePolicyRequest, object>({
      access: on(store, "DeleteLifecyclePolicy"),
      run(input, call) {
        const { lifecyclePolicy, ...repository } = contents.repository(placeOf(input, call));
        if (lifecyclePolicy === undefined) throw lifecyclePolicyNotFound(repository.name, repository.account);
        save(repository);
        return { registryId: repository.account, repositoryName: repository.name, lifecyclePolicyText: lifecyclePolicy };
      },
    }),
  };
}

const lockedOut = (why: string) =>
  invalidParameter(
    `at 'PolicyText' failed to satisfy constraint: 'The policy would prevent you from setting another one' (${why}); set force to put it all the same`,
  );

/** A repository's policy is about that repository: ECR takes no resource in it, in a registry's it wants one. */
function namedResource(text: string): string | undefined {
  const statements = [(JSON.parse(text) as { readonly Statement: object | readonly object[] }).Statement].flat();
  const index = statements.findIndex((statement) => "Resource" in statement || "NotResource" in statement);
  return index < 0 ? undefined : `statement #${index + 1}: leave Resource out, it is the repository`;
}

/**
 * A policy as it is kept, without white space.
 * @throws AwsError InvalidParameterException for a bad one, and for one that names a role or user that is not there
 */
export function checkedPolicy(
  { directory }: Pick<Core, "directory">,
  text = "",
  { name = "PolicyText", what = "repository" }: { readonly name?: string; readonly what?: string } = {},
): string {
  const problem = validatePolicyDocument(text, "resource") ?? (what === "repository" ? namedResource(text) : undefined);
  if (problem !== undefined)
    throw invalidParameter(`at '${name}' failed to satisfy constraint: 'Invalid ${what} policy provided' (${problem})`);
  const nobody = directory.missingPrincipal(text);
  if (nobody !== undefined) throw invalidParameter(`at '${name}' failed to satisfy constraint: 'Principal not found' (${nobody})`);
  return JSON.stringify(JSON.parse(text));
}
