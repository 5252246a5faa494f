import { join } from "node:path";
import { parseImageRef } from "../../../kit/image-ref.ts";
import { baseFromRegistry } from "../../../oci/image/base-image.ts";
import { buildImage } from "../../../oci/image/build.ts";
import { type BuiltImage, pushImage } from "../../../oci/image/built-image.ts";
import { DockerfileError } from "../../../oci/image/dockerfile.ts";
import { unusedArgs } from "../../../oci/image/unused-args.ts";
import type { RegistryClient, Repository } from "../../../oci/client/registry-client.ts";
import { formatPlatform, isPlatform, parsePlatform, type Platform } from "../../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../../oci/media-types.ts";
import { DEFAULT_PLATFORM, type PinnedBase, pinnedResolver, readDockerfile } from "./bases.ts";
import { buildNeed } from "./build-need.ts";
import type { Engine } from "./engine.ts";
import { buildWithEngine, type EngineBuild } from "./engine-build.ts";
import { makeForPlatforms } from "./engine-platforms.ts";
import { imageThere, labelsOf, SOURCE_HASH_LABEL } from "./labels.ts";
import type { PullWorkshop } from "../pull/pull.ts";
import { checkNotPulled, openRepository, prepareRepository } from "../repositories/repository.ts";
import { sizeOf } from "../size.ts";
import { hashSource } from "./source-files.ts";
import type { BuildItem, ImageOutcome } from "../staging.ts";
import { type ImageWorkshop, workshopClient } from "../workshop.ts";

export interface BuildFolder {
  /** The source. */
  readonly context: string;
  /** For layers; the caller removes it. */
  readonly work: string;
}

/** What became of an image; NEEDS_ENGINE where its Dockerfile runs commands. */
export type FolderResult = Pick<ImageOutcome, "status" | "digest" | "size" | "bytes_moved" | "bytes_saved" | "reason" | "platform">;

/**
 * Builds a folder into ECR without an engine; SKIPPED where the image there was built from the same source on the same
 * bases, unless the item says `force`. An image that a lock names is taken as it is, wherever its bases are by now.
 * @throws RegistryError, DockerfileError, ReleaseError; the reason of the workshop's signal
 */
export async function buildFolder(workshop: ImageWorkshop, item: BuildItem, folder: BuildFolder): Promise<FolderResult> {
  await using client = workshopClient(workshop);
  return await ready(workshop, item, await decide({ workshop, client, item }, folder));
}

export interface EngineWanted extends BuildFolder {
  /** Finds an engine once one is needed, for a reason. */
  readonly engine: (reason: string) => Promise<Engine | undefined>;
}

/** As `buildFolder`; what needs an engine is built by one. NEEDS_ENGINE where there is none. */
export async function buildFolderAnyhow(
  workshop: PullWorkshop,
  item: BuildItem,
  { engine, ...folder }: EngineWanted,
): Promise<FolderResult & { readonly engine?: Engine["program"] }> {
  const assembled = await buildFolder(workshop, item, folder);
  const found = assembled.status === "NEEDS_ENGINE" ? await engine(assembled.reason ?? "") : undefined;
  if (!found) return assembled;
  const build = { engine: found, workshop, item, ...folder };
  if ((item.platforms ?? []).length > 1) return { ...(await buildIndex(build)), engine: found.program };
  const pushed = await buildWithEngine(build);
  return {
    ...(await judgeBuilt(workshop, item, { hash: await hashSource(folder.context, item), digest: pushed.digest })),
    ...pushed,
    engine: found.program,
  };
}

/** All platforms or none: the tag stays what it is until every image is there. */
async function buildIndex(build: EngineBuild): Promise<FolderResult> {
  const { workshop, item } = build;
  const target = parseImageRef(item.target_image);
  await using client = workshopClient(workshop);
  const images = await makeForPlatforms(build, client);
  checkImages(item, images);
  return await ready(workshop, item, await push(client.repository(target), target.tag ?? "latest", images));
}

/** Of this source, and the digest of what was pushed where that is known: another build may have moved the tag since. */
export interface Expected {
  readonly hash: string;
  readonly digest?: string | undefined;
}

/** What another build has left in ECR, which has to be of this source. @throws RegistryError, ReleaseError */
export async function judgeBuilt(workshop: ImageWorkshop, item: BuildItem, { hash, digest }: Expected): Promise<FolderResult> {
  const target = parseImageRef(item.target_image);
  await using client = workshopClient(workshop);
  const [repository, tag] = [client.repository(target), target.tag ?? "latest"];
  const there = await imageThere(repository, digest ?? tag);
  if (there?.labels[SOURCE_HASH_LABEL] !== hash)
    return { status: "FAILED", reason: `the build ended, but ${item.target_image} is not what it should have built` };
  const reason = ["built by an engine", await sinceTaken(repository, tag, there.digest)].filter(Boolean).join("; ");
  return await ready(workshop, item, {
    status: "SUCCEEDED",
    digest: there.digest,
    ...(there.platform && { platform: there.platform }),
    reason,
  });
}

/** Of two builds for one tag the later has it, and both images are there. */
const sinceTaken = async (repository: Repository, tag: string, digest: string): Promise<string | undefined> =>
  (await repository.headManifest(tag))?.digest === digest ? undefined : `another build has taken the tag ${tag} since`;

/** Leaves the repository of an image that is there readable, and tells of it what ECR knows. */
async function ready({ ecr, place }: ImageWorkshop, item: BuildItem, result: FolderResult): Promise<FolderResult> {
  if (result.digest === undefined) return result;
  const target = parseImageRef(item.target_image);
  await openRepository(ecr, target.repository, place);
  const size = result.size ?? (await sizeOf(ecr, target, result.digest));
  const remark = otherPlatform(item, result);
  return {
    ...result,
    size,
    ...(result.status === "SKIPPED" && { bytes_saved: size }),
    ...(remark && { reason: `${result.reason}; ${remark}` }),
  };
}

/** An image is for the platform of its base, whatever is asked for: Docker warns of it too. */
function otherPlatform({ platforms }: BuildItem, { platform }: FolderResult): string | undefined {
  const [asked = DEFAULT_PLATFORM] = platforms ?? [];
  return platform === undefined || isFor(parsePlatform(platform), asked)
    ? undefined
    : `it is for ${platform} as its base is, and not for ${asked}`;
}

/** Bases seldom say the variant. */
function isFor(platform: Platform, asked: string): boolean {
  const { os, architecture } = parsePlatform(asked);
  return isPlatform(platform, { os, architecture });
}

interface Building {
  readonly workshop: ImageWorkshop;
  readonly client: RegistryClient;
  readonly item: BuildItem;
}

async function decide(building: Building, { context, work }: BuildFolder): Promise<FolderResult> {
  const need = await buildNeed(building.client, building.item, context);
  if (need.kind === "kept")
    return {
      status: "SKIPPED",
      digest: need.digest,
      ...(need.platform && { platform: need.platform }),
      bytes_moved: 0,
      reason: need.reason,
    };
  if (need.isOthers) await checkNotPulled(building.workshop.ecr, parseImageRef(building.item.target_image), building.workshop.place);
  const built = await assemble({ ...building, ...need, context, folder: join(work, "layers") });
  return {
    ...built,
    reason: [built.reason, need.moved, differsFromLock(building.item, built), await misspelt(building.item, context)]
      .filter(Boolean)
      .join("; "),
  };
}

const differsFromLock = ({ locked_digest: locked }: BuildItem, { digest }: FolderResult): string | undefined =>
  locked !== undefined && digest !== undefined && digest !== locked
    ? `containers.lock.json says ${locked}: write it anew with \`omx images lock\``
    : undefined;

/** Arguments that change nothing: Docker warns of them too. */
async function misspelt(item: BuildItem, context: string): Promise<string | undefined> {
  const unused = unusedArgs(await readDockerfile(context, item), { file: item.dockerfile, buildArgs: item.build_args });
  return unused.length > 0 ? `${item.dockerfile} has no ARG ${unused.join(", ")}` : undefined;
}

interface Assembly extends Building {
  readonly hash: string;
  readonly bases: readonly PinnedBase[];
  readonly context: string;
  readonly folder: string;
}

async function assemble({ workshop, client, item, hash, bases, context, folder }: Assembly): Promise<FolderResult> {
  const target = parseImageRef(item.target_image);
  const resolveBase = pinnedResolver(baseFromRegistry(client), bases);
  const images: BuiltImage[] = [];
  for (const platform of item.platforms ?? [DEFAULT_PLATFORM]) {
    const outcome = await buildImage({
      context,
      dockerfile: item.dockerfile,
      buildArgs: item.build_args,
      resolveBase,
      folder: join(folder, platform.replaceAll("/", "-")),
      labels: labelsOf(item, { hash, bases }),
      platform: parsePlatform(platform),
      signal: workshop.signal,
      ...(item.target && { target: item.target }),
    });
    if (outcome.kind === "built") images.push(outcome.image);
    else {
      // The engine pushes there itself.
      await prepareRepository(workshop, target.repository);
      return { status: "NEEDS_ENGINE", reason: `${outcome.file}:${outcome.line}: ${outcome.reason}` };
    }
  }
  checkImages(item, images);
  await prepareRepository(workshop, target.repository);
  return push(client.repository(target), target.tag ?? "latest", images);
}

/** @throws DockerfileError for an image that nothing could run, and for an index that would lack a platform */
function checkImages({ dockerfile, platforms = [] }: BuildItem, images: readonly BuiltImage[]): void {
  for (const [index, { platform }] of images.entries()) {
    const asked = platforms.length > 1 ? platforms[index] : undefined;
    if (asked !== undefined && !isFor(platform, asked))
      throw new DockerfileError(
        { file: dockerfile, line: 1 },
        `its base is for ${formatPlatform(platform)} alone: nothing can be built for ${asked}`,
      );
  }
  const most = Math.max(...images.map(({ layers }) => layers.length));
  if (most > MOST_LAYERS)
    throw new DockerfileError(
      { file: dockerfile, line: 1 },
      `it makes an image of ${most} layers, and Docker runs those of up to ${MOST_LAYERS}: copy more files by one COPY`,
    );
}

// moby, layer_store.go, maxLayerDepth: what overlay file systems chain, without the two of a container.
const MOST_LAYERS = 125;

/** One image under the tag; several as an index under it. */
async function push(repository: Repository, tag: string, images: readonly BuiltImage[]): Promise<FolderResult> {
  const [first, ...others] = images;
  if (!first) throw new Error("there is no image to push");
  const size = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (others.length === 0) {
    const pushed = await pushImage(repository, tag, first);
    const about = {
      digest: pushed.digest,
      platform: formatPlatform(first.platform),
      size,
      bytes_moved: pushed.bytesMoved,
      bytes_saved: pushed.bytesSaved,
    };
    return { status: pushed.isNew ? "SUCCEEDED" : "SKIPPED", ...about, reason: pushed.isNew ? "built" : "the same image is there" };
  }
  const pushed = [];
  for (const image of images) pushed.push(await pushImage(repository, image.digest, image));
  const manifests = images.map(({ mediaType, digest, bytes, platform }) => ({ mediaType, digest, size: bytes.length, platform }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }));
  const digest = await repository.putManifest(tag, { mediaType: MEDIA_TYPES.ociIndex, bytes });
  return {
    status: "SUCCEEDED",
    digest,
    size,
    bytes_moved: pushed.reduce((sum, { bytesMoved }) => sum + bytesMoved, 0),
    bytes_saved: pushed.reduce((sum, { bytesSaved }) => sum + bytesSaved, 0),
    reason: `built for ${images.length} platforms`,
  };
}
