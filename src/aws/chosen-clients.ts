import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { CodeBuildClient } from "@aws-sdk/client-codebuild";
import type { CodeCommitClient } from "@aws-sdk/client-codecommit";
import type { CodePipelineClient } from "@aws-sdk/client-codepipeline";
import type { ECRClient } from "@aws-sdk/client-ecr";
import type { OmicsClient } from "@aws-sdk/client-omics";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SFNClient } from "@aws-sdk/client-sfn";
import type { STSClient } from "@aws-sdk/client-sts";
import type { Target } from "./target.ts";

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

export type ServiceName = Exclude<keyof AwsClients, "target">;

/** Some services, each with what makes its client: the functions of `services/`, by their own names. */
export type Services<Name extends ServiceName = ServiceName> = { readonly [Each in Name]: (target: Target) => AwsClients[Each] };

/** The clients of some services. */
export type ClientsOf<Name extends ServiceName> = Pick<AwsClients, Name | "target">;

/**
 * Clients of the services that a caller names. Of the SDK no more is loaded than these: all of it takes longer to load
 * than most commands work.
 */
export function chosenClients<Name extends ServiceName>(target: Target, services: Services<Name>): ClientsOf<Name> {
  const made = new Map<string, unknown>();
  return new Proxy({ target } as ClientsOf<Name>, {
    get(_target, name: string) {
      if (name === "target") return target;
      if (!Object.hasOwn(services, name)) return undefined;
      if (!made.has(name)) made.set(name, services[name as Name](target));
      return made.get(name);
    },
  });
}
