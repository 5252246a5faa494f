import {
  type ExistingRequest,
  type Properties,
  type ResourceProvider,
  type ResourceRequest,
  tagsOf,
  type UpdateRequest,
} from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";
import { managedPolicyResource } from "./managed-policy-resource.ts";
import { HOLDERS, textsOf } from "./resource-holders.ts";

const gone = ignoring("NoSuchEntity");

interface Inline {
  readonly PolicyName: string;
  readonly PolicyDocument: unknown;
}

const inlineOf = (properties: Properties): readonly Inline[] => (properties["Policies"] ?? []) as unknown as readonly Inline[];
const arnsOf = (properties: Properties): readonly string[] => textsOf(properties["ManagedPolicyArns"]);
const text = (document: unknown): string => JSON.stringify(document);

const role: ResourceProvider = {
  type: "AWS::IAM::Role",
  properties: {
    RoleName: "string",
    Path: "string",
    Description: "string",
    AssumeRolePolicyDocument: "json",
    ManagedPolicyArns: ["string"],
    MaxSessionDuration: "number",
    Policies: [{ PolicyName: "string", PolicyDocument: "json" }],
    Tags: [{ Key: "string", Value: "string" }],
  },
  required: ["AssumeRolePolicyDocument"],
  replaceOn: ["RoleName", "Path"],
  attributes: ["Arn", "RoleId"],
  async create(request) {
    const { properties, call } = request;
    const RoleName = (properties["RoleName"] as string | undefined) ?? request.suggestedName(64, { allowed: "\\w+=,.@-" });
    const made = await call("iam", "CreateRole", {
      RoleName,
      AssumeRolePolicyDocument: text(properties["AssumeRolePolicyDocument"]),
      Tags: tagsOf(request),
      Path: properties["Path"],
      Description: properties["Description"],
      MaxSessionDuration: properties["MaxSessionDuration"],
    }).catch(request.resumed ? ignoring("EntityAlreadyExists") : rethrow);
    request.announce(RoleName);
    if (made === undefined) await changeRole(request, RoleName);
    await changePolicies(request, RoleName, {});
    return roleState(request, RoleName);
  },
  async update(request) {
    await changeRole(request, request.physicalId);
    await changePolicies(request, request.physicalId, request.previousProperties);
    await changeTags(request);
    return roleState(request, request.physicalId);
  },
  async delete({ physicalId: RoleName, properties, call }) {
    for (const PolicyArn of arnsOf(properties)) await call("iam", "DetachRolePolicy", { RoleName, PolicyArn }).catch(gone);
    for (const { PolicyName } of inlineOf(properties)) await call("iam", "DeleteRolePolicy", { RoleName, PolicyName }).catch(gone);
    await call("iam", "DeleteRole", { RoleName }).catch(gone);
  },
};

const rethrow = (error: unknown): never => {
  throw error;
};

async function changeRole({ properties, call }: ResourceRequest, RoleName: string): Promise<void> {
  await call("iam", "UpdateAssumeRolePolicy", { RoleName, PolicyDocument: text(properties["AssumeRolePolicyDocument"]) });
  await call("iam", "UpdateRole", {
    RoleName,
    Description: properties["Description"] ?? "",
    MaxSessionDuration: properties["MaxSessionDuration"] ?? 3600,
  });
}

async function changePolicies({ properties, call }: ResourceRequest, RoleName: string, previous: Properties): Promise<void> {
  for (const { PolicyName, PolicyDocument } of inlineOf(properties))
    await call("iam", "PutRolePolicy", { RoleName, PolicyName, PolicyDocument: text(PolicyDocument) });
  for (const PolicyArn of arnsOf(properties)) await call("iam", "AttachRolePolicy", { RoleName, PolicyArn });
  const kept = new Set(inlineOf(properties).map(({ PolicyName }) => PolicyName));
  for (const { PolicyName } of inlineOf(previous))
    if (!kept.has(PolicyName)) await call("iam", "DeleteRolePolicy", { RoleName, PolicyName }).catch(gone);
  const attached = new Set(arnsOf(properties));
  for (const PolicyArn of arnsOf(previous))
    if (!attached.has(PolicyArn)) await call("iam", "DetachRolePolicy", { RoleName, PolicyArn }).catch(gone);
}

async function changeTags(request: UpdateRequest): Promise<void> {
  const RoleName = request.physicalId;
  const now = tagsOf(request);
  const { Tags: before } = await request.call<{ Tags: readonly { Key: string }[] }>("iam", "ListRoleTags", { RoleName });
  const gone = before.map(({ Key }) => Key).filter((key) => !now.some(({ Key }) => Key === key));
  if (gone.length > 0) await request.call("iam", "UntagRole", { RoleName, TagKeys: gone });
  if (now.length > 0) await request.call("iam", "TagRole", { RoleName, Tags: now });
}

async function roleState({ call }: ResourceRequest, RoleName: string) {
  const { Role } = await call<{ Role: { Arn: string; RoleId: string } }>("iam", "GetRole", { RoleName });
  return { physicalId: RoleName, attributes: { Arn: Role.Arn, RoleId: Role.RoleId } };
}

/** An inline policy that CloudFormation puts on roles and users made elsewhere. */
const policy: ResourceProvider = {
  type: "AWS::IAM::Policy",
  properties: { PolicyName: "string", PolicyDocument: "json", Roles: ["string"], Users: ["string"] },
  required: ["PolicyName", "PolicyDocument"],
  replaceOn: ["PolicyName"],
  attributes: ["Id"],
  async create(request) {
    const id = request.suggestedName(64);
    await putInline(request);
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(request) {
    await putInline(request);
    await deleteInline({ ...request, properties: request.previousProperties }, request.properties);
    return { physicalId: request.physicalId, attributes: { Id: request.physicalId } };
  },
  delete: (request) => deleteInline(request, {}),
};

async function putInline({ properties, call }: ResourceRequest): Promise<void> {
  const PolicyDocument = text(properties["PolicyDocument"]);
  for (const { list, word } of HOLDERS)
    for (const name of textsOf(properties[list]))
      await call("iam", `Put${word}Policy`, { [`${word}Name`]: name, PolicyName: properties["PolicyName"], PolicyDocument });
}

async function deleteInline({ properties, call }: ExistingRequest, kept: Properties): Promise<void> {
  for (const { list, word } of HOLDERS)
    for (const name of textsOf(properties[list]))
      if (!textsOf(kept[list]).includes(name))
        await call("iam", `Delete${word}Policy`, { [`${word}Name`]: name, PolicyName: properties["PolicyName"] }).catch(gone);
}

/** The CloudFormation types of IAM. */
export const iamResources: readonly ResourceProvider[] = [role, policy, managedPolicyResource];
