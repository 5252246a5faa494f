import { parseAccountId } from "../../kit/account-id.ts";
import { privateEcrHost, readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { formatImageRef, parseImageRef, type ImageRef } from "../../kit/image-ref.ts";
import type { ContainerRegistryMap, RegistryMapping } from "../../model/generated/types.ts";

/** The image a task runs, in private ECR, and how the definition wrote it. */
export interface MappedImage {
  readonly image: ImageRef;
  /** As the definition writes it; absent when it is the image itself. */
  readonly sourceImage?: string;
}

/** An image that is not in private ECR and that no mapping brings there. */
export interface UnmappedImage {
  readonly why: string;
}

/** The account and region of the run. */
export interface RunPlace {
  readonly account: string;
  readonly region: string;
}

/**
 * Where HealthOmics takes a task's image from: an image mapping first, then a registry mapping, else the image must
 * be in private ECR already. Source: guide, "Container images for private workflows"; that image mappings win is from
 * kirodotdev/powers. What the guide leaves open is decided in behaviour.md.
 */
export function mapImage(source: string, map: ContainerRegistryMap | undefined, place: RunPlace): MappedImage | UnmappedImage {
  const ref = parsed(source);
  if (ref === undefined) return { why: `"${source}" is not the address of a container image` };
  const destination = imageDestination(source, ref, map);
  if (destination !== undefined) return fromDestination(source, destination, place);
  if (readPrivateEcrHost(ref.registry) !== undefined) return { image: ref };
  const mapping = registryMapping(ref, map);
  if (mapping === undefined) return { why: `${source} is not in a private ECR registry, and no registry mapping covers ${ref.registry}` };
  return { image: inEcr(ref, mapping, place), sourceImage: source };
}

function parsed(text: string): ImageRef | undefined {
  try {
    return parseImageRef(text);
  } catch {
    return undefined;
  }
}

const isTagged = (text: string): boolean => text.includes("@") || /:[^/]*$/.test(text);

const isSameRepository = (a: ImageRef, b: ImageRef): boolean => a.registry === b.registry && a.repository === b.repository;

/** The destination of the mapping that names this image: with its tag first, then one that names the repository alone. */
function imageDestination(source: string, ref: ImageRef, map: ContainerRegistryMap | undefined): string | undefined {
  const mappings = (map?.imageMappings ?? []).flatMap(({ sourceImage, destinationImage }) => {
    const from = sourceImage === undefined ? undefined : parsed(sourceImage);
    if (from === undefined || sourceImage === undefined || destinationImage === undefined) return [];
    return [{ sourceImage, from, destinationImage }];
  });
  const exact =
    mappings.find(({ sourceImage }) => sourceImage === source) ??
    mappings.find(({ sourceImage, from }) => isTagged(sourceImage) && formatImageRef(from) === formatImageRef(ref));
  if (exact !== undefined) return isTagged(exact.sourceImage) ? exact.destinationImage : withTagOf(ref, exact.destinationImage);
  const whole = mappings.find(({ sourceImage, from }) => !isTagged(sourceImage) && isSameRepository(from, ref));
  return whole && withTagOf(ref, whole.destinationImage);
}

/** A destination without a tag takes the tag that the task asked for. */
function withTagOf({ tag, digest }: ImageRef, destination: string): string {
  if (isTagged(destination)) return destination;
  return `${destination}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** A full address in ECR, or the path of a repository in the run's own registry. */
function fromDestination(source: string, destination: string, place: RunPlace): MappedImage | UnmappedImage {
  const host = destination.split("/")[0] ?? "";
  const isAddress = destination.includes("/") && /[.:]/.test(host);
  const image = parsed(isAddress ? destination : `${ownHost(place)}/${destination}`);
  if (image === undefined || readPrivateEcrHost(image.registry) === undefined)
    return { why: `the image mapping of ${source} leads to ${destination}, which is not in a private ECR registry` };
  return { image, sourceImage: source };
}

const ownHost = ({ account, region }: RunPlace): string => privateEcrHost({ account: parseAccountId(account), region });

/** The mapping of the image's host; of several, the one whose upstream prefix says most. */
function registryMapping(ref: ImageRef, map: ContainerRegistryMap | undefined): RegistryMapping | undefined {
  return (map?.registryMappings ?? [])
    .filter((mapping) => registryOf(mapping.upstreamRegistryUrl) === ref.registry && startsWithPrefix(ref, mapping))
    .sort((a, b) => prefixOf(b).length - prefixOf(a).length)[0];
}

/** Docker Hub is one registry under all of its names: the parser knows them. */
const registryOf = (url: string): string | undefined => parsed(`${url.replace(/^https?:\/\//, "").replace(/\/+$/, "")}/a/b`)?.registry;

const prefixOf = ({ upstreamRepositoryPrefix }: RegistryMapping): string => (upstreamRepositoryPrefix ?? "").replace(/^\/+|\/+$/g, "");

function startsWithPrefix({ repository }: ImageRef, mapping: RegistryMapping): boolean {
  const prefix = prefixOf(mapping);
  return prefix === "" || repository.startsWith(`${prefix}/`);
}

/** A pull-through cache rule with an upstream prefix maps `ecrPrefix/rest` to `upstreamPrefix/rest`. */
function inEcr(ref: ImageRef, mapping: RegistryMapping, place: RunPlace): ImageRef {
  const prefix = prefixOf(mapping);
  const rest = prefix === "" ? ref.repository : ref.repository.slice(prefix.length + 1);
  const registry = ownHost({ ...place, account: mapping.ecrAccountId ?? place.account });
  return { ...ref, registry, repository: `${mapping.ecrRepositoryPrefix.replace(/\/+$/, "")}/${rest}` };
}
