import { type AccountId, parseAccountId } from "../../kit/account-id.ts";
import type { Access, Call, Core } from "../gateway/service.ts";
import { isAwsManaged, isDisabled, isPendingDeletion, noSuchAlias, noSuchKey } from "./errors.ts";
import { aliasArn, type Key, keyArn, type KeyStore } from "./store.ts";

/** KMS as its operations share it. */
export interface Kms {
  readonly core: Core;
  readonly store: KeyStore;
}

type Place = { readonly account: AccountId; readonly region: string };

/** What a request calls a key: an id, an ARN, `alias/…` or an alias's ARN. */
function placeOf(text: string, { account, region }: Place): Place & { readonly name: string } {
  const match = /^arn:[^:]+:kms:([^:]+):(\d{12}):(.+)$/.exec(text);
  if (!match) return { account, region, name: text };
  return { region: match[1] ?? region, account: parseAccountId(match[2] ?? account), name: (match[3] ?? "").replace(/^key\//, "") };
}

/** The key that a text names, unless it does not exist or its deletion is over. */
export function lookUp({ core, store }: Kms, text: string, call: Place): Key | undefined {
  const { account, region, name } = placeOf(text, call);
  const aws = /^alias\/aws\/([a-z0-9-]+)$/.exec(name)?.[1];
  if (aws !== undefined) ensureAwsManaged({ core, store }, { account, region }, aws);
  const id = name.startsWith("alias/") ? store.aliases.get([account, region, name])?.keyId : name;
  const key = id === undefined ? undefined : store.keys.get([account, region, id]);
  if (!key?.deletion || key.deletion > core.clock.now().toISOString()) return key;
  forget({ core, store }, key);
  return undefined;
}

// A key whose window has ended goes with its aliases.
function forget({ core, store }: Kms, { account, region, id }: Key): void {
  core.database.transaction(() => {
    store.keys.delete([account, region, id]);
    for (const { key, value } of store.aliases.list([account, region])) if (value.keyId === id) store.aliases.delete(key);
  });
}

/** @throws AwsError NotFoundException */
export function find(kms: Kms, text: string | undefined, call: Call): Key {
  const key = lookUp(kms, text ?? "", call);
  if (key) return key;
  const { account, region, name } = placeOf(text ?? "", call);
  throw name.startsWith("alias/") ? noSuchAlias(aliasArn({ account, region }, name)) : noSuchKey(keyArn({ account, region, id: name }));
}

/** A key that works. @throws AwsError NotFoundException, DisabledException, KMSInvalidStateException */
export function findUsable(kms: Kms, text: string | undefined, call: Call): Key {
  const key = find(kms, text, call);
  if (key.deletion !== undefined) throw isPendingDeletion(keyArn(key));
  if (!key.isEnabled) throw isDisabled(keyArn(key));
  return key;
}

/** Writes a changed key of a customer. @throws AwsError NotFoundException, AccessDeniedException */
export function change(kms: Kms, call: Call, of: { readonly keyId: string | undefined; change(key: Key): Key }): Key {
  const before = find(kms, of.keyId, call);
  if (before.manager === "AWS") throw isAwsManaged(keyArn(before));
  const after = of.change(before);
  kms.store.keys.put([after.account, after.region, after.id], after);
  return after;
}

/** What IAM must allow for something done with a key: its policy must allow by itself. */
export const accessToKey =
  <Input extends { readonly KeyId?: string | undefined }>(
    kms: Kms,
    action: string,
    contextOf: (input: Input) => Access["context"] = () => ({}),
  ) =>
  (input: Input, call: Call): readonly Access[] => [accessOf(kms, { action, keyId: input.KeyId ?? "", call, context: contextOf(input) })];

export function accessOf(
  kms: Kms,
  of: { readonly action: string; readonly keyId: string; readonly call: Call; readonly context?: Access["context"] },
): Access {
  const { action, keyId, call, context } = of;
  const key = lookUp(kms, keyId, call);
  const name = `kms:${action}`;
  // For what is not there `run` answers, to those whose own policies let them ask.
  if (!key)
    return {
      action: name,
      resource: keyId.startsWith("arn:") ? keyId : keyArn({ ...placeOf(keyId, call), id: keyId }),
      context: context ?? {},
    };
  const arn = keyArn(key);
  return {
    action: name,
    resource: arn,
    context: {
      ...keyContext(kms, key),
      ...(placeOf(keyId, call).name.startsWith("alias/") && { "kms:RequestAlias": placeOf(keyId, call).name }),
      ...context,
    },
    resourcePolicy: { document: key.policy, name: `the key policy of ${arn}`, account: key.account, mode: "key" },
  };
}

function keyContext({ store }: Kms, { account, region, id, tags }: Key): Record<string, string | readonly string[]> {
  const aliases = store.aliases
    .list([account, region])
    .filter(({ value }) => value.keyId === id)
    .map(({ value }) => value.name);
  return {
    "kms:KeySpec": "SYMMETRIC_DEFAULT",
    "kms:KeyUsage": "ENCRYPT_DECRYPT",
    "kms:KeyOrigin": "AWS_KMS",
    "kms:MultiRegion": "false",
    ...(aliases.length > 0 && { "kms:ResourceAliases": aliases }),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
  };
}

/** A new key, not yet stored. */
export function newKey({ core }: Kms, of: Place & Pick<Key, "policy"> & Partial<Key>): Key {
  return {
    id: core.random.uuid(),
    created: core.clock.now().toISOString(),
    description: "",
    manager: "CUSTOMER",
    isEnabled: true,
    tags: {},
    material: Buffer.from(core.random.hex(64), "hex").toString("base64"),
    ...of,
  };
}

// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
function ensureAwsManaged(kms: Kms, { account, region }: Place, service: string): void {
  const name = `alias/aws/${service}`;
  if (kms.store.aliases.get([account, region, name])) return;
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: `Allow access through ${service} for all principals in the account that are authorized to use it`,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
        Resource: "*",
        Condition: { StringEquals: { "kms:CallerAccount": account, "kms:ViaService": `${service}.${region}.amazonaws.com` } },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        Resource: "*",
      },
    ],
  });
  const key = newKey(kms, {
    account,
    region,
    policy,
    manager: "AWS",
    description: `Default key that protects data of ${service} when no other key is defined`,
    rotationDays: 365,
  });
  kms.core.database.transaction(() => {
    kms.store.keys.put([account, region, key.id], key);
    kms.store.aliases.put([account, region, name], { name, keyId: key.id, created: key.created, updated: key.created });
  });
}
