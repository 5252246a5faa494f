import type { ImageRef } from "../../kit/image-ref.ts";
import { formatImageRef, referenceOf } from "../../kit/image-ref.ts";
import type { StoredManifest } from "../client/manifests.ts";
import type { Repository } from "../client/registry-client.ts";
import { digestOf, isDigestOf } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { blobsHeld, blobsOf, DEEPEST_INDEX, readManifest, tooDeep } from "../manifest.ts";
import type { Descriptor, ImageManifest, Platform } from "../manifest.ts";
import type { BlobMover } from "./blob-mover.ts";
import { digestForPlatform } from "./platform.ts";
import { digestBehind, notThere, mustHave, type Tagged } from "./tagged.ts";

/** One image on its way: where from, where to, and what is counted for it. */
export interface CopyTask {
  readonly source: ImageRef;
  readonly target: ImageRef;
  readonly from: Repository;
  readonly to: Repository;
  readonly mover: BlobMover;
  /** All platforms of an index where it is absent. */
  readonly platform?: Platform | undefined;
  readonly count: (bytes: { readonly movedBytes: number; readonly savedBytes: number }) => void;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** What a user should know of the image, for the reason. */
  readonly remark?: Remark | undefined;
}

/** Says what a user should know of an image. */
export type Remark = (manifest: StoredManifest, from?: Repository) => Promise<string | undefined>;

/** How one copy ended well. */
export interface Copied {
  readonly digest: string;
  readonly isNew: boolean;
  readonly reason: string;
}

/**
 * Copies one image, or finds that the target has it. Nothing is written to disk; what the target has is not sent.
 * An image that has not changed costs one request on each side, one in all where the source is pinned by digest.
 */
export async function copyImage(task: CopyTask): Promise<Copied> {
  const [wanted, there] = await Promise.all([wantedDigest(task), task.to.getManifest(referenceOf(targetTag(task)))]);
  if (there && isDigestOf(wanted.digest, there.bytes)) {
    task.count({ movedBytes: 0, savedBytes: sizeOf(there) });
    return { digest: there.digest, isNew: false, reason: remarked("the target has the same digest", await task.remark?.(there)) };
  }
  const manifest = wanted.manifest ?? (await mustHave(task.from, task.source, wanted.digest));
  // Where the repository has an earlier image, it may have this one too, or parts of it.
  const isHeld = there !== undefined && (await task.to.headManifest(wanted.digest)) !== undefined;
  const remark = task.remark?.(manifest, task.from);
  await allOrFirstFailure<unknown>([
    isHeld ? undefined : copyContent(task, manifest, { depth: 0, mayBeThere: there !== undefined }),
    remark,
  ]);
  const isTagged = await store(task, manifest, { isHeld });
  const digest = isTagged && task.target.tag !== undefined ? digestOf(manifest.bytes) : manifest.digest;
  return { digest, isNew: isTagged || !isHeld, reason: remarked(reasonFor(there, isTagged), await remark) };
}

const remarked = (reason: string, remark: string | undefined): string => (remark === undefined ? reason : `${reason}; ${remark}`);

function reasonFor(there: StoredManifest | undefined, isTagged: boolean): string {
  if (there === undefined) return "the target did not have it";
  return isTagged
    ? `the tag moved from ${there.digest}`
    : `the tag is immutable in the target and stays with ${there.digest}: name the image by its digest, under which it is there`;
}

/** Stores the manifest under its tag, or, where that may not be moved, by its digest. @returns whether it has the tag */
async function store(task: CopyTask, manifest: StoredManifest, { isHeld }: { readonly isHeld: boolean }): Promise<boolean> {
  try {
    await task.to.putManifest(referenceOf(targetTag(task)), manifest);
    return true;
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== "TAG_INVALID" || !/immutable/i.test(error.says)) throw error;
    if (!isHeld) await task.to.putManifest(manifest.digest, manifest);
    return false;
  }
}

/** The tag to write; an image without one is stored by its digest. */
const targetTag = ({ target }: CopyTask): Pick<ImageRef, "tag" | "digest"> => (target.tag === undefined ? target : { tag: target.tag });

async function wantedDigest(task: CopyTask): Promise<Tagged> {
  const { source, from, platform } = task;
  if (platform) {
    const stored = await mustHave(from, source, referenceOf(source));
    const digest = await digestForPlatform(from, { source, stored, platform });
    return digest === stored.digest ? { digest, manifest: stored } : { digest };
  }
  if (source.digest !== undefined) return { digest: source.digest };
  return (await digestBehind(from, referenceOf(source))) ?? notThere(from, source);
}

/** Everything below a manifest, so that the registry will accept the manifest itself. */
export async function copyContent(task: CopyTask, manifest: StoredManifest, at: Position): Promise<void> {
  const document = readManifest(manifest.bytes, manifest.mediaType);
  if (document.kind === "image") return copyBlobs(task, document);
  if (at.depth >= DEEPEST_INDEX) throw tooDeep(formatImageRef(task.source));
  await allOrFirstFailure(document.manifests.map((child) => copyChild(task, child, at)));
}

/** Where in an image a manifest stands: below how many indexes, and whether the target may have it already. */
export interface Position {
  readonly depth: number;
  readonly mayBeThere: boolean;
}

async function copyBlobs({ from, to, mover, count, onBytes }: CopyTask, manifest: ImageManifest): Promise<void> {
  await allOrFirstFailure(blobsHeld(manifest).map(async (blob) => count(await mover.bring({ blob, source: from, target: to, onBytes }))));
}

async function copyChild(task: CopyTask, { digest }: Descriptor, { depth, mayBeThere }: Position): Promise<void> {
  if (mayBeThere && (await task.to.headManifest(digest)) !== undefined) return;
  const manifest = await mustHave(task.from, task.source, digest, "the index");
  await copyContent(task, manifest, { depth: depth + 1, mayBeThere });
  await task.to.putManifest(digest, manifest);
}

/** Waits for all, so that nothing of a failed image goes on in the background, and then throws the first failure. */
export async function allOrFirstFailure<T>(work: readonly (Promise<T> | undefined)[]): Promise<readonly (T | undefined)[]> {
  const ended = await Promise.allSettled(work);
  return ended.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

/** The bytes of an image's blobs. Those of an index are not known without reading each of its images. */
function sizeOf({ bytes, mediaType }: StoredManifest): number {
  const document = readManifest(bytes, mediaType);
  return document.kind === "image" ? blobsOf(document).reduce((sum, { size }) => sum + size, 0) : 0;
}
