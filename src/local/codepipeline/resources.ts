import type { Properties, PropertyShape, ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";

const json: PropertyShape = "json";

/** AWS::CodePipeline::Pipeline. CloudFormation writes the API's members with capitals. */
const pipeline: ResourceProvider = {
  type: "AWS::CodePipeline::Pipeline",
  properties: {
    Name: "string", RoleArn: "string", ArtifactStore: json, ArtifactStores: json, Stages: json, PipelineType: "string", ExecutionMode: "string", RestartExecutionOnUpdate: "boolean",
    DisableInboundStageTransitions: json, Triggers: json, Variables: json, Tags: [{ Key: "string", Value: "string" }],
  },
  required: ["RoleArn", "Stages"],
  replaceOn: ["Name"],
  attributes: ["Version"],
  async create(request) {
    const name = (request.properties["Name"] as string | undefined) ?? request.suggestedName(100);
    const tags = tagsOf(request).map(({ Key, Value }) => ({ key: Key, value: Value }));
    await request.call("codepipeline", "CreatePipeline", { pipeline: declarationOf(request, name), tags }).catch((error: { code?: string }) => {
      if (!request.resumed || error.code !== "PipelineNameInUseException") throw error;
    });
    return state(request, name);
  },
  async update(request) {
    await request.call("codepipeline", "UpdatePipeline", { pipeline: declarationOf(request, request.physicalId) });
    if (request.properties["RestartExecutionOnUpdate"] === true) await request.call("codepipeline", "StartPipelineExecution", { name: request.physicalId });
    return state(request, request.physicalId);
  },
  delete: (request) => request.call("codepipeline", "DeletePipeline", { name: request.physicalId }).then(() => undefined),
};

export const codepipelineResources: readonly ResourceProvider[] = [pipeline];

async function state(request: ResourceRequest, name: string) {
  const { pipeline: found } = await request.call<{ pipeline: { version: number } }>("codepipeline", "GetPipeline", { name });
  return { physicalId: name, attributes: { Version: String(found.version) } };
}

function declarationOf(request: ResourceRequest, name: string): object {
  const { Tags: _tags, RestartExecutionOnUpdate: _restart, DisableInboundStageTransitions: _disabled, ...properties } = request.properties;
  return { ...(lowered(properties) as object), name };
}

/** Small first letters, except below `Configuration`, whose names are the provider's own and whose values are texts. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value as Properties).map(([name, member]) => [name.charAt(0).toLowerCase() + name.slice(1), name === "Configuration" ? asTexts(member) : lowered(member)]));
}

const asTexts = (value: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(value as Record<string, unknown>).map(([name, member]) => [name, typeof member === "string" ? member : JSON.stringify(member)]));
