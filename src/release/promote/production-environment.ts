import type { Target } from "../../aws/clients.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import type { RepositorySettings } from "../images/repositories/repository-settings.ts";
import type { Place } from "../project/deploy-config.ts";

/** Production's view: its own place, and how to ask the cicd account. */
export interface ProductionEnvironment extends ReleaseEnvironment {
  readonly place: Place;
  readonly target: Target;
  /** How repositories of images that are copied here are made. @default DEFAULT_REPOSITORIES */
  readonly repositories?: RepositorySettings | undefined;
}
