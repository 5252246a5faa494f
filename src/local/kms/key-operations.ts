import type {
  CancelKeyDeletionRequest,
  CancelKeyDeletionResponse,
  CreateKeyRequest,
  CreateKeyResponse,
  DescribeKeyRequest,
  DescribeKeyResponse,
  DisableKeyRequest,
  DisableKeyRotationRequest,
  EnableKeyRequest,
  EnableKeyRotationRequest,
  GetKeyRotationStatusRequest,
  GetKeyRotationStatusResponse,
  KeyMetadata,
  ListKeysRequest,
  ListKeysResponse,
  ScheduleKeyDeletionRequest,
  ScheduleKeyDeletionResponse,
  UpdateKeyDescriptionRequest,
} from "@aws-sdk/client-kms";

import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { invalidMarker, isNotPendingDeletion, isPendingDeletion, unsupported, validation } from "./errors.ts";
import { accessToKey, change, find, type Kms, newKey } from "./keys.ts";
import { checkKeyPolicy, defaultPolicy } from "./policies.ts";
import { type Key, keyArn } from "./store.ts";
import { tagContext, tagMap } from "./tags.ts";

const DAY_MS = 86_400_000;
const WINDOW = { shortest: 7, usual: 30, longest: 30 };

interface Named {
  readonly KeyId: string | undefined;
}

/** CreateKey knows one member more than AWS: whoever makes a key in steps that may be repeated names the step. */
type CreateInput = CreateKeyRequest & { readonly ClientToken?: string };

const createKey = (kms: Kms) =>
  operation<CreateInput, CreateKeyResponse>({
    access: ({ Tags }) => [
      { action: "kms:CreateKey", resource: "*", context: tagContext(Tags) },
      ...(Tags && Tags.length > 0 ? [{ action: "kms:TagResource", resource: "*", context: tagContext(Tags) }] : []),
    ],
    run(input, call) {
      const { account, region } = call;
      checkSpec(input);
      const earlier =
        input.ClientToken === undefined
          ? undefined
          : kms.store.keys.list([account, region]).find(({ value }) => value.clientToken === input.ClientToken);
      if (earlier) return { KeyMetadata: describe(earlier.value) };
      const policy = input.Policy ?? defaultPolicy(account);
      const key = newKey(kms, {
        account,
        region,
        policy,
        description: input.Description ?? "",
        tags: tagMap(input.Tags),
        ...(input.ClientToken !== undefined && { clientToken: input.ClientToken }),
      });
      checkKeyPolicy(kms, call, { key, policy, bypass: input.BypassPolicyLockoutSafetyCheck ?? false });
      kms.store.keys.put([account, region, key.id], key);
      return { KeyMetadata: describe(key) };
    },
  });

function checkSpec({ KeySpec, CustomerMasterKeySpec, KeyUsage, Origin, MultiRegion }: CreateKeyRequest): void {
  const spec = KeySpec ?? CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  if (spec !== "SYMMETRIC_DEFAULT") throw unsupported(`keys of the spec ${spec}`);
  if (KeyUsage !== undefined && KeyUsage !== "ENCRYPT_DECRYPT") throw unsupported(`keys for ${KeyUsage}`);
  if (Origin !== undefined && Origin !== "AWS_KMS") throw unsupported(`keys of the origin ${Origin}`);
  if (MultiRegion) throw unsupported("multi-Region keys");
}

const describeKey = (kms: Kms) =>
  operation<DescribeKeyRequest, DescribeKeyResponse>({
    access: accessToKey(kms, "DescribeKey"),
    run: ({ KeyId }, call) => ({ KeyMetadata: describe(find(kms, KeyId, call)) }),
  });

const listKeys = ({ store }: Kms) =>
  operation<ListKeysRequest, ListKeysResponse>({
    access: () => [{ action: "kms:ListKeys", resource: "*" }],
    run({ Marker, Limit = 100 }, { account, region }) {
      const keys = store.keys.list([account, region]).map(({ value }) => ({ KeyId: value.id, KeyArn: keyArn(value) }));
      const { items, next } = pageOf(keys, { token: Marker, limit: Limit, invalid: invalidMarker });
      return { Keys: items, Truncated: next !== undefined, ...(next !== undefined && { NextMarker: next }) };
    },
  });

/** An operation that changes a key that is not about to go, and answers nothing. */
const changing = <Input extends Named>(kms: Kms, action: string, changed: (key: Key, input: Input) => Key) =>
  operation<Input, object>({
    access: accessToKey<Input>(kms, action),
    run(input, call: Call) {
      change(kms, call, { keyId: input.KeyId, change: (key) => changed(notPending(key), input) });
      return {};
    },
  });

function notPending(key: Key): Key {
  if (key.deletion !== undefined) throw isPendingDeletion(keyArn(key));
  return key;
}

const scheduleKeyDeletion = (kms: Kms) =>
  operation<ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse>({
    access: accessToKey<ScheduleKeyDeletionRequest>(kms, "ScheduleKeyDeletion", ({ PendingWindowInDays = WINDOW.usual }) => ({
      "kms:ScheduleKeyDeletionPendingWindowInDays": String(PendingWindowInDays),
    })),
    run({ KeyId, PendingWindowInDays: days = WINDOW.usual }, call) {
      if (days < WINDOW.shortest || days > WINDOW.longest)
        throw validation(
          `1 validation error detected: Value '${days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between ${WINDOW.shortest} and ${WINDOW.longest}`,
        );
      const deletion = new Date(kms.core.clock.now().getTime() + days * DAY_MS);
      const key = change(kms, call, {
        keyId: KeyId,
        change: (before) => ({ ...notPending(before), deletion: deletion.toISOString(), isEnabled: false }),
      });
      return { KeyId: keyArn(key), DeletionDate: deletion, KeyState: "PendingDeletion", PendingWindowInDays: days };
    },
  });

const cancelKeyDeletion = (kms: Kms) =>
  operation<CancelKeyDeletionRequest, CancelKeyDeletionResponse>({
    access: accessToKey(kms, "CancelKeyDeletion"),
    run({ KeyId }, call) {
      const key = change(kms, call, {
        keyId: KeyId,
        change({ deletion, ...rest }) {
          if (deletion === undefined) throw isNotPendingDeletion(keyArn(rest));
          return rest;
        },
      });
      return { KeyId: keyArn(key) };
    },
  });

const getKeyRotationStatus = (kms: Kms) =>
  operation<GetKeyRotationStatusRequest, GetKeyRotationStatusResponse>({
    access: accessToKey(kms, "GetKeyRotationStatus"),
    run({ KeyId }, call) {
      const key = find(kms, KeyId, call);
      return {
        KeyId: keyArn(key),
        KeyRotationEnabled: key.rotationDays !== undefined,
        ...(key.rotationDays !== undefined && { RotationPeriodInDays: key.rotationDays }),
      };
    },
  });

const stateOf = ({ deletion, isEnabled }: Key) => (deletion !== undefined ? "PendingDeletion" : isEnabled ? "Enabled" : "Disabled");

/** A key as the API writes it. */
export const describe = (key: Key): KeyMetadata => ({
  AWSAccountId: key.account,
  KeyId: key.id,
  Arn: keyArn(key),
  CreationDate: new Date(key.created),
  Enabled: key.isEnabled,
  Description: key.description,
  KeyUsage: "ENCRYPT_DECRYPT",
  KeyState: stateOf(key),
  Origin: "AWS_KMS",
  KeyManager: key.manager,
  CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
  KeySpec: "SYMMETRIC_DEFAULT",
  EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
  MultiRegion: false,
  ...(key.deletion !== undefined && { DeletionDate: new Date(key.deletion) }),
});

/** Keys themselves. */
export const keyOperations = (kms: Kms): Readonly<Record<string, AnyOperation>> => ({
  CancelKeyDeletion: cancelKeyDeletion(kms),
  CreateKey: createKey(kms),
  DescribeKey: describeKey(kms),
  DisableKey: changing<DisableKeyRequest>(kms, "DisableKey", (key) => ({ ...key, isEnabled: false })),
  DisableKeyRotation: changing<DisableKeyRotationRequest>(kms, "DisableKeyRotation", ({ rotationDays: _gone, ...key }) => key),
  EnableKey: changing<EnableKeyRequest>(kms, "EnableKey", (key) => ({ ...key, isEnabled: true })),
  EnableKeyRotation: changing<EnableKeyRotationRequest>(kms, "EnableKeyRotation", (key, { RotationPeriodInDays = 365 }) => ({
    ...key,
    rotationDays: RotationPeriodInDays,
  })),
  GetKeyRotationStatus: getKeyRotationStatus(kms),
  ListKeys: listKeys(kms),
  ScheduleKeyDeletion: scheduleKeyDeletion(kms),
  UpdateKeyDescription: changing<UpdateKeyDescriptionRequest>(kms, "UpdateKeyDescription", (key, { Description = "" }) => ({
    ...key,
    description: Description,
  })),
});
