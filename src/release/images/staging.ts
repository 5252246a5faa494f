import { createHash } from "node:crypto";
import type { AwsClients } from "../../aws/clients.ts";
import { runExecution } from "../../aws/executions.ts";
import type { Clock } from "../../kit/clock.ts";
import { ReleaseError } from "../errors.ts";
import type { Emit } from "../events.ts";
import { NAMES } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";

/** How one image fared in a staging state machine. */
export interface ImageOutcome {
  readonly source_uri: string;
  readonly target_image: string;
  readonly status: "SUCCEEDED" | "SKIPPED" | "FAILED" | "CONTINUE" | "NEEDS_ENGINE" | "BUILT_BY_ENGINE";
  readonly digest?: string;
  /** Bytes of the image's own content. */
  readonly size?: number;
  readonly bytes_moved?: number;
  readonly bytes_saved?: number;
  readonly seconds?: number;
  readonly reason?: string;
}

/** One item of the builder's manifest. */
export interface BuildItem {
  readonly source_uri: string;
  readonly target_image: string;
  readonly dockerfile: string;
  readonly build_args: Readonly<Record<string, string>>;
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
export async function stageImages(staging: Staging, manifests: { readonly pulls: readonly string[]; readonly builds: readonly BuildItem[] }): Promise<readonly ImageOutcome[]> {
  const [pulled, built] = await Promise.all([
    manifests.pulls.length > 0 ? execute(staging, NAMES.puller, manifests.pulls) : [],
    manifests.builds.length > 0 ? execute(staging, NAMES.builder, manifests.builds) : [],
  ]);
  const outcomes = [...pulled, ...built];
  for (const { source_uri, target_image, status, digest, reason } of outcomes)
    staging.emit({ type: "image.staged", image: source_uri, target: target_image, status, ...(digest && { digest }), ...(reason && { reason }) });
  const failed = outcomes.filter((outcome) => outcome.status === "FAILED");
  if (failed.length > 0)
    throw new ReleaseError("ImagesFailed", {
      says: `${failed.length} of ${outcomes.length} images could not be brought into ECR`, fix: "look at the reasons; start the release again when they are gone: what is there is not moved again", blame: "user",
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
  if (ended.status === "SUCCEEDED") return (JSON.parse(ended.output) as { images: ImageOutcome[] }).images;
  const results = resultsIn(ended.cause);
  if (results) return results;
  throw new ReleaseError("ImagesFailed", { says: `${machine} ended ${ended.status}: ${ended.error} ${ended.cause}`, fix: `look at the execution ${ended.executionArn}`, blame: "aws" });
}

/** A failed execution carries every image's result in its cause. */
function resultsIn(cause: string): readonly ImageOutcome[] | undefined {
  try {
    return (JSON.parse(cause) as { images?: ImageOutcome[] }).images;
  } catch {
    return undefined;
  }
}
