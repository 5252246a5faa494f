import type { ExistingRequest, Properties, ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";
import { HOLDERS, textsOf } from "./resource-holders.ts";

const gone = ignoring("NoSuchEntity");
const MOST_VERSIONS = 5;

interface Described {
  readonly Arn: string;
  readonly PolicyId: string;
  readonly DefaultVersionId: string;
  readonly AttachmentCount: number;
  readonly CreateDate: Date;
  readonly UpdateDate: Date;
}

/** A customer managed policy; `Ref` gives its ARN. */
export const managedPolicyResource: ResourceProvider = {
  type: "AWS::IAM::ManagedPolicy",
  properties: {
    ManagedPolicyName: "string",
    Path: "string",
    Description: "string",
    PolicyDocument: "json",
    Roles: ["string"],
    Users: ["string"],
  },
  required: ["PolicyDocument"],
  replaceOn: ["ManagedPolicyName", "Path", "Description"],
  attributes: [
    "PolicyArn",
    "PolicyId",
    "AttachmentCount",
    "CreateDate",
    "UpdateDate",
    "DefaultVersionId",
    "IsAttachable",
    "PermissionsBoundaryUsageCount",
  ],
  async create(request) {
    const { properties, call } = request;
    const PolicyName = (properties["ManagedPolicyName"] as string | undefined) ?? request.suggestedName(128, { allowed: "\\w+=,.@-" });
    const arn = `arn:aws:iam::${request.stack.account}:policy${(properties["Path"] as string | undefined) ?? "/"}${PolicyName}`;
    const PolicyDocument = JSON.stringify(properties["PolicyDocument"]);
    const made = await call("iam", "CreatePolicy", {
      PolicyName,
      PolicyDocument,
      Path: properties["Path"],
      Description: properties["Description"],
    }).catch((error: unknown) => {
      if (request.resumed) return ignoring("EntityAlreadyExists")(error);
      throw error;
    });
    request.announce(arn);
    if (made === undefined) await putVersion(request, arn);
    await attachAll(request, arn);
    return describe(request, arn);
  },
  async update(request) {
    await putVersion(request, request.physicalId);
    await attachAll(request, request.physicalId);
    await detachAll({ ...request, properties: request.previousProperties }, request.properties);
    return describe(request, request.physicalId);
  },
  async delete(request) {
    await detachAll(request, {});
    for (const { VersionId } of (await versions(request).catch(gone)) ?? [])
      await request.call("iam", "DeletePolicyVersion", { PolicyArn: request.physicalId, VersionId }).catch(gone);
    await request.call("iam", "DeletePolicy", { PolicyArn: request.physicalId }).catch(gone);
  },
};

/** The versions that are not the default one, oldest first. */
async function versions({
  call,
  physicalId,
}: Pick<ExistingRequest, "call" | "physicalId">): Promise<readonly { readonly VersionId: string }[]> {
  const { Versions } = await call<{ Versions: readonly { VersionId: string; IsDefaultVersion: boolean }[] }>("iam", "ListPolicyVersions", {
    PolicyArn: physicalId,
  });
  return Versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion).toReversed();
}

async function putVersion({ properties, call }: ResourceRequest, PolicyArn: string): Promise<void> {
  const old = await versions({ call, physicalId: PolicyArn });
  if (old.length >= MOST_VERSIONS - 1) await call("iam", "DeletePolicyVersion", { PolicyArn, VersionId: old[0]?.VersionId });
  await call("iam", "CreatePolicyVersion", { PolicyArn, PolicyDocument: JSON.stringify(properties["PolicyDocument"]), SetAsDefault: true });
}

async function attachAll({ properties, call }: ResourceRequest, PolicyArn: string): Promise<void> {
  for (const { list, word } of HOLDERS)
    for (const name of textsOf(properties[list])) await call("iam", `Attach${word}Policy`, { [`${word}Name`]: name, PolicyArn });
}

async function detachAll({ properties, call, physicalId: PolicyArn }: ExistingRequest, kept: Properties): Promise<void> {
  for (const { list, word } of HOLDERS)
    for (const name of textsOf(properties[list]))
      if (!textsOf(kept[list]).includes(name)) await call("iam", `Detach${word}Policy`, { [`${word}Name`]: name, PolicyArn }).catch(gone);
}

async function describe({ call }: ResourceRequest, PolicyArn: string) {
  const { Policy } = await call<{ Policy: Described }>("iam", "GetPolicy", { PolicyArn });
  return {
    physicalId: PolicyArn,
    attributes: {
      PolicyArn,
      PolicyId: Policy.PolicyId,
      AttachmentCount: Policy.AttachmentCount,
      DefaultVersionId: Policy.DefaultVersionId,
      IsAttachable: true,
      PermissionsBoundaryUsageCount: 0,
      CreateDate: Policy.CreateDate.toISOString(),
      UpdateDate: Policy.UpdateDate.toISOString(),
    },
  };
}
