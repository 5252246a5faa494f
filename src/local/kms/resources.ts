import {
  type ResourceProvider,
  type ResourceRequest,
  type ResourceState,
  tagsOf,
  type UpdateRequest,
} from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";

const gone = ignoring("NotFoundException");

const tagged = (request: Pick<ResourceRequest, "stack" | "properties">) =>
  tagsOf(request).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));

const key: ResourceProvider = {
  type: "AWS::KMS::Key",
  properties: {
    KeyPolicy: "json",
    Description: "string",
    Enabled: "boolean",
    EnableKeyRotation: "boolean",
    RotationPeriodInDays: "number",
    PendingWindowInDays: "number",
    KeySpec: "string",
    KeyUsage: "string",
    Origin: "string",
    MultiRegion: "boolean",
    BypassPolicyLockoutSafetyCheck: "boolean",
    Tags: [{ Key: "string", Value: "string" }],
  },
  replaceOn: ["KeySpec", "KeyUsage", "Origin", "MultiRegion"],
  attributes: ["Arn", "KeyId"],
  async create(request) {
    const { KeyPolicy, Description, KeySpec, KeyUsage, Origin, MultiRegion, BypassPolicyLockoutSafetyCheck } = request.properties;
    const { KeyMetadata } = await request.call<{ KeyMetadata: { KeyId: string; Arn: string } }>("kms", "CreateKey", {
      Description,
      KeySpec,
      KeyUsage,
      Origin,
      MultiRegion,
      BypassPolicyLockoutSafetyCheck,
      Tags: tagged(request),
      ClientToken: request.token,
      ...(KeyPolicy !== undefined && { Policy: JSON.stringify(KeyPolicy) }),
    });
    request.announce(KeyMetadata.KeyId);
    await changeRotation(request, KeyMetadata.KeyId);
    if (request.properties["Enabled"] === false) await request.call("kms", "DisableKey", { KeyId: KeyMetadata.KeyId });
    return state(request, KeyMetadata.KeyId);
  },
  async update(request) {
    const { properties, physicalId: KeyId, call } = request;
    const { KeyPolicy, BypassPolicyLockoutSafetyCheck } = properties;
    if (KeyPolicy !== undefined)
      await call("kms", "PutKeyPolicy", {
        KeyId,
        PolicyName: "default",
        Policy: JSON.stringify(KeyPolicy),
        BypassPolicyLockoutSafetyCheck,
      });
    await call("kms", "UpdateKeyDescription", { KeyId, Description: properties["Description"] ?? "" });
    await call("kms", properties["Enabled"] === false ? "DisableKey" : "EnableKey", { KeyId });
    await changeRotation(request, KeyId);
    await changeTags(request);
    return state(request, KeyId);
  },
  delete: async ({ physicalId: KeyId, properties, call }) => {
    // One that waits for its deletion already is as good as deleted.
    await call("kms", "ScheduleKeyDeletion", { KeyId, PendingWindowInDays: properties["PendingWindowInDays"] ?? 30 }).catch(
      ignoring("NotFoundException", "KMSInvalidStateException"),
    );
  },
};

async function changeRotation({ properties, call }: ResourceRequest, KeyId: string): Promise<void> {
  if (properties["EnableKeyRotation"] === true)
    await call("kms", "EnableKeyRotation", { KeyId, RotationPeriodInDays: properties["RotationPeriodInDays"] ?? 365 });
  else await call("kms", "DisableKeyRotation", { KeyId });
}

async function changeTags(request: UpdateRequest): Promise<void> {
  const KeyId = request.physicalId;
  const now = tagged(request);
  const { Tags: before } = await request.call<{ Tags: readonly { TagKey: string }[] }>("kms", "ListResourceTags", { KeyId });
  const removed = before.map(({ TagKey }) => TagKey).filter((name) => !now.some(({ TagKey }) => TagKey === name));
  if (removed.length > 0) await request.call("kms", "UntagResource", { KeyId, TagKeys: removed });
  if (now.length > 0) await request.call("kms", "TagResource", { KeyId, Tags: now });
}

const state = ({ stack }: ResourceRequest, id: string): ResourceState => ({
  physicalId: id,
  attributes: { Arn: `arn:aws:kms:${stack.region}:${stack.account}:key/${id}`, KeyId: id },
});

const alias: ResourceProvider = {
  type: "AWS::KMS::Alias",
  properties: { AliasName: "string", TargetKeyId: "string" },
  required: ["AliasName", "TargetKeyId"],
  replaceOn: ["AliasName"],
  attributes: [],
  async create({ properties, call, resumed }) {
    const { AliasName, TargetKeyId } = properties;
    await call("kms", "CreateAlias", { AliasName, TargetKeyId }).catch((error: unknown) => {
      if (!resumed) throw error;
      ignoring("AlreadyExistsException")(error);
      return call("kms", "UpdateAlias", { AliasName, TargetKeyId });
    });
    return { physicalId: String(AliasName), attributes: {} };
  },
  async update({ properties, physicalId, call }) {
    await call("kms", "UpdateAlias", { AliasName: physicalId, TargetKeyId: properties["TargetKeyId"] });
    return { physicalId, attributes: {} };
  },
  delete: async ({ physicalId, call }) => {
    await call("kms", "DeleteAlias", { AliasName: physicalId }).catch(gone);
  },
};

/** The CloudFormation types of KMS. */
export const kmsResources: readonly ResourceProvider[] = [key, alias];
