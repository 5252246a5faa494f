import { parseImageRef } from "../../../kit/image-ref.ts";
import { isDigestOf } from "../../../oci/digest.ts";
import type { RegistryClient, Repository } from "../../../oci/client/registry-client.ts";
import type { StoredManifest } from "../../../oci/client/manifests.ts";
import { blobsHeld, type Descriptor, readManifest } from "../../../oci/manifest.ts";

/** One image as somebody finds it: the lock's, or where production's map points to. */
export interface ImageToVerify {
  /** As the definition writes it. */
  readonly image: string;
  readonly target: string;
  readonly digest: string;
}

/** How one identity sees the registry. */
export interface View {
  /** Named in findings: `cicd`, `production`. */
  readonly name: string;
  readonly client: RegistryClient;
}

export interface VerifiedImage extends ImageToVerify {
  readonly view: string;
  readonly manifests: number;
  /** Bytes whose digest was computed anew. */
  readonly hashedBytes: number;
  /** What differs; empty: these are the bytes. */
  readonly problems: readonly string[];
}

/**
 * Proves that an image is the bytes that its digest names, as this identity reads them: every manifest and
 * configuration is hashed anew, every layer is there in its size, or, with `deep`, hashed as well.
 */
export async function verifyImage(
  { name, client }: View,
  image: ImageToVerify,
  { deep }: { readonly deep: boolean },
): Promise<VerifiedImage> {
  const ref = parseImageRef(image.target);
  const tally: Tally = { manifests: 0, hashedBytes: 0, problems: [] };
  if (ref.digest !== undefined && ref.digest !== image.digest) tally.problems.push(`it is named by ${ref.digest}, not by ${image.digest}`);
  await walk({ repository: client.repository(ref), deep, tally }, image.digest);
  return { image: image.image, target: image.target, digest: image.digest, view: name, ...tally };
}

interface Tally {
  manifests: number;
  hashedBytes: number;
  readonly problems: string[];
}

interface Walk {
  readonly repository: Repository;
  readonly deep: boolean;
  readonly tally: Tally;
}

async function walk(at: Walk, digest: string): Promise<void> {
  const { repository, tally } = at;
  const stored = await attempt(tally, digest, () => repository.getManifest(digest));
  if (stored === undefined) return;
  if (stored === "missing") return void tally.problems.push(`the manifest ${digest} is not there`);
  if (!isDigestOf(digest, stored.bytes)) return void tally.problems.push(`the manifest ${digest} has other bytes`);
  tally.manifests += 1;
  tally.hashedBytes += stored.bytes.length;
  await content(at, stored);
}

async function content(at: Walk, stored: StoredManifest): Promise<void> {
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind === "index") {
    for (const child of manifest.manifests) await walk(at, child.digest);
    return;
  }
  await Promise.all(
    blobsHeld(manifest).map((blob) => (at.deep || blob.digest === manifest.config.digest ? rehash(at, blob) : measure(at, blob))),
  );
}

/** Reading from the first byte proves size and digest. */
async function rehash({ repository, tally }: Walk, blob: Descriptor): Promise<void> {
  await attempt(tally, blob.digest, async () => {
    for await (const chunk of repository.blob(blob).read()) tally.hashedBytes += chunk.length;
    return true;
  });
}

async function measure({ repository, tally }: Walk, { digest, size }: Descriptor): Promise<void> {
  const found = await attempt(tally, digest, () => repository.headBlob(digest));
  if (found === "missing") tally.problems.push(`the layer ${digest} is not there`);
  else if (found !== undefined && found !== size) tally.problems.push(`the layer ${digest} has ${found} bytes, the manifest says ${size}`);
}

/** The answer, `missing` for none; a failure becomes a finding. */
async function attempt<Answer>(
  tally: Tally,
  digest: string,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer | "missing" | undefined> {
  try {
    return (await ask()) ?? "missing";
  } catch (error) {
    tally.problems.push(`${digest}: ${(error as Error).message}`);
    return undefined;
  }
}
