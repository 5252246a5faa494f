import { createHash } from "node:crypto";
import { paginateGetExecutionHistory } from "@aws-sdk/client-sfn";
import type { AwsClients } from "../../aws/clients.ts";
import { runExecution } from "../../aws/executions.ts";
import type { Clock } from "../../kit/clock.ts";
import { ReleaseError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { NAMES } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import { outcomesIn } from "./results.ts";
import { EACH_IMAGE } from "./state-machines.ts";

/** How one image fared in a staging state machine. */
export interface ImageOutcome {
  readonly source_uri: string;
  readonly target_image: string;
  readonly status: "SUCCEEDED" | "SKIPPED" | "FAILED" | Unfinished;
  readonly digest?: string;
  /** Of an image that was built for one: `linux/amd64`. */
  readonly platform?: string;
  /** Bytes of the image in ECR. */
  readonly size?: number;
  readonly bytes_moved?: number;
  readonly bytes_saved?: number;
  readonly seconds?: number;
  /** Why it was brought, skipped, or could not be. */
  readonly reason?: string;
  /** The build that worked on it, where a function could not. */
  readonly build?: string;
  /** That build's log: `<log group>:<log stream>`. */
  readonly log?: string;
  /** Where a browser shows it. */
  readonly log_link?: string;
}

/** Between two steps of a state machine: what CodeBuild is to do, and what it did. */
export type Unfinished = "TOO_LARGE" | "NEEDS_ENGINE" | "BUILD_ENDED" | "BUILD_FAILED";

/** What a state machine adds to an item after a build of CodeBuild. */
export interface AfterBuild {
  readonly status?: ImageOutcome["status"];
  /** Of BUILD_ENDED: the variables that the build exported. */
  readonly exported?: readonly { readonly Name?: string; readonly Value?: string }[];
  /** Why a build was needed. */
  readonly reason?: string;
  /** Of BUILD_FAILED: what Step Functions says, the build as JSON or any other text. */
  readonly cause?: string;
  readonly build?: string;
  /** When work on it began, in milliseconds since 1970. */
  readonly started?: number;
}

/** One item of the builder's manifest. */
export interface BuildItem {
  readonly source_uri: string;
  readonly target_image: string;
  readonly dockerfile: string;
  readonly build_args: Readonly<Record<string, string>>;
  /** The stage to build. @default - the last one */
  readonly target?: string | undefined;
  /** @default linux/amd64, on which HealthOmics runs tasks */
  readonly platforms?: readonly string[];
  /** Builds although the source is unchanged. @default false */
  readonly force?: boolean;
  /** What containers.lock.json says the image is: taken as it is where it is there, built from the same source. */
  readonly locked_digest?: string | undefined;
  /** Whose source this is, and its commit: labels of the image. */
  readonly source?: string | undefined;
  readonly commit?: string | undefined;
}

export interface Staging {
  readonly clients: AwsClients;
  readonly place: Place;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What names the executions: the same staging again finds its execution. */
  readonly identity: string;
}

/**
 * Has the puller and the builder bring every image in, and waits for both.
 * @throws ReleaseError ImagesFailed naming each failed image and why, after all others are done
 */
export async function stageImages(
  staging: Staging,
  manifests: { readonly pulls: readonly string[]; readonly builds: readonly BuildItem[] },
): Promise<readonly ImageOutcome[]> {
  const [pulled, built] = await Promise.all([
    manifests.pulls.length > 0 ? execute(staging, NAMES.puller, manifests.pulls) : [],
    manifests.builds.length > 0 ? execute(staging, NAMES.builder, manifests.builds) : [],
  ]);
  const outcomes = [...pulled, ...built];
  for (const { source_uri, target_image, status, digest, reason } of outcomes)
    staging.emit({
      type: "image.staged",
      image: source_uri,
      target: target_image,
      status,
      ...(digest && { digest }),
      ...(reason && { reason }),
    });
  const failed = outcomes.filter((outcome) => outcome.status === "FAILED");
  if (failed.length > 0)
    throw new ReleaseError("ImagesFailed", {
      says: `${failed.length} of ${outcomes.length} images could not be brought into ECR`,
      fix: "look at the reasons; start the release again when they are gone: what is there is not moved again",
      blame: "user",
      details: failed.map((outcome) => `${outcome.source_uri}: ${outcome.reason ?? "no reason given"}`),
    });
  return outcomes;
}

async function execute(staging: Staging, machine: string, manifest: readonly unknown[]): Promise<readonly ImageOutcome[]> {
  const { clients, place, clock, identity } = staging;
  const input = JSON.stringify({ manifest });
  const name = `${identity}-${createHash("sha256").update(input).digest("hex").slice(0, 12)}`.slice(-80);
  const arn = `arn:aws:states:${place.region}:${place.account}:stateMachine:${machine}`;
  const ended = await runExecution(clients.states, { arn, name, input, clock });
  const results =
    outcomesIn(ended.status === "SUCCEEDED" ? ended.output : ended.cause) ??
    (ended.error === "ImagesFailed" ? await resultsInHistory(clients.states, ended.executionArn) : undefined);
  if (results) return results;
  if (ended.status === "SUCCEEDED")
    throw new ReleaseError("ImagesFailed", {
      says: `${machine} told its results as another version of omx does: what is deployed is not of this one`,
      fix: "deploy this one's with `omx deploy`",
      blame: "user",
    });
  throw new ReleaseError("ImagesFailed", {
    says: `${machine} ended ${ended.status}: ${ended.error} ${ended.cause}`,
    fix: `look at the execution ${ended.executionArn}`,
    blame: "aws",
  });
}

/** The results where they are too long for a cause: the output of the state that had them all. */
async function resultsInHistory(states: AwsClients["states"], executionArn: string): Promise<readonly ImageOutcome[] | undefined> {
  for await (const page of paginateGetExecutionHistory(
    { client: states },
    { executionArn, reverseOrder: true, includeExecutionData: true },
  ))
    for (const { stateExitedEventDetails: exited } of page.events ?? [])
      if (exited?.name === EACH_IMAGE) return outcomesIn(exited.output ?? "");
  return undefined;
}
