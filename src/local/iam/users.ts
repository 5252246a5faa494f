import type {
  AccessKeyMetadata,
  CreateAccessKeyRequest,
  CreateAccessKeyResponse,
  CreateUserRequest,
  CreateUserResponse,
  DeleteAccessKeyRequest,
  DeleteUserRequest,
  GetUserRequest,
  GetUserResponse,
  ListAccessKeysRequest,
  ListAccessKeysResponse,
  ListUsersRequest,
  ListUsersResponse,
  UpdateAccessKeyRequest,
  User,
} from "@aws-sdk/client-iam";

import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import {
  hasAccessKeys,
  hasAttached,
  hasInline,
  noSuchAccessKey,
  noSuchUser,
  notOffered,
  quotaExceeded,
  userExists,
  validationError,
} from "./errors.ts";
import { checkName, checkPath, mergeTags, page, tagContext, tagList } from "./input-rules.ts";
import { type AccessKeyDocument, holding, type IamStore, named, type UserDocument, userArn } from "./store.ts";
import { newSecret, uniqueId } from "./unique-id.ts";

const MOST_KEYS = 2;

/** What IAM must allow for something done to a user; without a name, to the caller. */
export const onUser =
  <Input extends { readonly UserName?: string | undefined }>(
    store: IamStore,
    action: string,
    context: (input: Input) => Record<string, string> = () => ({}),
  ) =>
  (input: Input, { account, caller }: Call) => {
    const name = input.UserName ?? (caller.kind === "user" ? caller.name : "");
    const user = store.users.get(named(account, name));
    const resource = user ? userArn(user) : `arn:aws:iam::${account}:user/${name}`;
    return [{ action: `iam:${action}`, resource, context: { ...tagContext(undefined, user?.tags), ...context(input) } }];
  };

/** @throws AwsError NoSuchEntity */
export function findUser(store: IamStore, account: string, name = ""): UserDocument {
  const user = store.users.get(named(account, name));
  if (!user) throw noSuchUser(name);
  return user;
}

// Without a name IAM means the user who signed.
function meant(store: IamStore, name: string | undefined, { account, caller }: Call): UserDocument {
  if (name !== undefined) return findUser(store, account, name);
  if (caller.kind !== "user") throw validationError("Must specify userName when calling with non-User credentials");
  return findUser(store, account, caller.name);
}

const createUser = ({ clock, random }: Core, store: IamStore) =>
  operation<CreateUserRequest, CreateUserResponse>({
    access: (input, { account }) => [
      {
        action: "iam:CreateUser",
        resource: `arn:aws:iam::${account}:user${input.Path ?? "/"}${input.UserName}`,
        context: tagContext(input.Tags),
      },
    ],
    run(input, { account }) {
      const { UserName: name = "" } = input;
      if (input.PermissionsBoundary !== undefined) throw notOffered("PermissionsBoundary", "permission boundaries");
      checkName("userName", name, 64);
      const user: UserDocument = {
        account,
        name,
        path: checkPath(input.Path),
        id: uniqueId("AIDA", random),
        created: clock.now().toISOString(),
        tags: mergeTags({}, input.Tags),
      };
      if (!store.users.insert(named(account, name), user)) throw userExists(name);
      return { User: describeUser(user) };
    },
  });

const getUser = (store: IamStore) =>
  operation<GetUserRequest, GetUserResponse>({
    access: onUser(store, "GetUser"),
    run: ({ UserName }, call) => ({ User: describeUser(meant(store, UserName, call)) }),
  });

const listUsers = (store: IamStore) =>
  operation<ListUsersRequest, ListUsersResponse>({
    access: ({ PathPrefix = "/" }, { account }) => [{ action: "iam:ListUsers", resource: `arn:aws:iam::${account}:user${PathPrefix}` }],
    run(input, { account }) {
      const { PathPrefix = "/" } = input;
      const { items, rest } = page(
        store.users
          .list([account])
          .map(({ value }) => value)
          .filter(({ path }) => path.startsWith(PathPrefix)),
        input,
      );
      return { Users: items.map((user) => ({ ...describeUser(user), Tags: undefined })), ...rest };
    },
  });

const deleteUser = (store: IamStore) =>
  operation<DeleteUserRequest, object>({
    access: onUser(store, "DeleteUser"),
    run({ UserName }, { account }) {
      const { name } = findUser(store, account, UserName);
      if (store.attachments.count(holding(account, "user", name)) > 0) throw hasAttached();
      if (store.inline.count(holding(account, "user", name)) > 0) throw hasInline();
      if (keysOf(store, account, name).length > 0) throw hasAccessKeys();
      store.users.delete(named(account, name));
      return {};
    },
  });

const keysOf = (store: IamStore, account: string, name: string): readonly AccessKeyDocument[] =>
  store.accessKeys.find("user", `${account}/${name.toLowerCase()}`).map(({ value }) => value);

const createAccessKey = ({ clock, random }: Core, store: IamStore) =>
  operation<CreateAccessKeyRequest, CreateAccessKeyResponse>({
    access: onUser(store, "CreateAccessKey"),
    run({ UserName }, call) {
      const { account, name } = meant(store, UserName, call);
      if (keysOf(store, account, name).length >= MOST_KEYS) throw quotaExceeded("AccessKeysPerUser", MOST_KEYS);
      const key: AccessKeyDocument = {
        accessKeyId: uniqueId("AKIA", random),
        secretAccessKey: newSecret(random),
        account,
        userName: name,
        status: "Active",
        created: clock.now().toISOString(),
      };
      store.accessKeys.put([key.accessKeyId], key);
      return {
        AccessKey: {
          ...describeKey(key),
          UserName: name,
          AccessKeyId: key.accessKeyId,
          Status: key.status,
          SecretAccessKey: key.secretAccessKey,
        },
      };
    },
  });

const listAccessKeys = (store: IamStore) =>
  operation<ListAccessKeysRequest, ListAccessKeysResponse>({
    access: onUser(store, "ListAccessKeys"),
    run(input, call) {
      const { account, name } = meant(store, input.UserName, call);
      const { items, rest } = page(keysOf(store, account, name), input);
      return { AccessKeyMetadata: items.map(describeKey), ...rest };
    },
  });

function findKey(store: IamStore, id: string, owner: UserDocument): AccessKeyDocument {
  const key = store.accessKeys.get([id]);
  if (!key || key.account !== owner.account || key.userName.toLowerCase() !== owner.name.toLowerCase()) throw noSuchAccessKey(id);
  return key;
}

const updateAccessKey = (store: IamStore) =>
  operation<UpdateAccessKeyRequest, object>({
    access: onUser(store, "UpdateAccessKey"),
    run({ UserName, AccessKeyId = "", Status }, call) {
      const key = findKey(store, AccessKeyId, meant(store, UserName, call));
      if (Status !== "Active" && Status !== "Inactive") throw validationError("Status must be Active or Inactive");
      store.accessKeys.put([AccessKeyId], { ...key, status: Status });
      return {};
    },
  });

const deleteAccessKey = (store: IamStore) =>
  operation<DeleteAccessKeyRequest, object>({
    access: onUser(store, "DeleteAccessKey"),
    run({ UserName, AccessKeyId = "" }, call) {
      findKey(store, AccessKeyId, meant(store, UserName, call));
      store.accessKeys.delete([AccessKeyId]);
      return {};
    },
  });

const describeKey = (key: AccessKeyDocument): AccessKeyMetadata => ({
  UserName: key.userName,
  AccessKeyId: key.accessKeyId,
  Status: key.status,
  CreateDate: new Date(key.created),
});

const describeUser = (user: UserDocument): User => ({
  UserName: user.name,
  UserId: user.id,
  Arn: userArn(user),
  Path: user.path,
  CreateDate: new Date(user.created),
  ...(Object.keys(user.tags).length > 0 && { Tags: tagList(user.tags) }),
});

/** Users and their access keys. */
export const userOperations = (core: Core, store: IamStore): Readonly<Record<string, AnyOperation>> => ({
  CreateAccessKey: createAccessKey(core, store),
  CreateUser: createUser(core, store),
  DeleteAccessKey: deleteAccessKey(store),
  DeleteUser: deleteUser(store),
  GetUser: getUser(store),
  ListAccessKeys: listAccessKeys(store),
  ListUsers: listUsers(store),
  UpdateAccessKey: updateAccessKey(store),
});
