import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatImageRef, type ImageRef, parseImageRef, referenceOf } from "../../../kit/image-ref.ts";
import { readPrivateEcrHost } from "../../../kit/image-ref-ecr.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { digestForPlatform } from "../../../oci/copy/platform.ts";
import { type BaseUse, baseUses, replaceBases } from "../../../oci/image/base-names.ts";
import { DockerfileError } from "../../../oci/image/dockerfile.ts";
import { InvalidManifest, parsePlatform } from "../../../oci/manifest.ts";
import { ReleaseError } from "../../errors.ts";
import { baseOptions, DEFAULT_PLATFORM, type PinnedBase, readDockerfile } from "./bases.ts";
import { type Dialect, inDialect, OWN_PLATFORM } from "./engine-dialect.ts";
import type { Engine } from "./engine.ts";
import { planPulls } from "../plan.ts";
import { pullImage, type PullWorkshop } from "../pull/pull.ts";
import type { BuildItem } from "../staging.ts";
import type { ImageWorkshop } from "../workshop.ts";

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
  readonly client: RegistryClient;
  readonly engine: Engine;
  readonly dialect: Dialect;
  /** Whether the image is for several platforms, and the item for one of them. */
  readonly isOneOfSeveral: boolean;
}

/** A Dockerfile for an engine, and the registries that it pulls from. */
export interface PreparedDockerfile {
  readonly path: string;
  readonly pulls: readonly EnginePull[];
  /** For the engine that reads it. */
  readonly flags: readonly string[];
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
export async function writeEngineDockerfile(request: EngineDockerfile): Promise<PreparedDockerfile> {
  const { workshop, item, context, bases, folder } = request;
  const text = await readDockerfile(context, item);
  const pulls: EnginePull[] = [];
  let addressed = text;
  // The places that name one image for one platform.
  const named = Map.groupBy(
    baseUses(text, { ...baseOptions(item), buildPlatform: parsePlatform(OWN_PLATFORM ?? DEFAULT_PLATFORM) }),
    ({ platform = "", image }) => `${platform} ${image}`,
  );
  for (const uses of named.values()) {
    const [use] = uses;
    const base = bases.find(({ image }) => image === use?.image);
    if (!use || !base) continue;
    const image = await ofPlatform(request, use, await reachable(workshop, base));
    const address = byDigest(engineAddress(workshop, image));
    pulls.push({ image, address });
    addressed = replaceBases(addressed, uses, new Map([[base.image, formatImageRef(address)]]));
  }
  const { text: written, flags } = await inDialect(addressed, request);
  const path = join(folder, "Dockerfile");
  await writeFile(path, written);
  // BuildKit looks for what to leave out beside the Dockerfile that it is given.
  await copyFile(join(context, `${item.dockerfile}.dockerignore`), `${path}.dockerignore`).catch(() => undefined);
  return { path, pulls, flags };
}

/**
 * The image of one platform by its own digest: engines keep one image under the digest of an index, and would build the next image on
 * that, whatever its platform.
 * @throws DockerfileError where one of several platforms is not offered
 */
async function ofPlatform(
  { client, item, isOneOfSeveral }: EngineDockerfile,
  { platform: own, instruction }: BaseUse,
  image: ImageRef,
): Promise<ImageRef> {
  const asked = own ?? item.platforms?.[0] ?? DEFAULT_PLATFORM;
  if (!isOneOfSeveral && asked === OWN_PLATFORM) return image;
  const repository = client.repository(image);
  const stored = await repository.getManifest(referenceOf(image));
  if (!stored) return image;
  try {
    return { ...image, digest: await digestForPlatform(repository, { source: image, stored, platform: parsePlatform(asked) }) };
  } catch (error) {
    if (!(error instanceof InvalidManifest)) throw error;
    if (!isOneOfSeveral) return image;
    throw new DockerfileError({ file: item.dockerfile, line: instruction.line }, error.message);
  }
}

/** Podman takes a tag or a digest, not both. */
const byDigest = ({ tag: _tag, ...ref }: ImageRef): ImageRef => ref;

async function reachable(workshop: PullWorkshop, { ref }: PinnedBase): Promise<ImageRef> {
  if (!(ref.registry in workshop.upstreams)) return ref;
  const [pull] = planPulls([formatImageRef(ref)], workshop.place);
  if (!pull) return ref;
  const { status, reason } = await pullImage(workshop, pull);
  if (status === "SUCCEEDED" || status === "SKIPPED")
    return { ...parseImageRef(pull.target_image), ...(ref.digest && { digest: ref.digest }) };
  throw new ReleaseError("ImagesFailed", {
    says: `the base ${formatImageRef(ref)} could not be brought into ECR: ${reason ?? status}`,
    fix: "correct the name of the base, or who may read it, and start again",
    blame: "user",
  });
}
