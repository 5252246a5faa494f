import { eventsService } from "./events/service.ts";
import type { ServiceFactory } from "./gateway/service.ts";
import { codecommitService } from "./codecommit/service.ts";
import { ecrService } from "./ecr/service.ts";
import { codepipelineService } from "./codepipeline/service.ts";
import { codebuildService } from "./codebuild/service.ts";
import { cloudformationService } from "./cloudformation/service.ts";
import { iamService } from "./iam/service.ts";
import { kmsService } from "./kms/service.ts";
import { lambdaService } from "./lambda/service.ts";
import { logsService } from "./logs/service.ts";
import { omicsService } from "./omics/service.ts";
import { pricingService } from "./pricing/service.ts";
import { s3Service } from "./s3/service.ts";
import { statesService } from "./states/service.ts";
import { secretsManagerService } from "./secretsmanager/service.ts";
import { snsService } from "./sns/service.ts";
import { ssmService } from "./ssm/service.ts";
import { stsService } from "./sts/service.ts";

/** Every service, in the order of its start; stopped in reverse. */
export const serviceFactories: readonly ServiceFactory[] = [
  iamService,
  stsService,
  kmsService,
  ssmService,
  secretsManagerService,
  pricingService,
  snsService,
  logsService,
  s3Service,
  ecrService,
  omicsService,
  lambdaService,
  codecommitService,
  codebuildService,
  codepipelineService,
  statesService,
  eventsService,
  cloudformationService,
];
