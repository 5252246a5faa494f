import type {
  ListPolicyTagsRequest,
  ListRoleTagsRequest,
  ListUserTagsRequest,
  Tag,
  TagPolicyRequest,
  TagRoleRequest,
  TagUserRequest,
  UntagPolicyRequest,
  UntagRoleRequest,
  UntagUserRequest,
} from "@aws-sdk/client-iam";

import type { Tags } from "../authorization/principal.ts";
import { type Access, type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { mergeTags, page, tagContext, tagList, withoutTags } from "./input-rules.ts";
import { findPolicy, onPolicy } from "./managed-policies.ts";
import { findRole, onRole } from "./roles.ts";
import { type IamStore, named } from "./store.ts";
import { findUser, onUser } from "./users.ts";

interface Target<Input> {
  /** `Role`: the end of the operations' names. */
  readonly word: string;
  access(action: string): (input: Input, call: Call) => readonly Access[];
  /** @throws AwsError NoSuchEntity */
  read(account: string, input: Input): Tags;
  write(account: string, input: Input, tags: Tags): void;
}

type Listing = { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined };
type Tagging = { readonly Tags: Tag[] | undefined };
type Untagging = { readonly TagKeys: string[] | undefined };

const tagOperations = <Name>({ word, access, read, write }: Target<Name>): Readonly<Record<string, AnyOperation>> => ({
  [`Tag${word}`]: operation<Name & Tagging, object>({
    access: (input, call) =>
      access(`Tag${word}`)(input, call).map((one) => ({ ...one, context: { ...one.context, ...tagContext(input.Tags) } })),
    run(input, { account }) {
      write(account, input, mergeTags(read(account, input), input.Tags));
      return {};
    },
  }),
  [`Untag${word}`]: operation<Name & Untagging, object>({
    access: (input, call) =>
      access(`Untag${word}`)(input, call).map((one) => ({ ...one, context: { ...one.context, "aws:TagKeys": input.TagKeys ?? [] } })),
    run(input, { account }) {
      write(account, input, withoutTags(read(account, input), input.TagKeys ?? []));
      return {};
    },
  }),
  [`List${word}Tags`]: operation<Name & Listing, object>({
    access: access(`List${word}Tags`),
    run(input, { account }) {
      const { items, rest } = page(tagList(read(account, input)), input);
      return { Tags: items, ...rest };
    },
  }),
});

type RoleName = Pick<TagRoleRequest & UntagRoleRequest & ListRoleTagsRequest, "RoleName">;
type UserName = Pick<TagUserRequest & UntagUserRequest & ListUserTagsRequest, "UserName">;
type PolicyName = Pick<TagPolicyRequest & UntagPolicyRequest & ListPolicyTagsRequest, "PolicyArn">;

const roles = (store: IamStore): Target<RoleName> => ({
  word: "Role",
  access: (action) => onRole(store, action),
  read: (account, { RoleName }) => findRole(store, account, RoleName).tags,
  write: (account, { RoleName }, tags) => store.roles.put(named(account, RoleName ?? ""), { ...findRole(store, account, RoleName), tags }),
});

const users = (store: IamStore): Target<UserName> => ({
  word: "User",
  access: (action) => onUser(store, action),
  read: (account, { UserName }) => findUser(store, account, UserName).tags,
  write: (account, { UserName }, tags) => store.users.put(named(account, UserName ?? ""), { ...findUser(store, account, UserName), tags }),
});

const policies = (store: IamStore): Target<PolicyName> => ({
  word: "Policy",
  access: (action) => onPolicy(store, action),
  read: (_account, { PolicyArn }) => findPolicy(store, PolicyArn).tags,
  write(_account, { PolicyArn }, tags) {
    const policy = findPolicy(store, PolicyArn);
    store.policies.put(named(policy.account, policy.name), { ...policy, tags });
  },
});

/** Tags of roles, users and managed policies. */
export const taggingOperations = (store: IamStore): Readonly<Record<string, AnyOperation>> => ({
  ...tagOperations(roles(store)),
  ...tagOperations(users(store)),
  ...tagOperations(policies(store)),
});
