import { formatImageRef } from "../../kit/image-ref.ts";
import type { StoredManifest } from "../client/manifests.ts";
import type { Repository } from "../client/registry-client.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import type { Descriptor } from "../manifest.ts";
import { allOrFirstFailure, copyContent } from "./image-copier.ts";
import type { CopyTask } from "./image-copier.ts";
import { InvalidManifest, readManifest } from "../manifest.ts";

/** A signature, an SBOM, an attestation: what refers to an image, to the image of one of its platforms, or to another referrer. */
export interface Referrer {
  readonly digest: string;
  /** The digest of what it refers to. */
  readonly subject: string;
  /** Its artifact type; what cosign keeps by tag has none, and is called by what it is. */
  readonly type: string;
  /** The tag by which cosign finds it. */
  readonly tag?: string;
  /** How its registry lists it; absent where a tag finds it. */
  readonly listed?: Descriptor;
}

/** The ends of tags under which cosign keeps what belongs to `sha256:<digits>`, beside the referrers API. */
const OF_COSIGN = { ".sig": "cosign signature", ".att": "cosign attestation", ".sbom": "cosign SBOM" } as const;
/** Each costs half a dozen requests: a registry that lists ever more is not followed. */
const MOST_REFERRERS = 1000;

/**
 * Finds what refers to an image, and to that in turn, to the end: by the referrers API, by its fallback tag, and by cosign's
 * tags; of an image for several platforms what refers to each of them, too.
 * @param image has the image itself, where `from` counts what it is asked for. @default from
 * @throws RegistryError where the registry does not tell; InvalidManifest where they are too many
 */
export async function findReferrers(from: Repository, digest: string, image: Repository = from): Promise<readonly Referrer[]> {
  const found = new Map<string, Referrer>();
  const asked = new Set<string>();
  let subjects: readonly string[] = await imagesOf(image, digest);
  while (subjects.length > 0) {
    for (const subject of subjects) asked.add(subject);
    const next = (await allOrFirstFailure(subjects.map((subject) => referrersOf(from, subject)))).flatMap((some) => some ?? []);
    for (const one of next) found.set(`${one.subject} ${one.tag ?? one.digest}`, one);
    if (found.size > MOST_REFERRERS)
      throw new InvalidManifest(
        `more than ${MOST_REFERRERS} signatures, SBOMs and attestations refer to ${formatImageRef({ ...from, digest })}, and to these: they are not followed`,
      );
    subjects = [...new Set(next.map((one) => one.digest))].filter((one) => !asked.has(one));
  }
  return [...found.values()];
}

/** Copies what refers to the image, as {@link findReferrers} finds it, which is what it returns. @throws RegistryError, InvalidManifest */
export async function copyReferrers(task: CopyTask, digest: string): Promise<readonly Referrer[]> {
  const found = await findReferrers(task.from, digest, task.to);
  await allOrFirstFailure(found.map((one) => copyByReference(task, one.tag ?? one.digest)));
  const bySubject = Map.groupBy(
    found.flatMap(({ subject, listed }) => (listed ? [{ subject, listed }] : [])),
    ({ subject }) => subject,
  );
  for (const [subject, referrers] of bySubject)
    await listThem(
      task,
      subject,
      referrers.map(({ listed }) => listed),
    );
  return found;
}

/** The image and, of an index, the images for its platforms; BuildKit's attestations are part of the index and have no platform. */
async function imagesOf(image: Repository, digest: string): Promise<readonly string[]> {
  const stored = await image.getManifest(digest);
  const manifest = stored && readManifest(stored.bytes, stored.mediaType);
  return [
    digest,
    ...(manifest?.kind === "index"
      ? manifest.manifests.filter(({ platform }) => platform?.os !== "unknown").map((child) => child.digest)
      : []),
  ];
}

async function referrersOf(from: Repository, subject: string): Promise<readonly Referrer[]> {
  const listed = async (): Promise<readonly Referrer[]> =>
    (await listedFor(from, subject)).map((one) => ({ digest: one.digest, subject, type: one.artifactType ?? one.mediaType, listed: one }));
  const tagged = Object.entries(OF_COSIGN).map(async ([ending, type]): Promise<readonly Referrer[]> => {
    const tag = `${fallbackTag(subject)}${ending}`;
    const head = await from.headManifest(tag);
    return head ? [{ digest: head.digest, subject, type, tag }] : [];
  });
  return (await allOrFirstFailure([listed(), ...tagged])).flatMap((some) => some ?? []);
}

/** What a registry lists by its API and by the fallback tag: registries with the API leave out what lacks a subject. */
async function listedFor(at: Repository, subject: string): Promise<readonly Descriptor[]> {
  const served = await at.listReferrers(subject);
  const tag = fallbackTag(subject);
  const stored = (await at.headManifest(tag)) && (await at.getManifest(tag));
  const fallback = stored && readManifest(stored.bytes, stored.mediaType);
  return [...new Map([...(fallback?.kind === "index" ? fallback.manifests : []), ...served].map((one) => [one.digest, one])).values()];
}

const fallbackTag = (digest: string): string => digest.replace(":", "-");

async function copyByReference(task: CopyTask, reference: string): Promise<void> {
  const manifest = await task.from.getManifest(reference);
  if (!manifest) throw new InvalidManifest(`${formatImageRef(task.source)} has a referrer ${reference} that is not in its repository`);
  if ((await task.to.headManifest(reference))?.digest === manifest.digest) return;
  await copyContent(task, manifest, { depth: 0, mayBeThere: true });
  await task.to.putManifest(reference, manifest);
}

/** A registry without the referrers API finds them in an index under the fallback tag (distribution spec 1.1), beside those it has of its own. */
async function listThem({ to }: CopyTask, subject: string, referrers: readonly Descriptor[]): Promise<void> {
  const there = await listedFor(to, subject);
  const known = new Set(there.map(({ digest }) => digest));
  if (referrers.every(({ digest }) => known.has(digest))) return;
  const manifests = [...there, ...referrers.filter(({ digest }) => !known.has(digest))];
  const index: Omit<StoredManifest, "digest"> = {
    mediaType: MEDIA_TYPES.ociIndex,
    bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })),
  };
  await to.putManifest(fallbackTag(subject), index);
}
