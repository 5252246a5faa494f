import { type AwsClients, chosenClients, type Services } from "./chosen-clients.ts";
import { cloudformation } from "./services/cloudformation.ts";
import { codebuild } from "./services/codebuild.ts";
import { codecommit } from "./services/codecommit.ts";
import { codepipeline } from "./services/codepipeline.ts";
import { ecr } from "./services/ecr.ts";
import { logs } from "./services/logs.ts";
import { omics } from "./services/omics.ts";
import { s3 } from "./services/s3.ts";
import { secrets } from "./services/secrets.ts";
import { states } from "./services/states.ts";
import { sts } from "./services/sts.ts";
import type { Target } from "./target.ts";

export type { AwsClients } from "./chosen-clients.ts";
export type { Credentials, Target } from "./target.ts";

/** Every service that omx calls. Who needs a few imports those, and asks `chosenClients`. */
export const ALL_SERVICES: Services = { cloudformation, codebuild, codecommit, codepipeline, ecr, logs, omics, s3, secrets, states, sts };

/** Clients of all services. */
export const awsClients = (target: Target): AwsClients => chosenClients(target, ALL_SERVICES);
