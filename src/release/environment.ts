import type { AwsClients, Target } from "../aws/clients.ts";
import type { Clock } from "../kit/clock.ts";
import type { Emit } from "./events.ts";
import type { Place } from "./project/deploy-config.ts";

/** Where a release works and whom it tells. */
export interface ReleaseEnvironment {
  readonly clients: AwsClients;
  readonly cicd: Place;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Also reads images where the account's registry answers. */
export interface BuildEnvironment extends ReleaseEnvironment {
  readonly target: Target;
}

/** Also hands over to places in other regions: S3 answers for a bucket in its own region alone. */
export interface PromotionEnvironment extends ReleaseEnvironment {
  s3In(region: string): AwsClients["s3"];
}

/** Which release this is: the commit and the pipeline's execution. */
export interface Identity {
  readonly workflow: string;
  readonly commit: string;
  readonly branch: string;
  readonly pipelineExecutionId: string;
  /** Who wrote the commit, where the repository tells: `Ada Lovelace <ada@example.org>`. */
  readonly author?: string;
  /** Who or what started the pipeline, as CodePipeline says it. */
  readonly startedBy: string;
}
