import type { Context } from "aws-lambda";
import { s3For } from "../aws/bucket-region.ts";
import { awsClients } from "../aws/clients.ts";
import { systemClock } from "../kit/clock.ts";
import { secretCredentials } from "../release/images/secret-credentials.ts";
import type { PullWorkshop } from "../release/images/pull/pull.ts";
import type { BuildWorkshop } from "../release/images/build/build-from-s3.ts";
import type { HandlerSettings } from "./settings.ts";

/** What copies and builds of images have to work with, in a function or a build of this deployment. */
export function workshopOf(
  { clients, deployment, upstreams, target }: HandlerSettings,
  tuning: PullWorkshop["tuning"],
): PullWorkshop & BuildWorkshop {
  return {
    ecr: clients.ecr,
    s3For: (bucket) => s3For(clients, bucket),
    logs: clients.logs,
    place: deployment.cicd,
    repositories: deployment.containers.repositories,
    clock: systemClock,
    upstreams,
    proxy: target.proxy,
    ...(target.endpoint && { endpoint: target.endpoint }),
    ...(tuning && { tuning }),
    ecrIn: (region) => awsClients({ ...target, region }).ecr,
    howToLogIn: (registry) => `name a secret for ${registry} under containers.credentials in omx.deploy.yaml`,
    // Standard output is a build's result; both end in the log.
    say: (line) => void process.stderr.write(`${line}\n`),
    credentials: secretCredentials(clients.secrets, deployment.containers.credentials),
  };
}

/** Time to end an upload and answer before the function's own limit. */
const MARGIN_MS = 20_000;

/** When a function has to be done. */
export const deadlineOf = (context: Pick<Context, "getRemainingTimeInMillis">): Date =>
  new Date(systemClock.now().getTime() + context.getRemainingTimeInMillis() - MARGIN_MS);

// ECR stores 10 manifests a second for an account and region; a Map runs up to ten functions at once, and what is
// refused all the same is tried again. Object stores are far away: four connections to one large blob, 8 MiB each.
export const FUNCTION_TUNING = { rangesPerBlob: 4, manifestPutsPerSecond: 2 } as const;
/** Of the function that brings images together: no other runs meanwhile. */
export const ALONE_TUNING = { rangesPerBlob: 4, manifestPutsPerSecond: 8 } as const;
export const BUILD_TUNING = { rangesPerBlob: 8, manifestPutsPerSecond: 5 } as const;
