import { join } from "node:path";
import { formatImageRef, parseImageRef, referenceOf } from "../../../kit/image-ref.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { nameThere } from "../../../oci/copy/tagged.ts";
import { type Platform, formatPlatform, parsePlatform } from "../../../oci/manifest.ts";
import type { Place } from "../../project/deploy-config.ts";
import type { ImageBuild } from "../../project/omx-yaml.ts";
import { imageThere, SOURCE_HASH_LABEL } from "../build/labels.ts";
import { type ContainersLock, type LockedImage, lockedImage } from "./lock.ts";
import { buildTarget, type ImagePlan, type PlannedUse, planPulls } from "../plan.ts";
import { wantedDigest } from "../pull/preview.ts";
import { hashSource } from "../build/source-files.ts";

/**
 * What became of one image of a lock. SAME: nothing changed; NEW: locked for the first time; MOVED: its tag means other
 * bytes than when it was locked; NOT_STAGED: what upstream has is not in ECR, so nothing can be locked to it; REMOVED:
 * nothing uses it any more; FAILED: nobody could say.
 */
export interface Relocked {
  readonly image: string;
  readonly source: string;
  readonly status: "SAME" | "NEW" | "MOVED" | "NOT_STAGED" | "REMOVED" | "FAILED";
  /** What it is now. */
  readonly digest?: string;
  /** What the lock said before. */
  readonly before?: string;
  readonly reason?: string;
}

export interface Relocking {
  readonly plan: ImagePlan;
  readonly place: Place;
  readonly client: RegistryClient;
  /** The deployment's own, over omx's. */
  readonly namespaces?: Readonly<Record<string, string>>;
  /** The repository's folder, with the sources of what is built. */
  readonly root: string;
  /** The lock as it is. */
  readonly before?: ContainersLock | undefined;
  /** One platform out of images that have several. @default - that for which an image is locked already, all of a new one */
  readonly platform?: Platform | "all";
}

/**
 * Compares every image of a plan with its registry, with ECR, and with the lock.
 * @returns the lock as it should be; what could not be locked stays as it was
 */
export async function relock(relocking: Relocking): Promise<{ readonly lock: ContainersLock; readonly images: readonly Relocked[] }> {
  const { plan, before } = relocking;
  const entries = new Map((before?.images ?? []).map((locked) => [locked.image, locked]));
  const looked = await Promise.all(plan.uses.map(async (use) => ({ use, ...(await look(relocking, use, entries.get(use.image))) })));
  const used = new Set(plan.uses.map(({ image }) => image));
  const removed = [...entries.values()]
    .filter(({ image }) => !used.has(image))
    .map(({ image, source, digest }): Relocked => ({ image, source, status: "REMOVED", before: digest }));
  return {
    lock: { version: 1, images: looked.flatMap(({ entry }) => entry ?? []) },
    images: [...looked.map(({ told }) => told), ...removed],
  };
}

interface Looked {
  readonly entry?: LockedImage | undefined;
  readonly told: Relocked;
}

async function look(relocking: Relocking, use: PlannedUse, before: LockedImage | undefined): Promise<Looked> {
  const about = {
    image: use.image,
    source: "pull" in use.from ? use.from.pull : (buildOf(relocking.plan, use.from.build)?.source ?? use.from.build),
    ...(before && { before: before.digest }),
  };
  try {
    const { target, digest, platform, missing } = await ("pull" in use.from
      ? findPulled(relocking, use.from.pull, wantedPlatform(relocking, before))
      : findBuilt(relocking, use.from.build));
    if (missing !== undefined)
      return { entry: before, told: { ...about, status: "NOT_STAGED", ...(digest !== "" && { digest }), reason: missing } };
    const entry = lockedImage({ image: about.image, source: about.source, target, digest, ...(platform && { platform }) });
    return { entry, told: { ...about, digest, ...comparedWith(before, entry) } };
  } catch (error) {
    return { entry: before, told: { ...about, status: "FAILED", reason: (error as Error).message } };
  }
}

function comparedWith(before: LockedImage | undefined, { digest, target }: LockedImage): Pick<Relocked, "status" | "reason"> {
  if (before === undefined) return { status: "NEW" };
  if (before.digest !== digest) return { status: "MOVED" };
  if (before.target === target) return { status: "SAME" };
  return { reason: `the same bytes; their place in ECR was ${before.target}`, status: "MOVED" };
}

interface Found {
  readonly target: string;
  /** Empty where there is none. */
  readonly digest: string;
  readonly platform?: string;
  /** What to do where it is not in ECR. */
  readonly missing?: string;
}

function wantedPlatform({ platform }: Relocking, before: LockedImage | undefined): Platform | undefined {
  if (platform !== undefined) return platform === "all" ? undefined : platform;
  return before?.platform === undefined ? undefined : parsePlatform(before.platform);
}

async function findPulled({ client, place, namespaces }: Relocking, image: string, platform: Platform | undefined): Promise<Found> {
  const [pull] = planPulls([image], place, namespaces);
  if (!pull) throw new Error(`${image} has no place in ECR`);
  const source = parseImageRef(pull.source);
  const target = parseImageRef(pull.target_image);
  const there = client.repository(target);
  const digest = await nameThere(there, target.tag ?? referenceOf(target), await wantedDigest(client.repository(source), source, platform));
  const staged = await there.headManifest(digest);
  return {
    target: pull.target_image,
    digest,
    ...(platform && { platform: formatPlatform(platform) }),
    ...(!staged && { missing: "bring it in with `omx images pull`" }),
  };
}

/** A built image is locked where it was built from the source as it lies there now. */
async function findBuilt({ client, place, plan, root }: Relocking, name: string): Promise<Found> {
  const target = buildTarget(name, place);
  const there = await imageThere(client.repository(target), target.tag ?? "latest");
  const found = { target: formatImageRef(target), digest: there?.digest ?? "", ...(there?.platform && { platform: there.platform }) };
  const build = buildOf(plan, name);
  if (!there || !build) return { ...found, missing: "build it with `omx images build`" };
  const hash = await hashSource(join(root, build.source), {
    source_uri: build.source,
    target_image: found.target,
    dockerfile: build.dockerfile,
    build_args: build.args,
  });
  return there.labels[SOURCE_HASH_LABEL] === hash
    ? found
    : { ...found, missing: "it was built from another source; build it with `omx images build`" };
}

const buildOf = ({ builds }: ImagePlan, target: string): ImageBuild | undefined => builds.find((build) => build.target === target);
