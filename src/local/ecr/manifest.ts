import { invalidParameter } from "./errors.ts";

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

const INDEXES = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/** Reads a manifest of any form. @throws AwsError InvalidParameterException for what is none */
export function readManifest(bytes: Buffer, given: string | undefined): ReadManifest {
  const manifest = parse(bytes);
  const mediaType = given?.split(";")[0]?.trim() || String(manifest["mediaType"] ?? "") || (Array.isArray(manifest["manifests"]) ? INDEXES[0] : "application/vnd.oci.image.manifest.v1+json") || "";
  const config = manifest["config"] as Json | undefined;
  const subject = (manifest["subject"] as { digest?: string } | undefined)?.digest;
  const artifactType = (manifest["artifactType"] as string | undefined) ?? (config?.["mediaType"] as string | undefined);
  const isIndex = INDEXES.includes(mediaType);
  if (!isIndex && !config && !Array.isArray(manifest["layers"])) throw invalidParameter("'imageManifest': it has neither config and layers nor manifests");
  return {
    mediaType,
    layers: isIndex ? [] : [...(config ? [config as unknown as Descriptor] : []), ...descriptors(manifest["layers"]).filter((layer) => !isForeign(layer as unknown as Json))],
    manifests: isIndex ? descriptors(manifest["manifests"]) : [],
    ...(subject && { subject }), ...(artifactType && { artifactType }), ...(manifest["annotations"] ? { annotations: manifest["annotations"] as Record<string, string> } : {}),
  };
}

function parse(bytes: Buffer): Json {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Told below, in the same words as for JSON that is no object.
  }
  throw invalidParameter("'imageManifest': it is not a JSON document");
}

const descriptors = (value: unknown): readonly Descriptor[] => (Array.isArray(value) ? (value as Descriptor[]).filter((entry) => typeof entry?.digest === "string") : []);

/** Layers that lie elsewhere (Windows base layers) are never in the registry. */
const isForeign = ({ mediaType, urls }: Json): boolean => Array.isArray(urls) && urls.length > 0 && /foreign|nondistributable/.test(String(mediaType));
