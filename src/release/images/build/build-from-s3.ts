import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { isPassing } from "../../../aws/passing.ts";
import { parseS3Uri } from "../../../kit/s3-uri.ts";
import { InvalidValue } from "../../../kit/invalid-value.ts";
import { RegistryError } from "../../../oci/errors.ts";
import { DockerfileError } from "../../../oci/image/dockerfile.ts";
import { InvalidManifest } from "../../../oci/manifest.ts";
import { ReleaseError } from "../../errors.ts";
import { exportedResult, failureOf } from "../after-build.ts";
import { type BuildFolder, buildFolder, buildFolderAnyhow, judgeBuilt } from "./build.ts";
import { type Overtime, watchDeadline } from "../overtime.ts";
import { type PullWorkshop, RegistryBusy } from "../pull/pull.ts";
import { type EngineMachine, findEngine } from "./find-engine.ts";
import { hashSource } from "./source-files.ts";
import { fetchSource } from "./source-folder.ts";
import type { AfterBuild, BuildItem, ImageOutcome } from "../staging.ts";

export interface BuildWorkshop extends PullWorkshop {
  /** The client that reads a bucket. */
  s3For(bucket: string): Promise<S3Client>;
}

/** Of one step of the state machine: the image's result, or the item for a build of CodeBuild. */
type Step = ImageOutcome & Pick<AfterBuild, "started">;

/**
 * A function's part: builds one image without an engine where its Dockerfile allows that, and leaves its repository readable
 * for HealthOmics. A Dockerfile that runs commands answers NEEDS_ENGINE, an image for which the function has not the time
 * or the disk TOO_LARGE; the state machine has either built and asks again.
 * @throws RegistryBusy where a registry, S3 or ECR throttles or does not answer, after the client's own tries
 */
export async function buildImageFromSource(workshop: BuildWorkshop, item: BuildItem & AfterBuild): Promise<Step> {
  const { source_uri, target_image, build } = item;
  const about = { source_uri, target_image, ...(build && { build }) };
  const started = item.started ?? workshop.clock.now().getTime();
  const sinceStart = () => ({ seconds: (workshop.clock.now().getTime() - started) / 1000 });
  if (item.status === "BUILD_FAILED") {
    const failure = await failureOf(workshop.logs, item.cause);
    // Why a build was needed at all comes first: where there is no engine, it is the line to change.
    return {
      ...about,
      status: "FAILED",
      ...(item.started !== undefined && sinceStart()),
      ...failure,
      reason: [item.reason, failure.reason].filter(Boolean).join("\n"),
    };
  }
  const isBuilt = item.status === "BUILD_ENDED";
  const overtime = isBuilt ? undefined : watchDeadline(workshop.clock, workshop.deadline);
  const inTime = { ...workshop, ...(overtime && { signal: overtime.signal }) };
  try {
    const result = isBuilt ? await judge(workshop, item) : await withSource(inTime, item, (folder) => buildFolder(inTime, item, folder));
    return result.status === "NEEDS_ENGINE" ? { ...item, ...result, started } : { ...about, ...result, ...sinceStart() };
  } catch (error) {
    const why = isBuilt ? undefined : beyond(error, overtime);
    if (why !== undefined) return { ...item, status: "TOO_LARGE", reason: why, started };
    if (error instanceof RegistryError && error.temporary) throw new RegistryBusy(error.message);
    if (!(error instanceof RegistryError) && isPassing(error))
      throw new RegistryBusy(`${(error as Error).name}: ${(error as Error).message}`);
    if (!isItsOwn(error)) throw error;
    return { ...about, status: "FAILED", ...sinceStart(), reason: reasonOf(error) };
  } finally {
    await overtime?.end();
  }
}

/** What a function lacks that a build has. */
function beyond(error: unknown, overtime: Overtime | undefined): string | undefined {
  if (overtime?.isOver()) return "the function's time was over";
  return (error as NodeJS.ErrnoException).code === "ENOSPC" ? "the function's disk is full" : undefined;
}

/** A build says what it did; the registry says what is there. */
async function judge(workshop: BuildWorkshop, item: BuildItem & AfterBuild) {
  const { source_hash: hash, ...exported } = exportedResult(item.exported);
  if (hash === undefined) return { status: "FAILED" as const, reason: `the build ${item.build} ended, and does not say what it built` };
  const judged = await judgeBuilt(workshop, item, { hash, digest: exported.digest });
  return judged.status === "FAILED" ? judged : { ...judged, ...exported, ...(judged.size !== undefined && { size: judged.size }) };
}

/** CodeBuild's part: the same without a function's limits, and with an engine where the Dockerfile runs commands; `env` is what that is called with. */
export async function buildInBuild(
  workshop: BuildWorkshop,
  item: BuildItem,
  env: EngineMachine["env"],
): Promise<Omit<ImageOutcome, "source_uri" | "target_image"> & { readonly source_hash: string }> {
  try {
    return await withSource(workshop, item, async (folder) => {
      const engine = () => findEngine({ env, folder: join(folder.work, "logins") });
      const { engine: _, ...built } = await buildFolderAnyhow(workshop, item, { ...folder, engine });
      if (built.status === "NEEDS_ENGINE") throw withoutEngine(built.reason);
      return { ...built, source_hash: await hashSource(folder.context, item) };
    });
  } catch (error) {
    const isTold = isItsOwn(error) || (error instanceof Error && isPassing(error));
    if (error instanceof ReleaseError || !isTold) throw error;
    throw new ReleaseError("ImagesFailed", {
      says: reasonOf(error),
      fix: "start the execution again when the reason is gone",
      blame: "user",
    });
  }
}

const withoutEngine = (reason = ""): ReleaseError =>
  new ReleaseError("ImagesFailed", {
    says: `${reason}, and none of them answers here`,
    fix: "let `docker info` answer: in CodeBuild by the privileged mode of the project, on your own machine by installing and starting one of them",
    blame: "user",
  });

/** What is wrong with this image alone. */
const isItsOwn = (error: unknown): error is Error =>
  error instanceof RegistryError ||
  error instanceof DockerfileError ||
  error instanceof InvalidManifest ||
  error instanceof InvalidValue ||
  error instanceof ReleaseError ||
  isOfS3(error);

/** What S3 says for good: no object, no bucket, no permission. */
const isOfS3 = (error: unknown): error is S3ServiceException => error instanceof S3ServiceException && error.$fault === "client";

function reasonOf(error: Error): string {
  if (error instanceof ReleaseError) return `${error.message}; ${error.fix}`;
  if (!isOfS3(error)) return error.message;
  const advice =
    error.$metadata.httpStatusCode === 403 ? "; the builder reads what containers.builderSources of omx.deploy.yaml names" : "";
  return `${error.name}: ${error.message}${advice}`;
}

async function withSource<Result>(
  workshop: BuildWorkshop,
  item: BuildItem,
  work: (folder: BuildFolder) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "omx-build-"));
  try {
    const context = join(folder, "context");
    await fetchSource(await workshop.s3For(parseS3Uri(item.source_uri).bucket), item.source_uri, context, { signal: workshop.signal });
    return await work({ context, work: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
