import { operationsOf, type ModelOperation } from "../../gateway/protocol/shape-model.ts";

/** A service that tasks can call, by the name `aws-sdk:<name>` gives it. */
export interface SdkService {
  /** The service's name in the local accounts: that of its signatures. */
  readonly signingName: string;
  /** The name errors begin with, `Ecr` in `Ecr.RepositoryNotFoundException`: the client's name in the Java SDK. */
  readonly prefix: string;
  readonly model: () => Promise<object>;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html, as far as the local accounts have the service. */
const SERVICES: Readonly<Record<string, SdkService>> = {
  cloudformation: { signingName: "cloudformation", prefix: "CloudFormation", model: () => import("@aws-sdk/client-cloudformation") },
  cloudwatchlogs: { signingName: "logs", prefix: "CloudWatchLogs", model: () => import("@aws-sdk/client-cloudwatch-logs") },
  codebuild: { signingName: "codebuild", prefix: "CodeBuild", model: () => import("@aws-sdk/client-codebuild") },
  codecommit: { signingName: "codecommit", prefix: "CodeCommit", model: () => import("@aws-sdk/client-codecommit") },
  codepipeline: { signingName: "codepipeline", prefix: "CodePipeline", model: () => import("@aws-sdk/client-codepipeline") },
  ecr: { signingName: "ecr", prefix: "Ecr", model: () => import("@aws-sdk/client-ecr") },
  eventbridge: { signingName: "events", prefix: "EventBridge", model: () => import("@aws-sdk/client-eventbridge") },
  iam: { signingName: "iam", prefix: "Iam", model: () => import("@aws-sdk/client-iam") },
  kms: { signingName: "kms", prefix: "Kms", model: () => import("@aws-sdk/client-kms") },
  lambda: { signingName: "lambda", prefix: "Lambda", model: () => import("@aws-sdk/client-lambda") },
  omics: { signingName: "omics", prefix: "Omics", model: () => import("@aws-sdk/client-omics") },
  s3: { signingName: "s3", prefix: "S3", model: () => import("@aws-sdk/client-s3") },
  secretsmanager: { signingName: "secretsmanager", prefix: "SecretsManager", model: () => import("@aws-sdk/client-secrets-manager") },
  sfn: { signingName: "states", prefix: "Sfn", model: () => import("@aws-sdk/client-sfn") },
  sns: { signingName: "sns", prefix: "Sns", model: () => import("@aws-sdk/client-sns") },
  ssm: { signingName: "ssm", prefix: "Ssm", model: () => import("@aws-sdk/client-ssm") },
  sts: { signingName: "sts", prefix: "Sts", model: () => import("@aws-sdk/client-sts") },
};

/** A service's model, read once. */
export interface SdkModel {
  readonly operations: ReadonlyMap<string, ModelOperation>;
  /** The errors the model knows: from the code an answer carries to the error's name. */
  readonly errors: ReadonlyMap<string, string>;
}

const models = new Map<string, Promise<SdkModel>>();

export const sdkService = (name: string): SdkService | undefined => (Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined);

/** The model of a service of the table. */
export function sdkModel(service: SdkService): Promise<SdkModel> {
  const known = models.get(service.signingName);
  if (known !== undefined) return known;
  const loading = service.model().then((module) => ({ operations: operationsOf(module), errors: errorsOf(module) }));
  models.set(service.signingName, loading);
  return loading;
}

/** Errors are exported as tuples whose first member is -3 (see `StaticErrorSchema` of @smithy/types); services with the query protocol have codes of their own. */
function errorsOf(module: object): ReadonlyMap<string, string> {
  const errors = new Map<string, string>();
  for (const exported of Object.values(module) as unknown[]) {
    if (!Array.isArray(exported) || exported[0] !== -3) continue;
    const [, , name, traits] = exported as unknown as readonly [
      number,
      string,
      string,
      { readonly awsQueryError?: readonly [code: string, status: number] } | number,
    ];
    errors.set(name, name);
    if (typeof traits === "object" && traits.awsQueryError) errors.set(traits.awsQueryError[0], name);
  }
  return errors;
}

/** `describeRepositories` is the operation `DescribeRepositories`. */
export const operationName = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
