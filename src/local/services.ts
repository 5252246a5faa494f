import type { ServiceFactory } from "./gateway/service.ts";
import { iamService } from "./iam/service.ts";
import { s3Service } from "./s3/service.ts";
import { stsService } from "./sts/service.ts";

/** Every service, in the order of its start; stopped in reverse. */
export const serviceFactories: readonly ServiceFactory[] = [
  iamService,
  stsService,
  s3Service,
];
