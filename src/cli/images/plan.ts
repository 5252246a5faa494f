import { join } from "node:path";
import { ecr } from "../../aws/services/ecr.ts";
import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { Gate } from "../../oci/client/gate.ts";
import { parsePlatform, type Platform } from "../../oci/manifest.ts";
import { buildNeed } from "../../release/images/build/build-need.ts";
import { lockedBuild, readLock } from "../../release/images/lock/lock-file.ts";
import { buildTarget, checkBuildTargets, type ImagePull, planPulls } from "../../release/images/plan.ts";
import { previewCopy } from "../../release/images/pull/preview.ts";
import { readCacheRules } from "../../release/images/pull/cache-rules.ts";
import { lookingClient } from "../../release/images/target-client.ts";
import { workshopClient } from "../../release/images/workshop.ts";
import type { Place } from "../../release/project/deploy-config.ts";
import type { ImageBuild } from "../../release/project/omx-yaml.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { type Choice, openSession } from "../aws/session.ts";
import type { Cli } from "../cli.ts";
import { openTicker } from "./progress.ts";
import { projectPlan } from "./project-plan.ts";
import { workshopOf } from "./workshop.ts";

/** What would happen to one image. */
export interface PlannedImage {
  readonly source: string;
  /** Other spellings of the same image. */
  readonly also?: readonly string[];
  readonly target: string;
  readonly status: "PULL" | "MOVED" | "SKIP" | "BUILD" | "FAILED";
  /** Upstream. */
  readonly digest?: string;
  /** In ECR under this tag now. */
  readonly present?: string;
  readonly bytes?: number;
  readonly missingBytes?: number;
  readonly reason?: string;
}

/** What `omx images plan --json` prints. */
export interface Planning {
  readonly images: readonly PlannedImage[];
  readonly missingBytes: number;
}

export interface PlanRequest {
  readonly images: readonly string[];
  readonly upstreams: Readonly<Record<string, string>>;
  readonly namespaces: Readonly<Record<string, string>>;
  /** `linux/amd64`, or `all`. */
  readonly platform: string;
  /** A workflow's repository. */
  readonly project?: string;
}

export const platformOf = (text: string): { readonly platform?: Platform } => (text === "all" ? {} : { platform: parsePlatform(text) });

/**
 * Says what staging would do; nothing is moved.
 * @throws ReleaseError when two images would share a name, or one has no valid name
 */
export async function planStaging(
  cli: Cli,
  choice: Choice,
  { images, upstreams, namespaces, platform, project }: PlanRequest,
): Promise<Planning> {
  const session = await openSession(cli, choice, { ecr });
  const plan = project === undefined ? undefined : projectPlan(project);
  const names = [...new Set([...images, ...(plan?.pulls ?? [])])];
  const pulls = Map.groupBy(planPulls(names, session.place, namespaces), ({ target_image: target }) => target);
  checkBuildTargets({ pulls: names, builds: plan?.builds ?? [] }, session.place, namespaces);
  await using asking = workshopClient(workshopOf(cli, session, upstreams));
  const client = lookingClient(asking, { ecr: session.clients.ecr, place: session.place }, await readCacheRules(session.clients.ecr));
  const planned = await previewAll(cli, [...pulls.values()], { client, ...platformOf(platform) });
  const builds: PlannedImage[] = [];
  for (const build of plan?.builds ?? []) builds.push(await previewBuild(build, { client, place: session.place, root: project ?? "." }));
  return { images: [...planned, ...builds], missingBytes: planned.reduce((sum, { missingBytes = 0 }) => sum + missingBytes, 0) };
}

/** With each come its manifests. */
const PREVIEWS_AT_ONCE = 8;

interface PreviewAll {
  readonly client: RegistryClient;
  readonly platform?: Platform;
}

/** Each image by its first spelling. Several at a time, but a layer that they share is counted for the first of them. */
async function previewAll(cli: Cli, pulls: readonly (readonly ImagePull[])[], options: PreviewAll): Promise<readonly PlannedImage[]> {
  const gate = new Gate(PREVIEWS_AT_ONCE, cli.clock);
  let looked = 0;
  await using _ticker = openTicker(cli, (seconds) => `${looked} of ${pulls.length} images looked at, ${seconds} s`);
  const counted = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  const previews = pulls.map(async ([pull, ...others]) => {
    const before = last;
    const mine = pull && gate.pass(() => preview(pull, { ...options, counted, turn: () => before }));
    last = mine ?? last;
    const planned = await mine;
    looked += 1;
    return planned ? [{ ...planned, ...(others.length > 0 && { also: others.map(({ source_uri: spelling }) => spelling) }) }] : [];
  });
  return (await Promise.all(previews)).flat();
}

/** Whether a build would build: the same look at source, bases and ECR. */
async function previewBuild(
  build: ImageBuild,
  { client, place, root }: { readonly client: RegistryClient; readonly place: Place; readonly root: string },
): Promise<PlannedImage> {
  const about = { source: build.source, target: formatImageRef(buildTarget(build.target, place)) };
  try {
    const locked = lockedBuild(readLock(root), build.target);
    const need = await buildNeed(
      client,
      {
        source_uri: build.source,
        target_image: about.target,
        dockerfile: build.dockerfile,
        build_args: build.args,
        ...(locked && { locked_digest: locked }),
      },
      join(root, build.source),
    );
    if (need.kind === "kept") return { ...about, status: "SKIP", digest: need.digest, reason: need.reason };
    return {
      ...about,
      status: "BUILD",
      ...(need.present && { present: need.present }),
      reason: need.moved ?? (need.present ? "its source has changed" : "it is not in ECR"),
    };
  } catch (error) {
    return { ...about, status: "FAILED", reason: (error as Error).message };
  }
}

async function preview(
  { source_uri, source, target_image: target }: ImagePull,
  options: {
    readonly client: RegistryClient;
    readonly counted: Set<string>;
    readonly turn: () => Promise<unknown>;
    readonly platform?: Platform;
  },
): Promise<PlannedImage> {
  try {
    const { digest, present, sizeBytes, missingBytes, remark } = await previewCopy({
      source: parseImageRef(source),
      target: parseImageRef(target),
      ...options,
    });
    return {
      source: source_uri,
      target,
      status: statusOf(present, digest),
      digest,
      ...(present && { present }),
      bytes: sizeBytes,
      missingBytes,
      ...(remark && { reason: remark }),
    };
  } catch (error) {
    return { source: source_uri, target, status: "FAILED", reason: (error as Error).message };
  }
}

/** What is to be done to have `digest` where a target has `present`. */
function statusOf(present: string | undefined, digest: string): PlannedImage["status"] {
  if (present === undefined) return "PULL";
  return present === digest ? "SKIP" : "MOVED";
}
