import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { baseUses, replaceBases } from "../../oci/image/base-names.ts";
import { ReleaseError } from "../errors.ts";
import { baseOptions, type PinnedBase, readDockerfile } from "./bases.ts";
import { planPulls } from "./plan.ts";
import { pullImage, type PullWorkshop } from "./pull.ts";
import type { BuildItem } from "./staging.ts";
import type { ImageWorkshop } from "./workshop.ts";

/**
 * How an engine has to call an image: private ECR that answers somewhere else (the local accounts) is asked there, at
 * the path of its account and region.
 */
export function engineAddress({ endpoint }: Pick<ImageWorkshop, "endpoint">, ref: ImageRef): ImageRef {
  const ecr = readPrivateEcrHost(ref.registry);
  if (!ecr || endpoint === undefined) return ref;
  return { ...ref, registry: new URL(endpoint).host, repository: `${ecr.account}/${ecr.region}/${ref.repository}` };
}

export interface EngineDockerfile {
  readonly workshop: PullWorkshop;
  readonly item: BuildItem;
  /** The source. */
  readonly context: string;
  readonly bases: readonly PinnedBase[];
  /** Where the Dockerfile for the engine goes; the caller removes it. */
  readonly folder: string;
}

/** A Dockerfile for an engine, and the registries that it pulls from. */
export interface PreparedDockerfile {
  readonly path: string;
  readonly pulls: readonly EnginePull[];
}

/** An image that the engine pulls or pushes. */
export interface EnginePull {
  /** At its own address. */
  readonly image: ImageRef;
  /** As the engine calls it. */
  readonly address: ImageRef;
}

/**
 * Writes the Dockerfile as an engine has to read it: every image by its digest, so that the engine builds on what the
 * labels will say and not on what it still has under a tag, and at the address where it answers. Images whose registry is
 * read somewhere else are brought into ECR first: an engine knows of no mirror.
 * @throws ReleaseError ImagesFailed where one can't be brought
 */
export async function writeEngineDockerfile({ workshop, item, context, bases, folder }: EngineDockerfile): Promise<PreparedDockerfile> {
  const text = await readDockerfile(context, item);
  const pulls = new Map<string, EnginePull>();
  for (const base of bases) {
    const image = await reachable(workshop, base);
    pulls.set(base.image, { image, address: byDigest(engineAddress(workshop, image)) });
  }
  const path = join(folder, "Dockerfile");
  await writeFile(path, replaceBases(text, baseUses(text, baseOptions(item)), new Map([...pulls].map(([image, { address }]) => [image, formatImageRef(address)]))));
  // BuildKit looks for what to leave out beside the Dockerfile that it is given.
  await copyFile(join(context, `${item.dockerfile}.dockerignore`), `${path}.dockerignore`).catch(() => undefined);
  return { path, pulls: [...pulls.values()] };
}

/** Podman takes a tag or a digest, not both. */
const byDigest = ({ tag: _tag, ...ref }: ImageRef): ImageRef => ref;

async function reachable(workshop: PullWorkshop, { ref }: PinnedBase): Promise<ImageRef> {
  if (!(ref.registry in workshop.upstreams)) return ref;
  const [pull] = planPulls([formatImageRef(ref)], workshop.place);
  if (!pull) return ref;
  const { status, reason } = await pullImage(workshop, pull);
  if (status === "SUCCEEDED" || status === "SKIPPED") return { ...parseImageRef(pull.target_image), ...(ref.digest && { digest: ref.digest }) };
  throw new ReleaseError("ImagesFailed", { says: `the base ${formatImageRef(ref)} could not be brought into ECR: ${reason ?? status}`, fix: "correct the name of the base, or who may read it, and start again", blame: "user" });
}
