import type {
  CreateAliasRequest,
  DeleteAliasRequest,
  ListAliasesRequest,
  ListAliasesResponse,
  UpdateAliasRequest,
} from "@aws-sdk/client-kms";

import { pageOf } from "../gateway/paging.ts";
import { type Access, type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { aliasExists, invalidAlias, invalidMarker, isPendingDeletion, noSuchAlias } from "./errors.ts";
import { accessOf, find, type Kms } from "./keys.ts";
import { type Alias, aliasArn, type Key, keyArn } from "./store.ts";

/** IAM is asked for the alias, by identity-based policies alone, and for each key, by its policy. */
const accessToAlias =
  (kms: Kms, action: string) =>
  (call: Call, name: string, keyIds: readonly (string | undefined)[]): readonly Access[] => [
    { action: `kms:${action}`, resource: aliasArn(call, name) },
    ...keyIds.flatMap((keyId) => (keyId === undefined ? [] : [accessOf(kms, { action, keyId, call })])),
  ];

const targetOf = ({ store }: Kms, { account, region }: Call, name: string): string | undefined =>
  store.aliases.get([account, region, name])?.keyId;

function checkName(name: string): void {
  if (!name.startsWith("alias/"))
    throw invalidAlias(
      'Alias must start with the prefix "alias/". Please see http://docs.aws.amazon.com/kms/latest/developerguide/programming-aliases.html',
    );
  if (name.startsWith("alias/aws/")) throw invalidAlias("Alias names that begin with alias/aws/ are reserved for AWS managed keys.");
  if (!/^alias\/[a-zA-Z0-9/_-]{1,250}$/.test(name)) throw invalidAlias("Alias must match the pattern ^[a-zA-Z0-9/_-]+$");
}

function targetKey(kms: Kms, keyId: string | undefined, call: Call): Key {
  const key = find(kms, keyId, call);
  if (key.deletion !== undefined) throw isPendingDeletion(keyArn(key));
  return key;
}

const createAlias = (kms: Kms) =>
  operation<CreateAliasRequest, object>({
    access: ({ AliasName = "", TargetKeyId }, call) => accessToAlias(kms, "CreateAlias")(call, AliasName, [TargetKeyId]),
    run({ AliasName: name = "", TargetKeyId }, call) {
      checkName(name);
      const { id: keyId } = targetKey(kms, TargetKeyId, call);
      const now = kms.core.clock.now().toISOString();
      if (!kms.store.aliases.insert([call.account, call.region, name], { name, keyId, created: now, updated: now }))
        throw aliasExists(aliasArn(call, name));
      return {};
    },
  });

function existing({ store }: Kms, call: Call, name: string): Alias {
  const alias = store.aliases.get([call.account, call.region, name]);
  if (!alias) throw noSuchAlias(aliasArn(call, name));
  return alias;
}

const updateAlias = (kms: Kms) =>
  operation<UpdateAliasRequest, object>({
    access: ({ AliasName = "", TargetKeyId }, call) =>
      accessToAlias(kms, "UpdateAlias")(call, AliasName, [TargetKeyId, targetOf(kms, call, AliasName)]),
    run({ AliasName: name = "", TargetKeyId }, call) {
      checkName(name);
      const alias = existing(kms, call, name);
      const { id: keyId } = targetKey(kms, TargetKeyId, call);
      kms.store.aliases.put([call.account, call.region, name], { ...alias, keyId, updated: kms.core.clock.now().toISOString() });
      return {};
    },
  });

const deleteAlias = (kms: Kms) =>
  operation<DeleteAliasRequest, object>({
    access: ({ AliasName = "" }, call) => accessToAlias(kms, "DeleteAlias")(call, AliasName, [targetOf(kms, call, AliasName)]),
    run({ AliasName: name = "" }, call) {
      checkName(name);
      existing(kms, call, name);
      kms.store.aliases.delete([call.account, call.region, name]);
      return {};
    },
  });

const listAliases = (kms: Kms) =>
  operation<ListAliasesRequest, ListAliasesResponse>({
    access: () => [{ action: "kms:ListAliases", resource: "*" }],
    run({ KeyId, Marker, Limit = 50 }, call) {
      const { account, region } = call;
      const wanted = KeyId === undefined ? undefined : find(kms, KeyId, call).id;
      const aliases = kms.store.aliases
        .list([account, region])
        .map(({ value }) => value)
        .filter(({ keyId }) => wanted === undefined || keyId === wanted);
      const { items, next } = pageOf(aliases, { token: Marker, limit: Limit, invalid: invalidMarker });
      return {
        Aliases: items.map(({ name, keyId, created, updated }) => ({
          AliasName: name,
          AliasArn: aliasArn(call, name),
          TargetKeyId: keyId,
          CreationDate: new Date(created),
          LastUpdatedDate: new Date(updated),
        })),
        Truncated: next !== undefined,
        ...(next !== undefined && { NextMarker: next }),
      };
    },
  });

/** Names of keys. */
export const aliasOperations = (kms: Kms): Readonly<Record<string, AnyOperation>> => ({
  CreateAlias: createAlias(kms),
  DeleteAlias: deleteAlias(kms),
  ListAliases: listAliases(kms),
  UpdateAlias: updateAlias(kms),
});
