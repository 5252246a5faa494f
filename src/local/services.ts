import type { ServiceFactory } from "./gateway/service.ts";
import { s3Service } from "./s3/service.ts";

/** Every service, in the order of its start; stopped in reverse. */
export const serviceFactories: readonly ServiceFactory[] = [
  s3Service,
];
