import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { CodeCommitClient } from "@aws-sdk/client-codecommit";
import { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import { ECRClient } from "@aws-sdk/client-ecr";
import { OmicsClient } from "@aws-sdk/client-omics";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SFNClient } from "@aws-sdk/client-sfn";
import { STSClient } from "@aws-sdk/client-sts";

/** Where and as whom to call AWS. */
export interface Target {
  readonly region: string;
  /** The local accounts; absent: AWS. */
  readonly endpoint?: string;
  /** @default the SDK's own chain: environment, config file, the machine's role */
  readonly credentials?: Credentials;
  /** A profile of the config file, where `credentials` is absent. */
  readonly profile?: string;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The AWS services that omx calls; each client is made when it is first asked for. */
export interface AwsClients {
  readonly target: Target;
  readonly cloudformation: CloudFormationClient;
  readonly codebuild: CodeBuildClient;
  readonly codecommit: CodeCommitClient;
  readonly codepipeline: CodePipelineClient;
  readonly ecr: ECRClient;
  readonly logs: CloudWatchLogsClient;
  readonly omics: OmicsClient;
  readonly s3: S3Client;
  readonly secrets: SecretsManagerClient;
  readonly states: SFNClient;
  readonly sts: STSClient;
}

/** The only place that constructs an AWS client, and the only one that knows that "local" exists. */
export function awsClients(target: Target): AwsClients {
  const { region, endpoint, credentials, profile } = target;
  const base = { region, ...(endpoint && { endpoint }), ...(credentials && { credentials }), ...(profile && { profile }) };
  const local = endpoint !== undefined;
  // HealthOmics puts "workflows-" before the host, synchronous Step Functions "sync-": nothing answers there locally.
  const unprefixed = { ...base, disableHostPrefix: local };
  return lazily({
    cloudformation: () => new CloudFormationClient(base),
    codebuild: () => new CodeBuildClient(base),
    codecommit: () => new CodeCommitClient(base),
    codepipeline: () => new CodePipelineClient(base),
    // Ten functions at once make repositories and set policies; ECR allows a few such calls a second.
    ecr: () => new ECRClient({ ...base, maxAttempts: 8 }),
    logs: () => new CloudWatchLogsClient(base),
    omics: () => new OmicsClient(unprefixed),
    s3: () => new S3Client({ ...base, forcePathStyle: local, followRegionRedirects: true }),
    secrets: () => new SecretsManagerClient(base),
    states: () => new SFNClient(unprefixed),
    sts: () => new STSClient(base),
  }, target);
}

type Makers = { readonly [Name in Exclude<keyof AwsClients, "target">]: () => AwsClients[Name] };

function lazily(makers: Makers, target: Target): AwsClients {
  const made = new Map<string, unknown>();
  return new Proxy({ target } as AwsClients, {
    get(_target, name: string) {
      if (name === "target") return target;
      if (!Object.hasOwn(makers, name)) return undefined;
      if (!made.has(name)) made.set(name, makers[name as keyof Makers]());
      return made.get(name);
    },
  });
}
