import { readFileSync } from "node:fs";
import { zipSync } from "fflate";
import {
  type Json,
  type Properties,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceState,
  tagsOf,
  type UpdateRequest,
} from "../cloudformation/resource-provider.ts";
import { runtimeFile } from "./runtime-files.ts";

const tagList = [{ Key: "string", Value: "string" }] as const;

const fn: ResourceProvider = {
  type: "AWS::Lambda::Function",
  properties: {
    FunctionName: "string",
    Runtime: "string",
    Handler: "string",
    Role: "string",
    Description: "string",
    Timeout: "number",
    MemorySize: "number",
    PackageType: "string",
    Code: { ZipFile: "string", S3Bucket: "string", S3Key: "string", S3ObjectVersion: "string" },
    Environment: { Variables: { "*": "string" } },
    Layers: ["string"],
    Architectures: ["string"],
    EphemeralStorage: { Size: "number" },
    TracingConfig: { Mode: "string" },
    LoggingConfig: { LogFormat: "string", LogGroup: "string", ApplicationLogLevel: "string", SystemLogLevel: "string" },
    KmsKeyArn: "string",
    ReservedConcurrentExecutions: "number",
    RuntimeManagementConfig: { UpdateRuntimeOn: "string", RuntimeVersionArn: "string" },
    SnapStart: { ApplyOn: "string" },
    Tags: tagList,
  },
  required: ["Code", "Role"],
  replaceOn: ["FunctionName", "PackageType"],
  attributes: ["Arn"],
  async create(request) {
    const FunctionName =
      (request.properties["FunctionName"] as string | undefined) ?? request.suggestedName(64, { allowed: "A-Za-z0-9_-" });
    const input = { FunctionName, ...configuration(request.properties), Code: codeOf(request.properties), Tags: tagMap(request) };
    await request.call("lambda", "CreateFunction", input).catch(ownEarlierAttempt(request.resumed));
    request.announce(FunctionName);
    await reserve(request, { FunctionName, before: {} });
    return state(request, FunctionName);
  },
  async update(request) {
    const FunctionName = request.physicalId;
    const isSameCode = JSON.stringify(request.properties["Code"]) === JSON.stringify(request.previousProperties["Code"]);
    if (!isSameCode) await request.call("lambda", "UpdateFunctionCode", { FunctionName, ...codeOf(request.properties) });
    await request.call("lambda", "UpdateFunctionConfiguration", { FunctionName, ...RESET, ...configuration(request.properties) });
    await reserve(request, { FunctionName, before: request.previousProperties });
    await retag(request);
    return state(request, FunctionName);
  },
  delete: (request) => request.call("lambda", "DeleteFunction", { FunctionName: request.physicalId }).then(() => undefined, absent),
};

/** What a property goes back to when it is left out of the template. */
const RESET = {
  Description: "",
  Timeout: 3,
  MemorySize: 128,
  Environment: { Variables: {} },
  Layers: [],
  EphemeralStorage: { Size: 512 },
  TracingConfig: { Mode: "PassThrough" },
  LoggingConfig: { LogFormat: "Text" },
};

const CONFIGURATION = [
  "Runtime",
  "Handler",
  "Role",
  "Description",
  "Timeout",
  "MemorySize",
  "PackageType",
  "Environment",
  "Layers",
  "Architectures",
  "EphemeralStorage",
  "TracingConfig",
  "LoggingConfig",
  "SnapStart",
];

function configuration(properties: Properties): Record<string, Json> {
  const given = Object.entries(properties).filter(([name]) => CONFIGURATION.includes(name));
  const { KmsKeyArn } = properties;
  return { ...Object.fromEntries(given), ...(KmsKeyArn !== undefined && { KMSKeyArn: KmsKeyArn }) };
}

/** Source text in a template becomes index.js or index.py of a ZIP, as CloudFormation makes it. */
function codeOf({ Code, Runtime }: Properties): object {
  const { ZipFile, ...source } = (Code ?? {}) as { readonly ZipFile?: string };
  if (ZipFile === undefined) return source;
  const isPython = String(Runtime).startsWith("python");
  const files = { [isPython ? "index.py" : "index.js"]: Buffer.from(ZipFile), ...responseModule(ZipFile, isPython) };
  // A fixed time: the same source is the same ZIP.
  return { ZipFile: zipSync(files, { mtime: new Date("1980-01-01T00:00:00") }) };
}

/** The module with which inline functions answer CloudFormation, beside those that import it. */
function responseModule(source: string, isPython: boolean): Record<string, Uint8Array> {
  if (isPython) return source.includes("cfnresponse") ? { "cfnresponse.py": readFileSync(runtimeFile("python/cfnresponse.py")) } : {};
  return source.includes("cfn-response") ? { "node_modules/cfn-response/index.js": readFileSync(runtimeFile("node/cfn-response.js")) } : {};
}

async function reserve(
  { properties, call }: ResourceRequest,
  { FunctionName, before }: { readonly FunctionName: string; readonly before: Properties },
): Promise<void> {
  const { ReservedConcurrentExecutions } = properties;
  if (ReservedConcurrentExecutions !== undefined)
    await call("lambda", "PutFunctionConcurrency", { FunctionName, ReservedConcurrentExecutions });
  else if (before["ReservedConcurrentExecutions"] !== undefined) await call("lambda", "DeleteFunctionConcurrency", { FunctionName });
}

const tagMap = (request: Pick<ResourceRequest, "stack" | "properties">): Record<string, string> =>
  Object.fromEntries(tagsOf(request).map(({ Key, Value }) => [Key, Value]));

async function retag(request: UpdateRequest): Promise<void> {
  const Resource = request.physicalId;
  const Tags = tagMap(request);
  const before = Object.keys(tagMap({ stack: { ...request.stack, tags: {} }, properties: request.previousProperties }));
  const TagKeys = before.filter((key) => !(key in Tags));
  if (TagKeys.length > 0) await request.call("lambda", "UntagResource", { Resource, TagKeys });
  if (Object.keys(Tags).length > 0) await request.call("lambda", "TagResource", { Resource, Tags });
}

const state = ({ stack }: ResourceRequest, name: string): ResourceState => ({
  physicalId: name,
  attributes: { Arn: `arn:aws:lambda:${stack.region}:${stack.account}:function:${name}` },
});

const permission: ResourceProvider = {
  type: "AWS::Lambda::Permission",
  properties: {
    FunctionName: "string",
    Action: "string",
    Principal: "string",
    SourceArn: "string",
    SourceAccount: "string",
    PrincipalOrgID: "string",
  },
  required: ["FunctionName", "Action", "Principal"],
  replaceOn: ["FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "PrincipalOrgID"],
  attributes: ["Id"],
  async create(request) {
    const StatementId = request.suggestedName(100, { allowed: "A-Za-z0-9_-" });
    await request.call("lambda", "AddPermission", { ...request.properties, StatementId }).catch(ownEarlierAttempt(request.resumed));
    return { physicalId: StatementId, attributes: { Id: StatementId } };
  },
  update: (request) => Promise.resolve({ physicalId: request.physicalId, attributes: { Id: request.physicalId } }),
  delete: (request) =>
    request
      .call("lambda", "RemovePermission", { FunctionName: request.properties["FunctionName"], StatementId: request.physicalId })
      .then(() => undefined, absent),
};

const layerVersion: ResourceProvider = {
  type: "AWS::Lambda::LayerVersion",
  properties: {
    LayerName: "string",
    Description: "string",
    LicenseInfo: "string",
    CompatibleRuntimes: ["string"],
    CompatibleArchitectures: ["string"],
    Content: { S3Bucket: "string", S3Key: "string", S3ObjectVersion: "string" },
  },
  required: ["Content"],
  replaceOn: ["LayerName", "Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures", "Content"],
  attributes: ["LayerVersionArn"],
  async create(request) {
    const LayerName = (request.properties["LayerName"] as string | undefined) ?? request.suggestedName(140, { allowed: "A-Za-z0-9_-" });
    const { LayerVersionArn } = await request.call<{ LayerVersionArn: string }>("lambda", "PublishLayerVersion", {
      ...request.properties,
      LayerName,
    });
    return { physicalId: LayerVersionArn, attributes: { LayerVersionArn } };
  },
  update: (request) => Promise.resolve({ physicalId: request.physicalId, attributes: { LayerVersionArn: request.physicalId } }),
  async delete(request) {
    const [LayerName, VersionNumber] = request.physicalId.split(":").slice(-2);
    await request.call("lambda", "DeleteLayerVersion", { LayerName, VersionNumber: Number(VersionNumber) });
  },
};

/** The CloudFormation types of Lambda. */
export const lambdaResources: readonly ResourceProvider[] = [fn, permission, layerVersion];

/** A create that is asked for again may meet what its first attempt made. */
const ownEarlierAttempt =
  (resumed: boolean) =>
  (error: { readonly code?: string }): void => {
    if (!resumed || error.code !== "ResourceConflictException") throw error;
  };

/** Deleting what is not there succeeds. */
const absent = (error: { readonly code?: string }): void => {
  if (error.code !== "ResourceNotFoundException") throw error;
};
