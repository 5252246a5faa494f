import type { Properties, PropertyShape, ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";

const json: PropertyShape = "json";

/** AWS::CodeBuild::Project. CloudFormation writes the API's members with capitals. */
const project: ResourceProvider = {
  type: "AWS::CodeBuild::Project",
  properties: {
    Name: "string",
    Description: "string",
    Source: json,
    SecondarySources: json,
    SecondarySourceVersions: json,
    Artifacts: json,
    SecondaryArtifacts: json,
    Environment: json,
    ServiceRole: "string",
    TimeoutInMinutes: "number",
    QueuedTimeoutInMinutes: "number",
    EncryptionKey: "string",
    LogsConfig: json,
    Cache: json,
    SourceVersion: "string",
    ConcurrentBuildLimit: "number",
    Tags: [{ Key: "string", Value: "string" }],
  },
  required: ["Artifacts", "Environment", "ServiceRole", "Source"],
  replaceOn: ["Name"],
  attributes: ["Arn"],
  async create(request) {
    const name = (request.properties["Name"] as string | undefined) ?? request.suggestedName(255);
    await request.call("codebuild", "CreateProject", { ...inputOf(request), name }).catch((error: { code?: string }) => {
      if (!request.resumed || error.code !== "ResourceAlreadyExistsException") throw error;
    });
    return state(request, name);
  },
  async update(request) {
    await request.call("codebuild", "UpdateProject", { ...inputOf(request), name: request.physicalId });
    return state(request, request.physicalId);
  },
  delete: (request) => request.call("codebuild", "DeleteProject", { name: request.physicalId }).then(() => undefined),
};

export const codebuildResources: readonly ResourceProvider[] = [project];

const state = ({ stack }: ResourceRequest, name: string) => ({
  physicalId: name,
  attributes: { Arn: `arn:aws:codebuild:${stack.region}:${stack.account}:project/${name}` },
});

function inputOf(request: ResourceRequest): object {
  const { Tags: _tags, ...properties } = request.properties;
  const input = lowered(properties) as Record<string, unknown>;
  const source = input["source"] as Record<string, unknown> | undefined;
  // `BuildSpec` is `buildspec` in the API, `ARN` is `arn`: not the rule.
  if (source && "buildSpec" in source) input["source"] = { ...source, buildspec: source["buildSpec"], buildSpec: undefined };
  return { ...input, tags: tagsOf(request).map(({ Key, Value }) => ({ key: Key, value: Value })) };
}

/** The same value with the first letter of every member small. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Properties).map(([name, member]) => [name.charAt(0).toLowerCase() + name.slice(1), lowered(member)]),
  );
}
