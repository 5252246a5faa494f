import { createHash } from "node:crypto";
import { digestOf } from "../digest.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import type { Descriptor, Platform } from "../manifest.ts";
import type { Repository } from "../client/registry-client.ts";

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: string, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let block = createHash("sha512").update(seed).digest();
  for (let at = 0; at < sizeBytes; at += block.length) {
    block.copy(bytes, at);
    // One hash for 4 KiB is enough to make every layer differ and keeps large samples quick.
    if (at % 4096 === 0) block = createHash("sha512").update(block).digest();
  }
  return bytes;
}

/** A blob of memory as a source for uploads. */
export const memoryBlob = (bytes: Buffer) => ({
  blob: { digest: digestOf(bytes), size: bytes.length },
  async *read(offset = 0) {
    for (let at = offset; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  },
});

export interface Sample {
  readonly layers: readonly Buffer[];
  readonly platform?: Platform;
  /** What the layers are called. @default - uncompressed */
  readonly layerType?: string;
  /** Digests of the layers' archives, where the layers are compressed. @default - those of the layers */
  readonly diffIds?: readonly string[];
  /** What made each layer. @default - nobody says */
  readonly history?: readonly { readonly created_by: string }[];
}

/** Pushes an image of these layers and returns its descriptor. Its content is noise: it is for moving, not for running. */
export async function pushSample(repository: Repository, tag: string, sample: Sample): Promise<Descriptor> {
  const platform = sample.platform ?? { os: "linux", architecture: "amd64" };
  const config = Buffer.from(
    JSON.stringify({
      ...platform,
      config: {},
      rootfs: { type: "layers", diff_ids: sample.diffIds ?? sample.layers.map((bytes) => digestOf(bytes)) },
      ...(sample.history && { history: sample.history }),
    }),
  );
  for (const bytes of new Set([config, ...sample.layers]))
    if ((await repository.headBlob(digestOf(bytes))) === undefined) await repository.uploadBlob(memoryBlob(bytes));
  const descriptor = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptor(config, MEDIA_TYPES.ociConfig),
    layers: sample.layers.map((bytes) => descriptor(bytes, sample.layerType ?? MEDIA_TYPES.ociLayerTar)),
  };
  return { ...(await put(repository, tag, manifest)), platform };
}

/** Pushes an index of manifests that are in the repository already. */
export const pushIndex = (repository: Repository, tag: string, manifests: readonly Descriptor[]): Promise<Descriptor> =>
  put(repository, tag, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });

/** Pushes what refers to a manifest, as `oras attach` does: one blob, its type and its subject. */
export async function pushReferrer(
  repository: Repository,
  subject: Descriptor,
  { artifactType, content }: { readonly artifactType: string; readonly content: Buffer },
): Promise<Descriptor> {
  const empty = Buffer.from("{}");
  for (const bytes of [empty, content]) await repository.uploadBlob(memoryBlob(bytes));
  const { mediaType, digest, size } = subject;
  return put(repository, "", {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    subject: { mediaType, digest, size },
    config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(empty), size: empty.length },
    layers: [{ mediaType: "application/octet-stream", digest: digestOf(content), size: content.length }],
  });
}

async function put(
  repository: Repository,
  tag: string,
  manifest: { readonly mediaType: string; readonly [member: string]: unknown },
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = await repository.putManifest(tag === "" ? digestOf(bytes) : tag, {
    mediaType: manifest.mediaType,
    bytes,
  });
  return { mediaType: manifest.mediaType, digest, size: bytes.length };
}
