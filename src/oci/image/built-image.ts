import type { BlobSource } from "../client/blob-reader.ts";
import type { Repository } from "../client/registry-client.ts";
import { digestOf } from "../digest.ts";
import type { Digest } from "../digest.ts";
import { formatPlatform } from "../manifest.ts";
import type { Descriptor, Platform } from "../manifest.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import { memoryBlob } from "./layer.ts";
import type { Layer } from "./layer.ts";

/** An image's configuration (OCI image spec, "Image Configuration"); members not named here are kept as they are. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  readonly author?: string;
  readonly config?: ContainerConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

/** How a container of the image starts. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly Healthcheck?: Readonly<Record<string, unknown>>;
  readonly OnBuild?: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly empty_layer?: boolean;
}

/** An image that is ready to be pushed. */
export interface BuiltImage {
  readonly digest: Digest;
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly configBlob: BlobSource;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  /** The bytes of configuration and layers together. */
  readonly sizeBytes: number;
}

/** The one time of everything that is built, so that the same source gives the same digest. */
export const CREATED = "1970-01-01T00:00:00Z";

/** What an image is made of. */
export interface ImageParts {
  readonly platform: Platform;
  readonly author?: string;
  readonly config: ContainerConfig;
  readonly history: readonly HistoryEntry[];
  readonly layers: readonly Layer[];
}

/** Puts an image together from layers and a configuration. */
export function imageOf({ platform, author, config, history, layers }: ImageParts): BuiltImage {
  const rootfs = { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) } as const;
  const imageConfig: ImageConfig = { created: CREATED, ...(author === undefined ? {} : { author }), ...platform, config, rootfs, history };
  return { ...imageWith(Buffer.from(JSON.stringify(imageConfig)), layers), platform };
}

/** The image of a configuration as it is written, byte for byte; it says the platform. */
export function imageWith(configBytes: Buffer, layers: readonly Layer[]): BuiltImage {
  const config = JSON.parse(configBytes.toString("utf8")) as ImageConfig;
  const { os, architecture, variant } = config;
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.ociConfig,
    digest: digestOf(configBytes),
    size: configBytes.length,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptor,
    layers: layers.map((layer) => layer.descriptor),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return {
    digest: digestOf(bytes),
    platform: { os, architecture, ...(variant && { variant }) },
    config,
    mediaType: MEDIA_TYPES.ociManifest,
    bytes,
    configBlob: memoryBlob(configBytes, descriptor),
    layers,
    sizeBytes: layers.reduce((sum, layer) => sum + layer.descriptor.size, descriptor.size),
  };
}

/** What a push did. */
export interface Pushed {
  readonly digest: Digest;
  readonly isNew: boolean;
  readonly bytesMoved: number;
  readonly bytesSaved: number;
}

/** Pushes the image under a tag; what the repository has already is not sent. */
export async function pushImage(repository: Repository, tag: string, image: BuiltImage): Promise<Pushed> {
  const there = await repository.headManifest(tag);
  if (there?.digest === image.digest) return { digest: image.digest, isNew: false, bytesMoved: 0, bytesSaved: image.sizeBytes };
  const layers = [...new Map(image.layers.map((layer) => [layer.descriptor.digest, layer])).values()];
  const sent = await Promise.all([pushBlob(repository, image.configBlob), ...layers.map((layer) => pushLayer(repository, layer))]);
  await repository.putManifest(tag, image);
  const bytesMoved = sent.reduce((sum, bytes) => sum + bytes, 0);
  return { digest: image.digest, isNew: true, bytesMoved, bytesSaved: Math.max(0, image.sizeBytes - bytesMoved) };
}

async function pushLayer(repository: Repository, { source, origin }: Layer): Promise<number> {
  if (origin?.registry !== repository.registry) return pushBlob(repository, source);
  if (origin.repository === repository.repository) return 0;
  const session = await repository.beginUpload({ digest: source.blob.digest, from: origin.repository });
  return session === undefined ? 0 : repository.uploadBlob(source, session);
}

async function pushBlob(repository: Repository, source: BlobSource): Promise<number> {
  return (await repository.headBlob(source.blob.digest)) === undefined ? repository.uploadBlob(source) : 0;
}

/** The platform as people write it. */
export const platformOf = (image: BuiltImage): string => formatPlatform(image.platform);
