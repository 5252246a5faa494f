import { isDigest } from "../layers/digests.ts";
import { invalidParameter } from "../errors.ts";

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** What ECR needs to know of a manifest. */
export interface ReadManifest {
  readonly mediaType: string;
  /** Configuration and layers that must be there; foreign layers are not. */
  readonly layers: readonly Descriptor[];
  /** Manifests of an index that must be there. */
  readonly manifests: readonly Descriptor[];
  readonly subject?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

const INDEX = "application/vnd.oci.image.index.v1+json";
const LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const TYPES: readonly string[] = [INDEX, LIST, IMAGE, "application/vnd.docker.distribution.manifest.v2+json"];

/** Reads a manifest of any form. @throws AwsError InvalidParameterException for what is none, naming the member that is wrong */
export function readManifest(bytes: Buffer, given: string | undefined): ReadManifest {
  const manifest = parse(bytes);
  const mediaType = typeOf(manifest, given?.split(";")[0]?.trim());
  const isIndex = mediaType === INDEX || mediaType === LIST;
  const [config, subject] = ["config", "subject"].map((member) =>
    manifest[member] === undefined || manifest[member] === null ? undefined : checkedDescriptor(member, manifest[member]),
  );
  if (!isIndex && !config && !Array.isArray(manifest["layers"])) throw invalidManifest("it has neither config and layers nor manifests");
  const artifactType = manifest["artifactType"] || config?.["mediaType"];
  const annotations = checkedAnnotations(manifest["annotations"]);
  return {
    mediaType,
    layers: isIndex
      ? []
      : [...(config ? [config] : []), ...descriptors("layers", manifest["layers"] ?? []).filter((layer) => !isForeign(layer))],
    manifests: isIndex ? descriptors("manifests", manifest["manifests"]) : [],
    ...(subject && { subject: subject.digest }),
    ...(artifactType ? { artifactType: checkedType("artifactType", artifactType) } : {}),
    ...(annotations && { annotations }),
  };
}

/**
 * What a manifest is. One that could be read as two things is refused: clients refuse it when they pull it (CVE-2021-41190:
 * its own mediaType and its Content-Type have to be the same, and it is either an image or an index).
 */
function typeOf(manifest: Json, given: string | undefined): string {
  const [isImage, isIndex] = [["config", "layers"], ["manifests"]].map((members) =>
    members.some((member) => manifest[member] !== undefined && manifest[member] !== null),
  );
  if (isImage && isIndex) throw invalidManifest("it is an image and an index at once");
  const own = manifest["mediaType"] ? checkedType("mediaType", manifest["mediaType"]) : undefined;
  if (own !== undefined && given && given.toLowerCase() !== own.toLowerCase())
    throw invalidManifest(`its mediaType is ${own}, but it is pushed as ${given}`);
  if (own === undefined && given && !TYPES.includes(given.toLowerCase()))
    throw invalidManifest(`it has no mediaType, and it is pushed as ${given}, which is no type of a manifest`);
  return own ?? (given?.toLowerCase() || (isIndex ? INDEX : IMAGE));
}

const invalidManifest = (why: string) => invalidParameter(`at 'ImageManifest' failed to satisfy constraint: '${why}'`);

function parse(bytes: Buffer): Json {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (isObject(value)) return value;
  } catch {
    // Told below, in the same words as for JSON that is no object.
  }
  throw invalidManifest("Invalid JSON syntax");
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

function descriptors(member: string, value: unknown): readonly (Json & Descriptor)[] {
  if (!Array.isArray(value)) throw invalidManifest(`${member} is not a list`);
  return value.map((entry, index) => checkedDescriptor(`${member}[${index}]`, entry));
}

function checkedDescriptor(member: string, value: unknown): Json & Descriptor {
  if (!isObject(value)) throw invalidManifest(`${member} is not a descriptor`);
  const { digest, size } = value;
  if (typeof digest !== "string" || !isDigest(digest)) throw invalidManifest(`${member}.digest is not a digest`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw invalidManifest(`${member}.size is not a number of bytes`);
  return { ...value, digest, size };
}

/** RFC 6838 section 4.2: it is given back in a header. */
function checkedType(member: string, value: unknown): string {
  if (typeof value !== "string" || !/^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}$/.test(value))
    throw invalidManifest(`${member} is not a media type`);
  return value;
}

function checkedAnnotations(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== "string"))
    throw invalidManifest("annotations are not texts by name");
  return value as Readonly<Record<string, string>>;
}

/** Layers that lie elsewhere (Windows base layers) are never in the registry. */
const isForeign = ({ mediaType, urls }: Json): boolean =>
  Array.isArray(urls) && urls.length > 0 && /foreign|nondistributable/.test(String(mediaType));
