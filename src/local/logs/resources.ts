import {
  type ResourceProvider,
  type ResourceRequest,
  type ResourceState,
  tagsOf,
  type UpdateRequest,
} from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";

const gone = ignoring("ResourceNotFoundException");

const logGroup: ResourceProvider = {
  type: "AWS::Logs::LogGroup",
  properties: {
    LogGroupName: "string",
    RetentionInDays: "number",
    KmsKeyId: "string",
    LogGroupClass: "string",
    Tags: [{ Key: "string", Value: "string" }],
  },
  replaceOn: ["LogGroupName"],
  attributes: ["Arn"],
  async create(request) {
    const { properties, call, resumed } = request;
    const name = (properties["LogGroupName"] as string | undefined) ?? request.suggestedName(512, { allowed: "\\w.\\-/#" });
    const input = {
      logGroupName: name,
      kmsKeyId: properties["KmsKeyId"],
      logGroupClass: properties["LogGroupClass"],
      tags: tagMap(request),
    };
    await call("logs", "CreateLogGroup", input).catch((error: unknown) => {
      if (resumed) return ignoring("ResourceAlreadyExistsException")(error);
      throw error;
    });
    request.announce(name);
    if (properties["RetentionInDays"] !== undefined)
      await call("logs", "PutRetentionPolicy", { logGroupName: name, retentionInDays: properties["RetentionInDays"] });
    return state(request, name);
  },
  async update(request) {
    await changeSettings(request);
    await changeTags(request);
    return state(request, request.physicalId);
  },
  delete: async ({ physicalId, call }) => {
    await call("logs", "DeleteLogGroup", { logGroupName: physicalId }).catch(gone);
  },
};

const tagMap = (request: Pick<ResourceRequest, "stack" | "properties">): Readonly<Record<string, string>> =>
  Object.fromEntries(tagsOf(request).map(({ Key, Value }) => [Key, Value]));

async function changeSettings({ properties, previousProperties, physicalId: logGroupName, call }: UpdateRequest): Promise<void> {
  const retentionInDays = properties["RetentionInDays"];
  if (retentionInDays !== undefined) await call("logs", "PutRetentionPolicy", { logGroupName, retentionInDays });
  else if (previousProperties["RetentionInDays"] !== undefined) await call("logs", "DeleteRetentionPolicy", { logGroupName });
  const kmsKeyId = properties["KmsKeyId"];
  if (kmsKeyId === previousProperties["KmsKeyId"]) return;
  if (kmsKeyId === undefined) await call("logs", "DisassociateKmsKey", { logGroupName });
  else await call("logs", "AssociateKmsKey", { logGroupName, kmsKeyId });
}

async function changeTags(request: UpdateRequest): Promise<void> {
  const logGroupName = request.physicalId;
  const now = tagMap(request);
  const { tags: before } = await request.call<{ tags: Readonly<Record<string, string>> }>("logs", "ListTagsLogGroup", { logGroupName });
  const removed = Object.keys(before).filter((key) => !(key in now));
  if (removed.length > 0) await request.call("logs", "UntagLogGroup", { logGroupName, tags: removed });
  if (Object.keys(now).length > 0) await request.call("logs", "TagLogGroup", { logGroupName, tags: now });
}

// The attribute ends in `:*`, unlike the ARN of the API: policies want the streams.
const state = ({ stack }: ResourceRequest, name: string): ResourceState => ({
  physicalId: name,
  attributes: { Arn: `arn:aws:logs:${stack.region}:${stack.account}:log-group:${name}:*` },
});

/** The CloudFormation types of CloudWatch Logs. */
export const logsResources: readonly ResourceProvider[] = [logGroup];
