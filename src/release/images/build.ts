import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { ECRClient } from "@aws-sdk/client-ecr";
import type { S3Client } from "@aws-sdk/client-s3";
import { parseImageRef } from "../../kit/image-ref.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import { baseFromRegistry } from "../../oci/image/base-image.ts";
import { buildImage } from "../../oci/image/build.ts";
import { type BuiltImage, pushImage } from "../../oci/image/built-image.ts";
import { DockerfileError } from "../../oci/image/dockerfile.ts";
import { unusedArgs } from "../../oci/image/unused-args.ts";
import type { RegistryClient, Repository } from "../../oci/client/registry-client.ts";
import { RegistryError } from "../../oci/errors.ts";
import { InvalidManifest, parsePlatform } from "../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { ReleaseError } from "../errors.ts";
import { failureOf } from "./after-build.ts";
import { type PinnedBase, pinnedResolver, readDockerfile } from "./bases.ts";
import { buildNeed } from "./build-need.ts";
import { imageThere, labelsOf, SOURCE_HASH_LABEL } from "./labels.ts";
import { checkNotPulled, openRepository, prepareRepository } from "./repository.ts";
import { fetchSource, hashSource } from "./source-folder.ts";
import { RegistryBusy } from "./pull.ts";
import { sizeOf } from "./size.ts";
import type { AfterBuild, BuildItem, ImageOutcome } from "./staging.ts";
import { type ImageWorkshop, workshopClient } from "./workshop.ts";

export interface BuildWorkshop extends ImageWorkshop {
  readonly s3: S3Client;
  /** Where the logs of builds are. */
  readonly logs: CloudWatchLogsClient;
}

/**
 * Builds one image without an engine where its Dockerfile allows that, and leaves its repository readable for
 * HealthOmics. A Dockerfile that runs commands answers NEEDS_ENGINE; the state machine has it built and asks again.
 * @throws RegistryBusy where a registry throttles or does not answer, after the client's own tries
 */
export async function buildImageFromSource(workshop: BuildWorkshop, item: BuildItem & AfterBuild): Promise<ImageOutcome & Pick<AfterBuild, "started">> {
  const { source_uri, target_image, build } = item;
  const about = { source_uri, target_image, ...(build && { build }) };
  if (item.status === "BUILD_FAILED") {
    const failure = await failureOf(workshop.logs, item.cause);
    // Why an engine was asked at all comes first: where there is none, it is the line to change.
    return { ...about, status: "FAILED", ...(item.started !== undefined && { seconds: (workshop.clock.now().getTime() - item.started) / 1000 }), ...failure, reason: [item.reason, failure.reason].filter(Boolean).join("\n") };
  }
  const started = item.started ?? workshop.clock.now().getTime();
  const secondsSince = () => (workshop.clock.now().getTime() - started) / 1000;
  const folder = await mkdtemp(join(tmpdir(), "omx-build-"));
  try {
    const context = join(folder, "context");
    await fetchSource(workshop.s3, source_uri, context);
    const result = await buildFolder(workshop, item, { context, work: folder, isBuilt: item.status === "BUILD_ENDED" });
    return result.status === "NEEDS_ENGINE" ? { ...item, ...result, started } : { ...about, ...result, seconds: secondsSince() };
  } catch (error) {
    if (error instanceof RegistryError && error.temporary) throw new RegistryBusy(error.message);
    if (!isItsOwn(error)) throw error;
    return { ...about, status: "FAILED", seconds: secondsSince(), reason: error instanceof ReleaseError ? `${error.message}; ${error.fix}` : error.message };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What is wrong with this image alone. */
const isItsOwn = (error: unknown): error is Error =>
  error instanceof RegistryError || error instanceof DockerfileError || error instanceof InvalidManifest || error instanceof InvalidValue || error instanceof ReleaseError;

export interface BuildFolder {
  /** The source. */
  readonly context: string;
  /** For layers; the caller removes it. */
  readonly work: string;
  /** Whether an engine has just built and pushed it. */
  readonly isBuilt: boolean;
}

type Result = Pick<ImageOutcome, "status" | "digest" | "size" | "bytes_moved" | "bytes_saved" | "reason" | "platform">;

/**
 * Builds a folder into ECR; SKIPPED where the image there was built from the same source on the same bases, unless the
 * item says `force`. An image that a lock names is taken as it is, wherever its bases are by now.
 * @throws RegistryError, DockerfileError, ReleaseError
 */
export async function buildFolder(workshop: ImageWorkshop, item: BuildItem, folder: BuildFolder): Promise<Result> {
  const target = parseImageRef(item.target_image);
  await using client = workshopClient(workshop);
  const result = await (folder.isBuilt ? judgeBuilt(client, item, folder.context) : decide({ client, ecr: workshop.ecr, place: workshop.place, item }, folder));
  const [platform = "linux/amd64", ...others] = item.platforms ?? [];
  const about = others.length === 0 ? { ...result, platform } : result;
  if (result.digest === undefined) return about;
  await openRepository(workshop.ecr, target.repository, workshop.place);
  const size = result.size ?? (await sizeOf(workshop.ecr, target, result.digest));
  return { ...about, size, ...(result.status === "SKIPPED" && { bytes_saved: size }) };
}

/** What an engine left under the tag. */
async function judgeBuilt(client: RegistryClient, item: BuildItem, context: string): Promise<Result> {
  const target = parseImageRef(item.target_image);
  const there = await imageThere(client.repository(target), target.tag ?? "latest");
  if (there?.labels[SOURCE_HASH_LABEL] === (await hashSource(context, item))) return { status: "SUCCEEDED", digest: there.digest, reason: "built by an engine" };
  return { status: "FAILED", reason: `the build ended, but ${item.target_image} is not what it should have built` };
}

interface Building {
  readonly client: RegistryClient;
  readonly ecr: ECRClient;
  readonly place: ImageWorkshop["place"];
  readonly item: BuildItem;
}

async function decide(building: Building, { context, work }: BuildFolder): Promise<Result> {
  const need = await buildNeed(building.client, building.item, context);
  if (need.kind === "kept") return { status: "SKIPPED", digest: need.digest, bytes_moved: 0, reason: need.reason };
  if (need.isOthers) await checkNotPulled(building.ecr, parseImageRef(building.item.target_image), building.place);
  const built = await assemble({ ...building, ...need, context, folder: join(work, "layers") });
  return { ...built, reason: [built.reason, need.moved, differsFromLock(building.item, built), await misspelt(building.item, context)].filter(Boolean).join("; ") };
}

const differsFromLock = ({ locked_digest: locked }: BuildItem, { digest }: Result): string | undefined =>
  locked !== undefined && digest !== undefined && digest !== locked ? `containers.lock.json says ${locked}: write it anew with \`omx images lock\`` : undefined;

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

async function assemble({ client, ecr, place, item, hash, bases, context, folder }: Assembly): Promise<Result> {
  const target = parseImageRef(item.target_image);
  const resolveBase = pinnedResolver(baseFromRegistry(client), bases);
  const images: BuiltImage[] = [];
  for (const platform of item.platforms ?? ["linux/amd64"]) {
    const outcome = await buildImage({
      context, dockerfile: item.dockerfile, buildArgs: item.build_args, resolveBase, folder: join(folder, platform.replaceAll("/", "-")), labels: labelsOf(item, { hash, bases }), platform: parsePlatform(platform),
      ...(item.target && { target: item.target }),
    });
    if (outcome.kind === "built") images.push(outcome.image);
    else if ((item.platforms ?? []).length > 1) throw new DockerfileError(outcome, `${outcome.reason}; with an engine, one platform is built at a time`);
    else {
      // The engine pushes there itself.
      await prepareRepository(ecr, target.repository, place);
      return { status: "NEEDS_ENGINE", reason: `${outcome.file}:${outcome.line}: ${outcome.reason}` };
    }
  }
  await prepareRepository(ecr, target.repository, place);
  return push(client.repository(target), target.tag ?? "latest", images);
}

/** One image under the tag; several as an index under it. */
async function push(repository: Repository, tag: string, images: readonly BuiltImage[]): Promise<Result> {
  const [first, ...others] = images;
  if (!first) throw new Error("there is no image to push");
  const size = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (others.length === 0) {
    const pushed = await pushImage(repository, tag, first);
    return { status: pushed.isNew ? "SUCCEEDED" : "SKIPPED", digest: pushed.digest, size, bytes_moved: pushed.bytesMoved, bytes_saved: pushed.bytesSaved, reason: pushed.isNew ? "built" : "the same image is there" };
  }
  const pushed = [];
  for (const image of images) pushed.push(await pushImage(repository, image.digest, image));
  const manifests = images.map(({ mediaType, digest, bytes, platform }) => ({ mediaType, digest, size: bytes.length, platform }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }));
  const digest = await repository.putManifest(tag, { mediaType: MEDIA_TYPES.ociIndex, bytes });
  return { status: "SUCCEEDED", digest, size, bytes_moved: pushed.reduce((sum, { bytesMoved }) => sum + bytesMoved, 0), bytes_saved: pushed.reduce((sum, { bytesSaved }) => sum + bytesSaved, 0), reason: `built for ${images.length} platforms` };
}
