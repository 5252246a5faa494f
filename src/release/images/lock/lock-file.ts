import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { formatImageRef, isDigest, parseImageRef } from "../../../kit/image-ref.ts";
import { openFolder } from "../../../workflow/folder-tree.ts";
import { ReleaseError } from "../../errors.ts";
import type { ContainersLock } from "./lock.ts";
import type { ImagePlan } from "../plan.ts";

/** Beside omx.yaml, and in every bundle. */
export const LOCK_FILE = "containers.lock.json";

/** The platform of an image that was brought with all that it has; files of before say nothing then. */
const ALL = "all";

const digest = z.string().refine(isDigest, "a digest is sha256: and 64 of 0-9a-f");
const LockedImageEntry = z
  .object({ image: z.string(), source: z.string(), target: z.string(), digest, platform: z.string().optional() })
  .refine((locked) => digestIn(locked.target) === locked.digest, { path: ["target"], error: "it is not named by the digest beside it" })
  .transform(({ platform, ...rest }) => ({ ...rest, ...(platform && platform !== ALL && { platform }) }));
/** containers.lock.json as it is written. */
export const ContainersLockFile = z.object({
  version: z.literal(1, { error: ({ input }) => `it is ${JSON.stringify(input)}, and this omx reads version 1` }),
  images: z.array(LockedImageEntry).superRefine((images, context) => {
    const twice = images.find(({ image }, index) => images.findIndex((other) => other.image === image) < index);
    if (twice) context.addIssue({ code: "custom", message: `${twice.image} is there twice` });
  }),
});

function digestIn(target: string): string | undefined {
  try {
    return parseImageRef(target).digest;
  } catch {
    return undefined;
  }
}

/** Reads a lock. @throws ReleaseError ProjectInvalid naming what is wrong in it */
export function parseLock(text: string, file: string): ContainersLock {
  const conflict = text.split("\n").findIndex((line) => line.startsWith("<<<<<<< "));
  if (conflict >= 0) throw notOurs(`${file}:${conflict + 1} holds a merge that nobody has resolved`);
  try {
    return ContainersLockFile.parse(JSON.parse(text));
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => [...(path.length > 0 ? [path.join(".")] : []), message].join(": ")).join("; ")
        : (error as Error).message;
    throw notOurs(`${file} is no lock of images: ${why}`);
  }
}

/** What is locked is read before it is written anew, as what can't be locked now stays as it was. */
const notOurs = (says: string): ReleaseError =>
  new ReleaseError("ProjectInvalid", {
    says,
    fix: "take it from an earlier commit, or delete it; then write it anew with `omx images lock`",
    blame: "user",
  });

/** The lock of a repository, or undefined where it has none. @throws ReleaseError ProjectInvalid */
export function readLock(root: string): ContainersLock | undefined {
  const file = join(root, LOCK_FILE);
  return existsSync(root) && openFolder(root).has(LOCK_FILE) ? parseLock(readFileSync(file, "utf8"), file) : undefined;
}

/** The text of a lock, in the repository and in bundles, its members always in one order: what is the same has the same bytes. */
export const formatLock = ({ version, images }: ContainersLock): string =>
  `${JSON.stringify({ version, images: images.map(({ image, source, target, digest: of, platform = ALL }) => ({ image, source, target, digest: of, platform })) }, null, 2)}\n`;

/** What the lock says an image is that is built for this target. */
export const lockedBuild = (lock: ContainersLock | undefined, target: string): string | undefined =>
  lock?.images.find(({ image }) => image === target)?.digest;

/**
 * The plan with every image that the lock knows pulled by its digest: what upstream calls by the same tag tomorrow is
 * not what was looked at. Images that the lock does not know stay as they are.
 */
export function pinnedBy(plan: ImagePlan, lock: ContainersLock | undefined): ImagePlan {
  const known = new Map((lock?.images ?? []).map((locked) => [locked.source, locked]));
  const uses = plan.uses.map((use) =>
    "pull" in use.from ? { ...use, from: { pull: pinned(use.from.pull, known.get(use.from.pull)?.digest) } } : use,
  );
  return { ...plan, uses, pulls: [...new Set(uses.flatMap(({ from }) => ("pull" in from ? [from.pull] : [])))] };
}

function pinned(source: string, to: string | undefined): string {
  if (to === undefined) return source;
  const ref = parseImageRef(source);
  return ref.digest === undefined ? formatImageRef({ ...ref, digest: to }) : source;
}
