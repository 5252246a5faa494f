import { isDigest } from "../kit/image-ref.ts";
import type { Digest } from "./digest.ts";
import { isForeignLayer, isIndexType, isManifestType, MEDIA_TYPES } from "./media-types.ts";

/** A platform as Go names it: `linux`, `amd64`, variant `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What one document says of another's type, size in bytes and content. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  /** Where the bytes lie, of layers that no registry stores. */
  readonly urls?: readonly string[];
}

/** One image: a configuration and layers, the lowest first. */
export interface ImageManifest {
  readonly kind: "image";
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A list of manifests, usually one for each platform. */
export interface ImageIndex {
  readonly kind: "index";
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Manifest = ImageManifest | ImageIndex;

/** A manifest that cannot be read; `message` says what is wrong with it. */
export class InvalidManifest extends Error {
  override readonly name = "InvalidManifest";
}

/** Indexes hold images; an index in an index is rare, and deeper ones ask for more the deeper they are. */
export const DEEPEST_INDEX = 3;

/** For an index below {@link DEEPEST_INDEX} others. */
export const tooDeep = (image: string): InvalidManifest =>
  new InvalidManifest(`${image} is an index of indexes, more than ${DEEPEST_INDEX} deep`);

/**
 * Reads the bytes of a manifest or index.
 * @param mediaType as the registry said; where it said nothing, the document's own decides
 * @throws InvalidManifest for schema 1, other types, and documents that lack what their type needs
 */
export function readManifest(bytes: Uint8Array, mediaType?: string): Manifest {
  const document = record(parseJson(bytes, mediaType), "the manifest");
  const type = typeOf(document, mediaType);
  const about = { mediaType: type, ...optional(document) };
  if (isIndexType(type)) return { kind: "index", ...about, manifests: descriptors(document["manifests"], "manifests") };
  if (!isManifestType(type)) throw new InvalidManifest(typeAdvice(document, type));
  return {
    kind: "image",
    ...about,
    config: descriptor(document["config"], "config"),
    layers: descriptors(document["layers"], "layers"),
  };
}

/** Every blob that the image is made of, each once, the configuration first. */
export function blobsOf(manifest: ImageManifest): readonly Descriptor[] {
  return [...new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()];
}

/** As {@link blobsOf}, but those alone that a registry holds: foreign layers lie elsewhere. */
export const blobsHeld = (manifest: ImageManifest): readonly Descriptor[] => blobsOf(manifest).filter((blob) => !isForeignLayer(blob));

/**
 * The type of a manifest as registries want it said: the document's own where the registry said nothing of use, such as
 * `application/json`; what the registry said where the document does not tell either.
 */
export function mediaTypeOf(bytes: Uint8Array, said: string): string {
  if (isIndexType(said) || isManifestType(said)) return said;
  try {
    return typeOf(record(parseJson(bytes, said), "the manifest"), said);
  } catch (error) {
    if (error instanceof InvalidManifest) return said;
    throw error;
  }
}

/** Parses `linux/amd64` or `linux/arm64/v8`. @throws InvalidManifest for other forms */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...more] = text.split("/");
  if (!os || !architecture || variant === "" || more.length > 0)
    throw new InvalidManifest(`"${text}" is not a platform: write it as linux/amd64 or linux/arm64/v8`);
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Prints `os/architecture` and the variant where there is one. */
export const formatPlatform = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");

/** Whether an image of platform `has` is what `wanted` asks for; a variant counts only where it is asked for. */
export const isPlatform = (has: Platform | undefined, wanted: Platform): boolean =>
  has?.os === wanted.os && has.architecture === wanted.architecture && (wanted.variant === undefined || has.variant === wanted.variant);

type Json = Readonly<Record<string, unknown>>;

function parseJson(bytes: Uint8Array, mediaType = ""): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new InvalidManifest(
      /html/i.test(mediaType)
        ? `a web page (${mediaType}) came instead of a manifest: look with a browser at what answers there`
        : "the manifest is not JSON",
    );
  }
}

function record(value: unknown, name: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new InvalidManifest(`${name} is not a JSON object`);
  return value as Json;
}

/**
 * The document's own type where the registry's Content-Type names no manifest; of a document without one (OCI 1.0
 * allowed that), its members tell.
 */
function typeOf(document: Json, header: string | undefined): string {
  const type = header?.split(";")[0]?.trim().toLowerCase() ?? "";
  const own = typeof document["mediaType"] === "string" ? document["mediaType"] : undefined;
  if (own !== undefined && type !== own && (isIndexType(type) || isManifestType(type)))
    throw new InvalidManifest(`the registry calls it ${type}, the document itself ${own}`);
  if (isIndexType(type) || isManifestType(type)) return confused(document, type);
  if (own !== undefined) return confused(document, own);
  if (document["schemaVersion"] !== 2) return type;
  if ("manifests" in document) return MEDIA_TYPES.ociIndex;
  return "config" in document ? MEDIA_TYPES.ociManifest : type;
}

/** A document that is both an index and an image would be read differently by different clients (CVE-2021-41190). */
function confused(document: Json, type: string): string {
  const other = isIndexType(type) ? "layers" : "manifests";
  if (other in document) throw new InvalidManifest(`a document of type ${type} must not have "${other}"`);
  return type;
}

function typeAdvice(document: Json, type: string): string {
  if (document["schemaVersion"] === 1)
    return 'it is in the old format "schema 1", which current container engines refuse: name a newer build of it, or bring it into a registry of your own with `skopeo copy --format v2s2` and name that one';
  return `"${type}" is neither an image nor an index`;
}

function optional(document: Json): Pick<Manifest, "subject" | "artifactType" | "annotations"> {
  return {
    ...(document["subject"] === undefined ? {} : { subject: descriptor(document["subject"], "subject") }),
    ...(typeof document["artifactType"] === "string" ? { artifactType: document["artifactType"] } : {}),
    ...(document["annotations"] === undefined
      ? {}
      : { annotations: record(document["annotations"], "annotations") as Readonly<Record<string, string>> }),
  };
}

function descriptors(value: unknown, name: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw new InvalidManifest(`the manifest has no list "${name}"`);
  return value.map((item, index) => descriptor(item, `${name}[${index}]`));
}

function descriptor(value: unknown, name: string): Descriptor {
  const { mediaType, digest, size, ...rest } = record(value, name);
  if (typeof mediaType !== "string") throw new InvalidManifest(`${name} has no mediaType`);
  if (typeof digest !== "string" || !isDigest(digest)) throw new InvalidManifest(`${name} has no valid digest`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw new InvalidManifest(`${name} has no valid size`);
  return { ...(rest as Omit<Descriptor, "mediaType" | "digest" | "size">), mediaType, digest, size };
}
