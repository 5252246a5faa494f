import type { Call, Json, PropertyShape, ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";

const REGION_DOMAIN = "amazonaws.com";

/** Each property of AWS::S3::Bucket beside the call that sets it and how the API writes the value. */
const SETTINGS: readonly {
  readonly property: string;
  readonly operation: string;
  toInput(value: Json): object;
  readonly reset?: string;
}[] = [
  {
    property: "BucketEncryption",
    operation: "PutBucketEncryption",
    toInput: (value) => ({ ServerSideEncryptionConfiguration: encryption(value) }),
    reset: "DeleteBucketEncryption",
  },
  {
    property: "PublicAccessBlockConfiguration",
    operation: "PutPublicAccessBlock",
    toInput: (value) => ({ PublicAccessBlockConfiguration: value }),
    reset: "DeletePublicAccessBlock",
  },
  {
    property: "OwnershipControls",
    operation: "PutBucketOwnershipControls",
    toInput: (value) => ({ OwnershipControls: value }),
    reset: "DeleteBucketOwnershipControls",
  },
  { property: "VersioningConfiguration", operation: "PutBucketVersioning", toInput: (value) => ({ VersioningConfiguration: value }) },
  {
    property: "LifecycleConfiguration",
    operation: "PutBucketLifecycleConfiguration",
    toInput: (value) => ({ LifecycleConfiguration: value }),
    reset: "DeleteBucketLifecycle",
  },
  {
    property: "NotificationConfiguration",
    operation: "PutBucketNotificationConfiguration",
    toInput: (value) => ({ NotificationConfiguration: notification(value) }),
  },
  {
    property: "LoggingConfiguration",
    operation: "PutBucketLogging",
    toInput: (value) => ({ BucketLoggingStatus: { LoggingEnabled: logging(value) } }),
  },
  {
    property: "CorsConfiguration",
    operation: "PutBucketCors",
    toInput: (value) => ({ CORSConfiguration: value }),
    reset: "DeleteBucketCors",
  },
];

const json: PropertyShape = "json";
const tags: PropertyShape = [{ Key: "string", Value: "string" }];

const bucket: ResourceProvider = {
  type: "AWS::S3::Bucket",
  properties: {
    BucketName: "string",
    Tags: tags,
    AccessControl: "string",
    BucketEncryption: json,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: "boolean",
      BlockPublicPolicy: "boolean",
      IgnorePublicAcls: "boolean",
      RestrictPublicBuckets: "boolean",
    },
    OwnershipControls: json,
    VersioningConfiguration: { Status: "string" },
    LifecycleConfiguration: json,
    NotificationConfiguration: json,
    LoggingConfiguration: json,
    CorsConfiguration: json,
  },
  replaceOn: ["BucketName"],
  attributes: ["Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL"],
  async create(request) {
    const name = (request.properties["BucketName"] as string | undefined) ?? request.suggestedName(63, { lowerCase: true });
    await request.call("s3", "CreateBucket", { Bucket: name }).catch(ownEarlierAttempt(request.resumed, "BucketAlreadyOwnedByYou"));
    request.announce(name);
    await configure(request, name, {});
    return state(request, name);
  },
  async update(request) {
    await configure(request, request.physicalId, request.previousProperties);
    return state(request, request.physicalId);
  },
  delete: (request) => request.call("s3", "DeleteBucket", { Bucket: request.physicalId }).then(() => undefined, absent("NoSuchBucket")),
};

const bucketPolicy: ResourceProvider = {
  type: "AWS::S3::BucketPolicy",
  properties: { Bucket: "string", PolicyDocument: "json" },
  required: ["Bucket", "PolicyDocument"],
  replaceOn: ["Bucket"],
  attributes: [],
  create: (request) => putPolicy(request),
  update: (request) => putPolicy(request),
  delete: (request) =>
    request.call("s3", "DeleteBucketPolicy", { Bucket: request.properties["Bucket"] }).then(() => undefined, absent("NoSuchBucket")),
};

/** The CloudFormation types of S3. */
export const s3Resources: readonly ResourceProvider[] = [bucket, bucketPolicy];

async function putPolicy(request: ResourceRequest) {
  const name = request.properties["Bucket"] as string;
  await request.call("s3", "PutBucketPolicy", { Bucket: name, Policy: JSON.stringify(request.properties["PolicyDocument"]) });
  return { physicalId: name, attributes: {} };
}

async function configure(request: ResourceRequest, name: string, previous: ResourceRequest["properties"]): Promise<void> {
  const call: Call = request.call;
  for (const { property, operation, toInput, reset } of SETTINGS) {
    const value = request.properties[property];
    if (value !== undefined) await call("s3", operation, { Bucket: name, ...toInput(value) });
    else if (previous[property] !== undefined && reset) await call("s3", reset, { Bucket: name });
    else if (previous[property] !== undefined && property === "NotificationConfiguration")
      await call("s3", operation, { Bucket: name, NotificationConfiguration: {} });
  }
  const tagSet = tagsOf(request);
  if (tagSet.length > 0) await call("s3", "PutBucketTagging", { Bucket: name, Tagging: { TagSet: tagSet } });
}

const state = (request: ResourceRequest, name: string) => ({
  physicalId: name,
  attributes: {
    Arn: `arn:aws:s3:::${name}`,
    DomainName: `${name}.s3.${REGION_DOMAIN}`,
    RegionalDomainName: `${name}.s3.${request.stack.region}.${REGION_DOMAIN}`,
    DualStackDomainName: `${name}.s3.dualstack.${request.stack.region}.${REGION_DOMAIN}`,
    WebsiteURL: `http://${name}.s3-website-${request.stack.region}.${REGION_DOMAIN}`,
  },
});

interface Rule {
  readonly ServerSideEncryptionByDefault?: unknown;
  readonly BucketKeyEnabled?: boolean;
}

// CloudFormation's names differ from the API's in three places.
const encryption = (value: Json) => ({
  Rules: ((value as { ServerSideEncryptionConfiguration?: readonly Rule[] }).ServerSideEncryptionConfiguration ?? []).map((rule) => ({
    ApplyServerSideEncryptionByDefault: rule.ServerSideEncryptionByDefault,
    ...(rule.BucketKeyEnabled !== undefined && { BucketKeyEnabled: rule.BucketKeyEnabled }),
  })),
});

const logging = (value: Json) => {
  const { DestinationBucketName, LogFilePrefix } = value as { DestinationBucketName?: string; LogFilePrefix?: string };
  return { TargetBucket: DestinationBucketName, TargetPrefix: LogFilePrefix ?? "" };
};

interface LambdaConfiguration {
  readonly Event: string;
  readonly Function: string;
  readonly Filter?: { readonly S3Key?: { readonly Rules?: readonly { readonly Name: string; readonly Value: string }[] } };
}

function notification(value: Json): object {
  const { EventBridgeConfiguration, LambdaConfigurations = [] } = value as {
    EventBridgeConfiguration?: { EventBridgeEnabled?: boolean | string };
    LambdaConfigurations?: readonly LambdaConfiguration[];
  };
  return {
    ...(EventBridgeConfiguration &&
      String(EventBridgeConfiguration.EventBridgeEnabled ?? true) === "true" && { EventBridgeConfiguration: {} }),
    LambdaFunctionConfigurations: LambdaConfigurations.map((one, index) => ({
      Id: `notification-${index}`,
      LambdaFunctionArn: one.Function,
      Events: [one.Event],
      ...(one.Filter?.S3Key?.Rules && { Filter: { Key: { FilterRules: one.Filter.S3Key.Rules } } }),
    })),
  };
}

/** A create that is asked for again may meet what its first attempt made. */
export const ownEarlierAttempt =
  (resumed: boolean, code: string) =>
  (error: { readonly code?: string }): void => {
    if (!resumed || error.code !== code) throw error;
  };

/** Deleting what is not there succeeds. */
const absent =
  (code: string) =>
  (error: { readonly code?: string }): void => {
    if (error.code !== code) throw error;
  };
