import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { parseImageRef } from "../../kit/image-ref.ts";
import { buildImage } from "../../oci/image/build.ts";
import { baseFromRegistry } from "../../oci/image/base-image.ts";
import { pushImage } from "../../oci/image/built-image.ts";
import type { Repository } from "../../oci/client/registry-client.ts";
import { DockerfileError } from "../../oci/image/dockerfile.ts";
import { RegistryError } from "../../oci/errors.ts";
import { ReleaseError } from "../errors.ts";
import { ensureRepository, type ImageWorkshop, workshopClient } from "./pull.ts";
import { ensureRepositoryPolicy, stagingStatements } from "./repository-policy.ts";
import { fetchSource } from "./source-folder.ts";
import type { BuildItem, ImageOutcome } from "./staging.ts";

export interface BuildWorkshop extends ImageWorkshop {
  readonly s3: S3Client;
}

/** Label with the hash of the source an image was built from. */
export const SOURCE_LABEL = "org.omx.source-hash";

/**
 * Builds one image without an engine where its Dockerfile allows that, and leaves its repository readable for
 * HealthOmics. A Dockerfile that runs commands answers NEEDS_ENGINE; the state machine has it built and asks again.
 */
export async function buildImageFromSource(workshop: BuildWorkshop, item: BuildItem & Partial<ImageOutcome>): Promise<ImageOutcome & BuildItem> {
  try {
    return await buildOne(workshop, item);
  } catch (error) {
    const isItsOwn = error instanceof RegistryError || error instanceof DockerfileError || error instanceof ReleaseError;
    if (!isItsOwn || (error instanceof RegistryError && error.temporary)) throw error;
    return { ...item, status: "FAILED", reason: error.message };
  }
}

async function buildOne(workshop: BuildWorkshop, item: BuildItem & Partial<ImageOutcome>): Promise<ImageOutcome & BuildItem> {
  const started = workshop.clock.now().getTime();
  const target = parseImageRef(item.target_image);
  const tag = target.tag ?? "latest";
  await ensureRepository(workshop.ecr, target.repository);
  await using client = workshopClient(workshop);
  const repository = client.repository(target);
  const folder = await mkdtemp(join(tmpdir(), "omx-build-"));
  try {
    const context = join(folder, "context");
    const hash = await fetchSource(workshop.s3, item.source_uri, context);
    const built = item.status === "BUILT_BY_ENGINE" ? await engineResult(repository, tag) : await build();
    if ("status" in built) return { ...item, ...built };
    await ensureRepositoryPolicy(workshop.ecr, target.repository, stagingStatements(workshop.place));
    return { ...item, ...built.outcome, seconds: (workshop.clock.now().getTime() - started) / 1000 };

    async function build(): Promise<{ readonly outcome: Partial<ImageOutcome> & Pick<ImageOutcome, "status"> } | Pick<ImageOutcome, "status" | "reason">> {
      const outcome = await buildImage({
        context, dockerfile: item.dockerfile, buildArgs: item.build_args, resolveBase: baseFromRegistry(client), folder: join(folder, "layers"), labels: { [SOURCE_LABEL]: hash },
      });
      if (outcome.kind === "needsEngine") {
        const digest = await builtFrom(repository, tag, hash);
        if (digest) return { outcome: { status: "SKIPPED", digest, reason: "the source is unchanged" } };
        return { status: "NEEDS_ENGINE", reason: `${outcome.file}:${outcome.line}: ${outcome.reason}` };
      }
      const pushed = await pushImage(repository, tag, outcome.image);
      return { outcome: { status: pushed.isNew ? "SUCCEEDED" : "SKIPPED", digest: pushed.digest, size: outcome.image.sizeBytes, bytes_moved: pushed.bytesMoved, bytes_saved: pushed.bytesSaved, reason: pushed.isNew ? "built" : "the same image is there" } };
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function engineResult(repository: Repository, tag: string): Promise<{ readonly outcome: Partial<ImageOutcome> & Pick<ImageOutcome, "status"> }> {
  const head = await repository.headManifest(tag);
  if (!head) throw new Error(`the build ended, but ${repository.repository}:${tag} is not in the registry`);
  return { outcome: { status: "SUCCEEDED", digest: head.digest, reason: "built by an engine" } };
}

/** The digest of the image under this tag, when it was built from the same source. */
async function builtFrom(repository: Repository, tag: string, hash: string): Promise<string | undefined> {
  const stored = await repository.getManifest(tag);
  const config = stored && (JSON.parse(stored.bytes.toString("utf8")) as { config?: { digest: string; size: number } }).config;
  if (!stored || !config) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of repository.blob(config).read()) chunks.push(chunk as Buffer);
  const labels = (JSON.parse(Buffer.concat(chunks).toString("utf8")) as { config?: { Labels?: Record<string, string> } }).config?.Labels;
  return labels?.[SOURCE_LABEL] === hash ? stored.digest : undefined;
}
