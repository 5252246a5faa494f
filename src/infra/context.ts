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

// All variables of a function together have 4 KB (lambda/latest/dg/gettingstarted-limits.html): the rest is for the others.
const ROOM_BYTES = 4096 - 256;

/**
 * What functions and builds are told of the deployment, as one JSON text: handlers parse it at their door.
 * @throws Error for more than a function's environment has room for, which Lambda would refuse in the middle of a deployment
 */
export function settingsOf({ config }: AppContext): string {
  const text = JSON.stringify({
    cicd: config.cicd,
    production: config.production,
    containers: config.containers,
    ...(config.consoleUrl && { consoleUrl: config.consoleUrl }),
  });
  const bytes = Buffer.byteLength(text);
  if (bytes > ROOM_BYTES)
    throw new Error(
      `omx.deploy.yaml: cicd, production and containers are ${bytes} bytes as JSON, and a function's environment has room for ${ROOM_BYTES} of them; shorten containers (namespaces, credentials, upstreams), or deploy fewer production places together`,
    );
  return text;
}
