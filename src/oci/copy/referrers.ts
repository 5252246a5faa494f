import { formatImageRef } from "../../kit/image-ref.ts";
import type { StoredManifest } from "../client/manifests.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import type { Descriptor } from "../manifest.ts";
import { copyContent } from "./image-copier.ts";
import type { CopyTask } from "./image-copier.ts";
import { InvalidManifest } from "../manifest.ts";

/** Tags under which cosign keeps what belongs to `sha256:<digits>`, beside the referrers API. */
const COSIGN_ENDINGS = [".sig", ".att", ".sbom"] as const;

/** Copies what refers to the image: by the referrers API or its fallback tag, and by cosign's tags. */
export async function copyReferrers(task: CopyTask, digest: string): Promise<void> {
  const referrers = await task.from.listReferrers(digest);
  for (const { digest: referrer } of referrers) await copyByReference(task, referrer, referrer);
  if (referrers.length > 0) await listThem(task, digest, referrers);
  const tag = digest.replace(":", "-");
  for (const ending of COSIGN_ENDINGS) await copyIfThere(task, `${tag}${ending}`);
}

async function copyIfThere(task: CopyTask, tag: string): Promise<void> {
  if ((await task.from.headManifest(tag)) !== undefined) await copyByReference(task, tag, tag);
}

async function copyByReference(task: CopyTask, from: string, to: string): Promise<void> {
  const manifest = await task.from.getManifest(from);
  if (!manifest) throw new InvalidManifest(`${formatImageRef(task.source)} has a referrer ${from} that is not in its repository`);
  if ((await task.to.headManifest(to))?.digest === manifest.digest) return;
  await copyContent(task, manifest, { depth: 0, mayBeThere: true });
  await task.to.putManifest(to, manifest);
}

/** A registry without the referrers API finds them in an index under the fallback tag (distribution spec 1.1). */
async function listThem({ to }: CopyTask, digest: string, referrers: readonly Descriptor[]): Promise<void> {
  const listed = new Set((await to.listReferrers(digest)).map((one) => one.digest));
  if (referrers.every((one) => listed.has(one.digest))) return;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: referrers }));
  const index: Omit<StoredManifest, "digest"> = { mediaType: MEDIA_TYPES.ociIndex, bytes };
  await to.putManifest(digest.replace(":", "-"), index);
}
