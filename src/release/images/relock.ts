import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { type Platform, formatPlatform } from "../../oci/manifest.ts";
import type { Place } from "../project/deploy-config.ts";
import { type ContainersLock, type LockedImage, lockedImage } from "./lock.ts";
import { buildTarget, type ImagePlan, type PlannedUse, planPulls } from "./plan.ts";
import { wantedDigest } from "./preview.ts";

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
  /** The lock as it is. */
  readonly before?: ContainersLock | undefined;
  /** One platform out of images that have several. @default - all */
  readonly platform?: Platform;
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
  const removed = [...entries.values()].filter(({ image }) => !used.has(image)).map(({ image, source, digest }): Relocked => ({ image, source, status: "REMOVED", before: digest }));
  return { lock: { version: 1, images: looked.flatMap(({ entry }) => entry ?? []) }, images: [...looked.map(({ told }) => told), ...removed] };
}

interface Looked {
  readonly entry?: LockedImage | undefined;
  readonly told: Relocked;
}

async function look(relocking: Relocking, use: PlannedUse, before: LockedImage | undefined): Promise<Looked> {
  const about = { image: use.image, source: "pull" in use.from ? use.from.pull : use.from.build, ...(before && { before: before.digest }) };
  try {
    const { target, digest, isStaged } = await find(relocking, use);
    if (!isStaged) return { entry: before, told: { ...about, status: "NOT_STAGED", digest, reason: "pull" in use.from ? "bring it in with `omx images pull`" : "build it with `omx images build`" } };
    const entry = lockedImage({ image: about.image, source: about.source, target, digest, ...(relocking.platform && { platform: formatPlatform(relocking.platform) }) });
    return { entry, told: { ...about, digest, status: before === undefined ? "NEW" : before.digest === digest && before.target === entry.target ? "SAME" : "MOVED" } };
  } catch (error) {
    return { entry: before, told: { ...about, status: "FAILED", reason: (error as Error).message } };
  }
}

async function find({ client, place, platform, namespaces }: Relocking, { from }: PlannedUse): Promise<{ readonly target: string; readonly digest: string; readonly isStaged: boolean }> {
  if ("build" in from) {
    const target = buildTarget(from.build, place);
    const head = await client.repository(target).headManifest(target.tag ?? "latest");
    return { target: formatImageRef(target), digest: head?.digest ?? "", isStaged: head !== undefined };
  }
  const [pull] = planPulls([from.pull], place, namespaces);
  if (!pull) throw new Error(`${from.pull} has no place in ECR`);
  const source = parseImageRef(pull.source);
  const digest = await wantedDigest(client.repository(source), source, platform);
  const staged = await client.repository(parseImageRef(pull.target_image)).headManifest(digest);
  return { target: pull.target_image, digest, isStaged: staged !== undefined };
}
