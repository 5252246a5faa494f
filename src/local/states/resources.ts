import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import {
  type Json,
  type Properties,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceState,
  tagsOf,
} from "../cloudformation/resource-provider.ts";

const stateMachine: ResourceProvider = {
  type: "AWS::StepFunctions::StateMachine",
  properties: {
    StateMachineName: "string",
    StateMachineType: "string",
    Definition: "any",
    DefinitionString: "string",
    DefinitionS3Location: { Bucket: "string", Key: "string", Version: "string" },
    DefinitionSubstitutions: { "*": "any" },
    RoleArn: "string",
    LoggingConfiguration: {
      Level: "string",
      IncludeExecutionData: "boolean",
      Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: "string" } }],
    },
    TracingConfiguration: { Enabled: "boolean" },
    EncryptionConfiguration: { Type: "string", KmsKeyId: "string", KmsDataKeyReusePeriodSeconds: "number" },
    Tags: [{ Key: "string", Value: "string" }],
  },
  required: ["RoleArn"],
  replaceOn: ["StateMachineName", "StateMachineType"],
  attributes: ["Arn", "Name", "StateMachineRevisionId"],
  async create(request) {
    const name = (request.properties["StateMachineName"] as string | undefined) ?? request.suggestedName(80);
    const type = request.properties["StateMachineType"];
    const input = { name, ...(type !== undefined && { type }), ...(await settings(request)), tags: apiTags(request) };
    const { stateMachineArn } = await request.call<{ stateMachineArn: string }>("states", "CreateStateMachine", input);
    return state(request, stateMachineArn);
  },
  async update(request) {
    const stateMachineArn = request.physicalId;
    await request.call("states", "UpdateStateMachine", { stateMachineArn, ...(await settings(request)) });
    await retag(request, stateMachineArn);
    return state(request, stateMachineArn);
  },
  delete: (request) => request.call("states", "DeleteStateMachine", { stateMachineArn: request.physicalId }).then(() => undefined),
};

/** The CloudFormation types of Step Functions. */
export const statesResources: readonly ResourceProvider[] = [stateMachine];

async function settings(request: ResourceRequest): Promise<object> {
  const { RoleArn, LoggingConfiguration, TracingConfiguration, EncryptionConfiguration } = request.properties;
  return {
    definition: substituted(await definitionText(request), request.properties),
    roleArn: RoleArn,
    // Left out of the template they go back to their defaults.
    loggingConfiguration: LoggingConfiguration === undefined ? { level: "OFF" } : lowerFirst(LoggingConfiguration),
    tracingConfiguration: { enabled: (TracingConfiguration as { Enabled?: boolean } | undefined)?.Enabled ?? false },
    ...(EncryptionConfiguration !== undefined && { encryptionConfiguration: lowerFirst(EncryptionConfiguration) }),
  };
}

async function definitionText({ properties, call }: ResourceRequest): Promise<string> {
  const { DefinitionString, Definition, DefinitionS3Location } = properties;
  if (typeof DefinitionString === "string") return DefinitionString;
  if (Definition !== undefined) return typeof Definition === "string" ? Definition : JSON.stringify(Definition);
  const { Bucket, Key, Version } = (DefinitionS3Location ?? {}) as { Bucket?: string; Key?: string; Version?: string };
  if (Bucket === undefined || Key === undefined)
    throw new Error("A state machine needs Definition, DefinitionString or DefinitionS3Location");
  const { Body } = await call<{ Body: Readable }>("s3", "GetObject", { Bucket, Key, ...(Version !== undefined && { VersionId: Version }) });
  return text(Body);
}

/** `${name}` becomes the value of that substitution; a name that has none stays, as do all paths of the language. */
function substituted(definition: string, { DefinitionSubstitutions }: Properties): string {
  const values = (DefinitionSubstitutions ?? {}) as Readonly<Record<string, Json>>;
  return definition.replaceAll(/\$\{([A-Za-z0-9_]+)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || value === null) return whole;
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  });
}

/** The API's members are those of the template with a small first letter, at every depth. */
function lowerFirst(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(lowerFirst);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name.charAt(0).toLowerCase() + name.slice(1), lowerFirst(member as Json)]),
  );
}

const apiTags = (request: ResourceRequest) => tagsOf(request).map(({ Key, Value }) => ({ key: Key, value: Value }));

async function retag(request: ResourceRequest, resourceArn: string): Promise<void> {
  const tags = apiTags(request);
  const { tags: before = [] } = await request.call<{ tags?: readonly { readonly key?: string }[] }>("states", "ListTagsForResource", {
    resourceArn,
  });
  const gone = before.flatMap(({ key }) => (key !== undefined && !tags.some((tag) => tag.key === key) ? [key] : []));
  if (gone.length > 0) await request.call("states", "UntagResource", { resourceArn, tagKeys: gone });
  if (tags.length > 0) await request.call("states", "TagResource", { resourceArn, tags });
}

async function state(request: ResourceRequest, stateMachineArn: string): Promise<ResourceState> {
  const { name, revisionId } = await request.call<{ name: string; revisionId: string }>("states", "DescribeStateMachine", {
    stateMachineArn,
  });
  return { physicalId: stateMachineArn, attributes: { Arn: stateMachineArn, Name: name, StateMachineRevisionId: revisionId } };
}
