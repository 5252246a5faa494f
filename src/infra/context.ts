import { artifactsBucket, roleName } from "../release/names.ts";
import type { DeployConfig, Place } from "../release/project/deploy-config.ts";
import type { Bundles } from "./bundle.ts";

/** What every stack of the app is made from. */
export interface AppContext {
  readonly config: DeployConfig;
  readonly bundles: Bundles;
}

/** Where test runs happen: the cicd account. */
export const testPlace = ({ config }: AppContext): Place => config.cicd;

export const machineArn = ({ account, region }: Place, name: string): string => `arn:aws:states:${region}:${account}:stateMachine:${name}`;
export const executionArn = ({ account, region }: Place, name: string): string => `arn:aws:states:${region}:${account}:execution:${name}:*`;
export const functionArn = ({ account, region }: Place, name: string): string => `arn:aws:lambda:${region}:${account}:function:${name}`;
export const projectArn = ({ account, region }: Place, name: string): string => `arn:aws:codebuild:${region}:${account}:project/${name}`;
export const roleArn = ({ account, region }: Place, role: string): string => `arn:aws:iam::${account}:role/${roleName(role, region)}`;
export const bucketArn = (name: string): string => `arn:aws:s3:::${name}`;
export const artifactsOf = ({ config }: AppContext): string => artifactsBucket(config.cicd.account, config.cicd.region);

/** What functions and builds are told of the deployment, as one JSON text: handlers parse it at their door. */
export const settingsOf = ({ config }: AppContext): string =>
  JSON.stringify({ cicd: config.cicd, production: config.production, containers: config.containers, ...(config.consoleUrl && { consoleUrl: config.consoleUrl }) });
