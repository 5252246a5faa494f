import {
  type Json,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceState,
  tagsOf,
  type UpdateRequest,
} from "../cloudformation/resource-provider.ts";

interface TargetProperty {
  readonly Id: string;
}

const rule: ResourceProvider = {
  type: "AWS::Events::Rule",
  properties: {
    Name: "string",
    Description: "string",
    EventBusName: "string",
    EventPattern: "json",
    ScheduleExpression: "string",
    State: "string",
    RoleArn: "string",
    Targets: [
      {
        Id: "string",
        Arn: "string",
        RoleArn: "string",
        Input: "string",
        InputPath: "string",
        InputTransformer: { InputPathsMap: { "*": "string" }, InputTemplate: "string" },
        DeadLetterConfig: { Arn: "string" },
        RetryPolicy: { MaximumRetryAttempts: "number", MaximumEventAgeInSeconds: "number" },
      },
    ],
    Tags: [{ Key: "string", Value: "string" }],
  },
  replaceOn: ["Name", "EventBusName"],
  attributes: ["Arn"],
  async create(request) {
    const name = (request.properties["Name"] as string | undefined) ?? request.suggestedName(64);
    request.announce(name);
    return put(request, name);
  },
  async update(request) {
    const state = await put(request, request.physicalId);
    const gone = targetIds(request.previousProperties["Targets"]).filter((id) => !targetIds(request.properties["Targets"]).includes(id));
    if (gone.length > 0) await request.call("events", "RemoveTargets", { Rule: request.physicalId, Ids: gone });
    await retag(request, state);
    return state;
  },
  async delete(request) {
    const Ids = targetIds(request.properties["Targets"]);
    if (Ids.length > 0) await request.call("events", "RemoveTargets", { Rule: request.physicalId, Ids }).catch(absent);
    await request.call("events", "DeleteRule", { Name: request.physicalId });
  },
};

/** The CloudFormation types of EventBridge. */
export const eventsResources: readonly ResourceProvider[] = [rule];

async function put(request: ResourceRequest, Name: string): Promise<ResourceState> {
  const { Description, EventBusName, EventPattern, ScheduleExpression, State, RoleArn, Targets } = request.properties;
  const Tags = tagsOf(request);
  const { RuleArn } = await request.call<{ RuleArn: string }>("events", "PutRule", {
    Name,
    ...(Description !== undefined && { Description }),
    ...(EventBusName !== undefined && { EventBusName }),
    ...(EventPattern !== undefined && { EventPattern: typeof EventPattern === "string" ? EventPattern : JSON.stringify(EventPattern) }),
    ...(ScheduleExpression !== undefined && { ScheduleExpression }),
    ...(State !== undefined && { State }),
    ...(RoleArn !== undefined && { RoleArn }),
    ...(Tags.length > 0 && { Tags }),
  });
  if (Array.isArray(Targets) && Targets.length > 0) await request.call("events", "PutTargets", { Rule: Name, Targets });
  return { physicalId: Name, attributes: { Arn: RuleArn } };
}

const targetIds = (targets: Json | undefined): readonly string[] =>
  Array.isArray(targets) ? (targets as readonly TargetProperty[]).map(({ Id }) => Id) : [];

/** PutRule leaves the tags of a rule that is there alone. */
async function retag(request: UpdateRequest, state: ResourceState): Promise<void> {
  const ResourceARN = String(state.attributes["Arn"]);
  const Tags = tagsOf(request);
  const before = tagsOf({ stack: { ...request.stack, tags: {} }, properties: request.previousProperties });
  const TagKeys = before.map(({ Key }) => Key).filter((key) => !Tags.some(({ Key }) => Key === key));
  if (TagKeys.length > 0) await request.call("events", "UntagResource", { ResourceARN, TagKeys });
  if (Tags.length > 0) await request.call("events", "TagResource", { ResourceARN, Tags });
}

/** Deleting what is not there succeeds. */
const absent = (error: { readonly code?: string }): void => {
  if (error.code !== "ResourceNotFoundException") throw error;
};
