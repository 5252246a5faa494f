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
  const substitutes = new Map(Object.entries(config.substitute));
  const names = [...new Set([...images.map((use) => use.image).filter(isContainerImage), ...config.extra])];
  const uses = names.map((image): PlannedUse =>
    built.has(image) ? { image, from: { build: image } } : { image, from: { pull: substitutes.get(image) ?? image } },
  );
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
  const table = tableOf(home, namespaces);
  const named = each(
    manifest,
    (text) => ({ source_uri: text, source: parseImageRef(text) }),
    "correct the image's name where it is written",
  );
  const placed = each(
    named,
    ({ source_uri, source }) => ({ source_uri, source, target: targetRepository(source, table) }),
    "bring the image in under another name with images.substitute",
  );
  refuse(
    detectCollisions(
      named.map(({ source }) => source),
      table,
    ).map(({ message }) => message),
  );
  return placed.map(({ source_uri, source, target }) => ({
    source_uri,
    source: formatImageRef(source),
    target_image: formatImageRef(privateEcrImage(home, target)),
  }));
}

/**
 * Checks that no built image would be stored over a pulled one, or over another. Pulled images that meet each other, or
 * have no name, are the puller's to tell, which knows the deployment's namespaces.
 * @throws ReleaseError ImageCollision
 */
export function checkBuildTargets(
  { pulls, builds }: Pick<ImagePlan, "pulls" | "builds">,
  place: Place,
  namespaces: RegistryNamespaces = {},
): void {
  const pulled = new Map(
    pulls.flatMap((text) => planned(text, place, namespaces)).map(({ source_uri, target_image }) => [target_image, source_uri]),
  );
  const built = Map.groupBy(builds, ({ target }) => formatImageRef(buildTarget(target, place)));
  refuse(
    [...built].flatMap(([target, all]) => [
      ...(pulled.has(target)
        ? [
            `${pulled.get(target)} and the build of ${all[0]?.target} would both become ${target}; give the build another target, one that does not begin with a registry's namespace`,
          ]
        : []),
      ...(all.length > 1
        ? [
            `the builds of ${all.map(({ target: name, source }) => `${name} (from ${source})`).join(" and ")} would both become ${target}; give each a target of its own`,
          ]
        : []),
    ]),
  );
}

function planned(text: string, place: Place, namespaces: RegistryNamespaces): readonly ImagePull[] {
  try {
    return planPulls([text], place, namespaces);
  } catch (error) {
    if (error instanceof ReleaseError) return [];
    throw error;
  }
}

function refuse(collisions: readonly string[]): void {
  if (collisions.length === 0) return;
  throw new ReleaseError("ImageCollision", {
    says: "different images would be stored under one name",
    blame: "user",
    details: collisions,
    fix: "a namespace stands under containers.namespaces of omx.deploy.yaml, and is deployed (for one call of omx images: --namespace HOST=PREFIX); images.substitute of omx.yaml brings another image in place of one",
  });
}

/** The table of names: the deployment's own entries over those of omx. @throws InvalidValue for an entry that ECR would refuse */
export const namingOf = (home: ReturnType<typeof registryOf>, namespaces: RegistryNamespaces): NamingTable => ({
  home,
  namespaces: extendNamespaces(namespaces),
});

const tableOf = (home: ReturnType<typeof registryOf>, namespaces: RegistryNamespaces): NamingTable =>
  each([home], (one) => namingOf(one, namespaces), "correct the namespace where it is written")[0] ?? {};

/** Works on all, and tells of all that fail. @throws ReleaseError ProjectInvalid */
function each<Item, Result>(items: readonly Item[], work: (item: Item) => Result, fix: string): readonly Result[] {
  const problems: string[] = [];
  const results = items.flatMap((item): readonly Result[] => {
    try {
      return [work(item)];
    } catch (error) {
      problems.push((error as Error).message);
      return [];
    }
  });
  const [first, ...more] = problems;
  if (first === undefined) return results;
  throw new ReleaseError("ProjectInvalid", {
    says: more.length === 0 ? first : `${problems.length} images can't be brought`,
    fix,
    blame: "user",
    ...(more.length > 0 && { details: problems }),
  });
}

/** Where a built image goes: under its own name, without a registry's. @throws ReleaseError ProjectInvalid for what is no image name, or names a digest */
export function buildTarget(target: string, place: Place): ImageRef {
  const [named] = each([target], undigested, "correct the target where it is written");
  const { registry: _hub, repository = "", ...rest } = named ?? {};
  return privateEcrImage(registryOf(place), { ...rest, repository: repository.replace(/^library\//, "") });
}

function undigested(target: string): ImageRef {
  const named = parseImageRef(target);
  if (named.digest) throw new Error(`${target} names a digest, which an image has when it is built: write it without @${named.digest}`);
  return named;
}
