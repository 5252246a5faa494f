import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrImage } from "../../kit/image-ref-ecr.ts";
import { detectCollisions, type NamingTable, type RegistryNamespaces, targetRepository } from "../../kit/registry-namespaces.ts";
import { extendNamespaces } from "../../kit/registry-namespaces-entries.ts";
import type { ImageUse } from "../../workflow/inspection.ts";
import { ReleaseError } from "../errors.ts";
import type { Place } from "../project/deploy-config.ts";
import type { ImageBuild, OmxYaml } from "../project/omx-yaml.ts";
import { registryOf } from "./registry-of.ts";

/** An image to bring into ECR, as the state machine's functions pass it on. */
export interface ImagePull {
  /** As the manifest wrote it. */
  readonly source_uri: string;
  /** In full: registry, repository, tag or digest. */
  readonly source: string;
  /** Where it goes: the canonical address in the account's ECR. */
  readonly target_image: string;
  /** Signatures, SBOMs and attestations, too: always copied, as ECR's cache knows nothing of them. @default false */
  readonly referrers?: boolean;
}

/** What a definition needs of images. */
export interface ImagePlan {
  /** The puller's manifest: as written in the definition or substituted. */
  readonly pulls: readonly string[];
  readonly builds: readonly ImageBuild[];
  /** Every image as the definition names it, and what stands for it. */
  readonly uses: readonly PlannedUse[];
}

export interface PlannedUse {
  /** As the definition writes it. */
  readonly image: string;
  /** Where it comes from: pulled under this name, or built for this target. */
  readonly from: { readonly pull: string } | { readonly build: string };
}

/**
 * Which images to pull and which to build. An image whose name is the target of a build is built; a substitution
 * stands for the image it names; conditional images (another branch, a profile) are brought as well.
 */
export function planImages(images: readonly ImageUse[], config: OmxYaml["images"]): ImagePlan {
  const built = new Set(config.build.map((build) => build.target));
  const names = [...new Set([...images.map((use) => use.image).filter(isContainerImage), ...config.extra])];
  const uses = names.map((image): PlannedUse => (built.has(image) ? { image, from: { build: image } } : { image, from: { pull: config.substitute[image] ?? image } }));
  return { uses, builds: config.build, pulls: [...new Set(uses.flatMap(({ from }) => ("pull" in from ? [from.pull] : [])))] };
}

/** The other branch of nf-core's ternaries is a Singularity file on the web, which HealthOmics never uses. */
const isContainerImage = (image: string): boolean => !/^https?:\/\//.test(image);

/**
 * Names a target in the account's ECR for each image of a puller's manifest.
 * @param namespaces a deployment's own, over the table's
 * @throws ReleaseError ImageCollision when two different images would share a target, ProjectInvalid for what is no image name
 */
export function planPulls(manifest: readonly string[], place: Place, namespaces: RegistryNamespaces = {}): readonly ImagePull[] {
  const home = registryOf(place);
  const table = namingOf(home, namespaces);
  const sources = manifest.map((text) => parsed(text));
  const collisions = detectCollisions(sources, table);
  if (collisions.length > 0)
    throw new ReleaseError("ImageCollision", {
      says: "different images would be stored under one name", fix: "give one of them another name with images.substitute or containers.namespaces, or pin both by tag", blame: "user", details: collisions.map((collision) => collision.message),
    });
  return sources.map((source, index) => ({
    source_uri: manifest[index] ?? "", source: formatImageRef(source), target_image: formatImageRef(privateEcrImage(home, targetOf(source, table))),
  }));
}

/** The table of names: the deployment's own entries over those of omx. @throws InvalidValue for an entry that ECR would refuse */
export const namingOf = (home: ReturnType<typeof registryOf>, namespaces: RegistryNamespaces): NamingTable => ({ home, namespaces: extendNamespaces(namespaces) });

/** Where an image goes: an image pinned by digest and tag keeps both; the digest decides. */
function targetOf(source: ImageRef, table: NamingTable): Omit<ImageRef, "registry"> {
  try {
    return targetRepository(source, table);
  } catch (error) {
    throw new ReleaseError("ProjectInvalid", { says: (error as Error).message, fix: "bring the image in under another name with images.substitute", blame: "user" });
  }
}

/** Where a built image goes: under its own name. */
export function buildTarget(target: string, place: Place): ImageRef {
  const { registry: _hub, repository, ...rest } = parsed(target);
  return privateEcrImage(registryOf(place), { ...rest, repository: repository.replace(/^library\//, "") });
}

function parsed(text: string): ImageRef {
  try {
    return parseImageRef(text);
  } catch (error) {
    throw new ReleaseError("ProjectInvalid", { says: (error as Error).message, fix: "correct the image's name where it is written", blame: "user" });
  }
}

