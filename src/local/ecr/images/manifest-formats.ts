/** A manifest as it is answered. */
export interface Formed {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

const OCI = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";

/** What each part of an image is called in the one form and in the other. */
const NAMES: readonly (readonly [oci: string, docker: string])[] = [
  [OCI, DOCKER],
  ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"],
  ["application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"],
  ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"],
];
const TO_DOCKER = new Map(NAMES);
const TO_OCI = new Map(NAMES.map(([oci, docker]) => [docker, oci]));

interface Part {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly urls?: readonly string[];
}

/**
 * An image that is pulled by tag, in a form its client understands: as it was pushed where that is one, else OCI's and
 * Docker's (schema 2) into each other (userguide/image-manifest-formats.html). What has no counterpart, an index, an
 * artifact or a layer of another kind, stays as it is.
 * @param accepted media types, none for a client that takes everything
 */
export function inAcceptedForm(stored: Formed, accepted: readonly string[]): Formed {
  if (accepted.length === 0 || accepted.includes(stored.mediaType)) return stored;
  const names = stored.mediaType === OCI ? TO_DOCKER : TO_OCI;
  const mediaType = names.get(stored.mediaType);
  if (mediaType === undefined || !accepted.includes(mediaType)) return stored;
  const { config, layers } = JSON.parse(stored.bytes.toString("utf8")) as { readonly config?: Part; readonly layers?: readonly Part[] };
  const parts = [config, ...(layers ?? [])].map((part) => part && renamed(part, names));
  if (parts.includes(undefined)) return stored;
  return { mediaType, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: parts[0], layers: parts.slice(1) })) };
}

function renamed({ mediaType, size, digest, urls }: Part, names: ReadonlyMap<string, string>): Part | undefined {
  const name = names.get(mediaType);
  return name === undefined ? undefined : { mediaType: name, size, digest, ...(urls && { urls }) };
}

/** The types of an Accept header; none where it takes everything (RFC 9110 section 12.5.1). */
export function acceptedTypes(header: string | undefined): readonly string[] {
  const types = (header ?? "").split(",").flatMap((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return type === "" || parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [type];
  });
  return types.some((type) => type === "*/*" || type === "application/*") ? [] : types;
}
