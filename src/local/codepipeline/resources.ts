import type { Properties, PropertyShape, ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";

const json: PropertyShape = "json";

/** AWS::CodePipeline::Pipeline. CloudFormation writes the API's members with capitals. */
const pipeline: ResourceProvider = {
  type: "AWS::CodePipeline::Pipeline",
  properties: {
    Name: "string",
    RoleArn: "string",
    ArtifactStore: json,
    ArtifactStores: json,
    Stages: json,
    PipelineType: "string",
    ExecutionMode: "string",
    RestartExecutionOnUpdate: "boolean",
    DisableInboundStageTransitions: json,
    Triggers: json,
    Variables: json,
    Tags: [{ Key: "string", Value: "string" }],
  },
  required: ["RoleArn", "Stages"],
  replaceOn: ["Name"],
  attributes: ["Version"],
  async create(request) {
    const name = (request.properties["Name"] as string | undefined) ?? request.suggestedName(100);
    const tags = tagsOf(request).map(({ Key, Value }) => ({ key: Key, value: Value }));
    await request
      .call("codepipeline", "CreatePipeline", { pipeline: declarationOf(request, name), tags })
      .catch((error: { code?: string }) => {
        if (!request.resumed || error.code !== "PipelineNameInUseException") throw error;
      });
    await setTransitions(request, name, { before: [], now: transitionsOf(request.properties) });
    return state(request, name);
  },
  async update(request) {
    await request.call("codepipeline", "UpdatePipeline", { pipeline: declarationOf(request, request.physicalId) });
    await setTransitions(request, request.physicalId, {
      before: transitionsOf(request.previousProperties),
      now: transitionsOf(request.properties),
    });
    if (request.properties["RestartExecutionOnUpdate"] === true)
      await request.call("codepipeline", "StartPipelineExecution", { name: request.physicalId });
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

interface Transition {
  readonly StageName: string;
  readonly Reason: string;
}

const transitionsOf = (properties: Properties): readonly Transition[] =>
  (properties["DisableInboundStageTransitions"] ?? []) as unknown as readonly Transition[];

async function setTransitions(
  request: ResourceRequest,
  pipelineName: string,
  { before, now }: { readonly before: readonly Transition[]; readonly now: readonly Transition[] },
): Promise<void> {
  for (const { StageName: stageName, Reason: reason } of now)
    await request.call("codepipeline", "DisableStageTransition", { pipelineName, stageName, reason, transitionType: "Inbound" });
  const opened = before.filter(({ StageName }) => !now.some((one) => one.StageName === StageName));
  for (const { StageName: stageName } of opened)
    await request.call("codepipeline", "EnableStageTransition", { pipelineName, stageName, transitionType: "Inbound" });
}

/** Small first letters, except below `Configuration`, whose names are the provider's own and whose values are texts. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Properties).map(([name, member]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      name === "Configuration" ? asTexts(member) : lowered(member),
    ]),
  );
}

const asTexts = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(value as Record<string, unknown>).map(([name, member]) => [
      name,
      typeof member === "string" ? member : JSON.stringify(member),
    ]),
  );
