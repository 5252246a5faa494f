import type { CreateFunctionRequest, FunctionConfiguration, UpdateFunctionConfigurationRequest } from "@aws-sdk/client-lambda";
import { invalidValue, layerNotFound, notProvided, validation } from "./errors.ts";
import { parseLayerVersion } from "./names.ts";
import { runtimeKind } from "./runtimes.ts";
import { type FunctionDocument, type Store, versionKey } from "./store.ts";
import { logGroupOf } from "./worker-logs.ts";

type Settings = Partial<Omit<CreateFunctionRequest, "FunctionName" | "Code" | "Tags">> & Partial<UpdateFunctionConfigurationRequest>;

/** The settings of a function that a request gives, or leaves as they were. */
export type Configured = Pick<
  FunctionDocument,
  | "runtime"
  | "handler"
  | "roleArn"
  | "description"
  | "timeout"
  | "memorySize"
  | "environment"
  | "layers"
  | "architectures"
  | "ephemeralStorageMb"
  | "tracing"
  | "logging"
  | "kmsKeyArn"
>;

const DEFAULTS: Configured = {
  runtime: "",
  handler: "",
  roleArn: "",
  description: "",
  timeout: 3,
  memorySize: 128,
  environment: {},
  layers: [],
  architectures: ["x86_64"],
  ephemeralStorageMb: 512,
  tracing: { Mode: "PassThrough" },
  logging: {},
};

/** Set by the runtime: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
const RESERVED =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_.+|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN)|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;
const ENVIRONMENT_BYTES = 4_096;

/** The settings after a request. @throws AwsError InvalidParameterValueException, ValidationException, 501 for what is not there */
export function configure(store: Store, given: Settings, before: Configured = DEFAULTS): Configured {
  refuseWhatIsMissing(given);
  const kmsKeyArn = given.KMSKeyArn ?? before.kmsKeyArn;
  const configured: Configured = {
    runtime: given.Runtime ?? before.runtime,
    handler: given.Handler ?? before.handler,
    roleArn: given.Role ?? before.roleArn,
    description: given.Description ?? before.description,
    timeout: given.Timeout ?? before.timeout,
    memorySize: given.MemorySize ?? before.memorySize,
    environment: given.Environment === undefined ? before.environment : (given.Environment.Variables ?? {}),
    layers: given.Layers === undefined ? before.layers : given.Layers.map((arn) => ({ arn, code: layerCode(store, arn) })),
    architectures: given.Architectures ?? before.architectures,
    ephemeralStorageMb: given.EphemeralStorage?.Size ?? before.ephemeralStorageMb,
    tracing: given.TracingConfig ?? before.tracing,
    logging: given.LoggingConfig ?? before.logging,
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
  };
  check(configured);
  return configured;
}

function refuseWhatIsMissing(given: Settings): void {
  if (given.PackageType === "Image" || given.ImageConfig !== undefined) throw notProvided("functions from container images");
  if (given.VpcConfig?.SubnetIds?.length) throw notProvided("functions in a VPC");
  if (given.DeadLetterConfig?.TargetArn) throw notProvided("dead-letter queues");
  if (given.FileSystemConfigs?.length) throw notProvided("file systems");
  if (given.SnapStart?.ApplyOn === "PublishedVersions") throw notProvided("SnapStart");
  if (given.Publish === true) throw notProvided("versions (Publish)");
  if (given.CodeSigningConfigArn !== undefined) throw notProvided("code signing");
  if (given.DurableConfig !== undefined || given.TenancyConfig !== undefined || given.CapacityProviderConfig !== undefined)
    throw notProvided("this kind of function");
}

function layerCode(store: Store, arn: string): FunctionDocument["code"] {
  const named = parseLayerVersion(arn);
  const layer = named && store.layers.get([named.account, named.region, named.name, versionKey(named.version)]);
  if (layer === undefined) throw layerNotFound(arn);
  return layer.code;
}

function check({ runtime, handler, timeout, memorySize, environment, layers }: Configured): void {
  if (runtimeKind(runtime) === undefined)
    throw invalidValue(
      `The runtime parameter of ${runtime || "(none)"} is not supported by the local accounts, which run Node.js, Python and provided runtimes.`,
    );
  if (handler === "") throw validation("Value null at 'handler' failed to satisfy constraint: Member must not be null");
  if (!(timeout >= 1 && timeout <= 900))
    throw validation(`Value '${timeout}' at 'timeout' failed to satisfy constraint: Member must have value between 1 and 900`);
  if (!(memorySize >= 128 && memorySize <= 10_240))
    throw validation(`'MemorySize' value failed to satisfy constraint: Member must have value between 128 and 10240`);
  if (layers.length > 5) throw invalidValue("Function can have at most 5 layers");
  const reserved = Object.keys(environment).filter((name) => RESERVED.test(name));
  if (reserved.length > 0)
    throw invalidValue(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  const bytes = Buffer.byteLength(JSON.stringify(environment));
  if (bytes > ENVIRONMENT_BYTES)
    throw invalidValue(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(environment)}`,
    );
}

/** A function as GetFunctionConfiguration shows it. It is ready as soon as it is there. */
export const describe = (of: FunctionDocument): FunctionConfiguration => ({
  FunctionName: of.name,
  FunctionArn: of.arn,
  Runtime: of.runtime as NonNullable<FunctionConfiguration["Runtime"]>,
  Role: of.roleArn,
  Handler: of.handler,
  CodeSize: of.code.sizeBytes,
  Description: of.description,
  Timeout: of.timeout,
  MemorySize: of.memorySize,
  LastModified: of.lastModified.replace("Z", "+0000"),
  CodeSha256: Buffer.from(of.code.sha256, "hex").toString("base64"),
  Version: "$LATEST",
  TracingConfig: { Mode: of.tracing.Mode ?? "PassThrough" },
  RevisionId: of.revisionId,
  State: "Active",
  LastUpdateStatus: "Successful",
  PackageType: "Zip",
  Architectures: of.architectures as NonNullable<FunctionConfiguration["Architectures"]>,
  EphemeralStorage: { Size: of.ephemeralStorageMb },
  SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
  LoggingConfig: { ...of.logging, LogFormat: of.logging.LogFormat ?? "Text", LogGroup: logGroupOf(of) },
  ...(Object.keys(of.environment).length > 0 && { Environment: { Variables: of.environment } }),
  ...(of.layers.length > 0 && { Layers: of.layers.map(({ arn, code }) => ({ Arn: arn, CodeSize: code.sizeBytes })) }),
  ...(of.kmsKeyArn !== undefined && { KMSKeyArn: of.kmsKeyArn }),
});
