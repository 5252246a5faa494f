import { type ContainerRegistryMap, GetWorkflowVersionCommand } from "@aws-sdk/client-omics";
import type { AwsClients } from "../../../aws/clients.ts";
import { listWorkflowsNamed } from "../../../aws/workflows.ts";
import { parseImageRef } from "../../../kit/image-ref.ts";
import { parseS3Uri } from "../../../kit/s3-uri.ts";
import { openBundle, type ReleaseRecord } from "../../promote/bundle.ts";
import { parseLock, LOCK_FILE } from "./lock-file.ts";
import type { ContainersLock } from "./lock.ts";
import type { ImageToVerify } from "./verify.ts";

const MAP_FILE = "container-registry-map.json";

/** The images of a released version, as its bundle and production say them. */
export interface BundleImages {
  readonly record: ReleaseRecord;
  readonly lock: ContainersLock;
  /** What production's version is to map images to, but for copies of its own. */
  readonly mappings: readonly Mapping[];
  /** And registries, where the user's own map does. */
  readonly registries: readonly RegistryMapping[];
  readonly problems: readonly string[];
}

interface Mapping {
  readonly sourceImage?: string | undefined;
  readonly destinationImage?: string | undefined;
}

type RegistryMapping = Readonly<NonNullable<ContainerRegistryMap["registryMappings"]>[number]>;

/**
 * Reads a bundle and compares what it says of images in three places: release.json, the lock, the registry map.
 * @param s3 of who may read the bundle's bucket
 * @throws ReleaseError BundleIncomplete for one that is not whole
 */
export async function readBundleImages(s3: AwsClients["s3"], uri: string): Promise<BundleImages> {
  const { bucket, key } = parseS3Uri(uri);
  const { record, file } = await openBundle(s3, bucket, key.replace(/\/+$/, ""));
  const lock = parseLock((await file(LOCK_FILE)).toString("utf8"), `${uri}/${LOCK_FILE}`);
  const map = JSON.parse((await file(MAP_FILE)).toString("utf8")) as ContainerRegistryMap;
  const { imageMappings: mappings = [], registryMappings: registries = [] } = map;
  const recorded = new Set(record.images.map(({ image }) => image));
  return {
    record,
    lock,
    mappings,
    registries,
    problems: [
      ...[LOCK_FILE, MAP_FILE]
        .filter((name) => record.files.every((one) => one.name !== name))
        .map((name) => `release.json: it does not say which bytes ${name} has`),
      ...lock.images
        .filter(({ image }) => !recorded.has(image))
        .map(({ image, digest }) => `release.json: ${image} is not in it, the lock says ${digest}`),
      ...differences(
        lock,
        "release.json",
        record.images.map(({ image, target }) => [image, target]),
      ),
      ...mapDifferences(lock, MAP_FILE, mappings),
    ],
  };
}

/**
 * What the production account runs for a release: the images that its workflow version maps to.
 * @returns the images as production addresses them, and how they differ from the lock
 */
export async function productionImages(
  { omics }: Pick<AwsClients, "omics">,
  { record, mappings: released, registries }: Pick<BundleImages, "record" | "mappings" | "registries">,
  lock: ContainersLock,
): Promise<{ readonly images: readonly ImageToVerify[]; readonly problems: readonly string[] }> {
  const { workflow, version } = record;
  const [found] = await listWorkflowsNamed(omics, workflow);
  if (!found?.id) return { images: [], problems: [`production has no workflow ${workflow}`] };
  const there = await omics
    .send(new GetWorkflowVersionCommand({ workflowId: found.id, versionName: version }))
    .catch((error: Error) => error);
  if (there instanceof Error) return { images: [], problems: [`production has no version ${version} of ${workflow}: ${there.message}`] };
  const mappings = there.containerRegistryMap?.imageMappings ?? [];
  const targets = new Map(mappings.map(({ sourceImage, destinationImage }) => [sourceImage, destinationImage]));
  const images = lock.images.map(({ image, target, digest }): ImageToVerify => ({ image, digest, target: targets.get(image) ?? target }));
  const where = `version ${version} in production`;
  return {
    images,
    problems: [
      ...mapDifferences(lock, where, mappings),
      ...beside(lock, where, { released, mappings }),
      ...registryDifferences(where, registries, there.containerRegistryMap?.registryMappings ?? []),
    ],
  };
}

/** Images that only an input names are found by mappings of their registries: production has those of the bundle, and no others. */
function registryDifferences(where: string, released: readonly RegistryMapping[], there: readonly RegistryMapping[]): readonly string[] {
  const leadsOf = (from: readonly RegistryMapping[]) => new Map(from.map((mapping) => [registryOf(mapping), leadOf(mapping)]));
  const [wanted, found] = [leadsOf(released), leadsOf(there)];
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((registry) => {
    const [is, says] = [found.get(registry), wanted.get(registry)];
    return is === says ? [] : [`${where}: the registry ${registry} is mapped to ${is ?? "nothing"}, by the bundle to ${says ?? "nothing"}`];
  });
}

const registryOf = ({ upstreamRegistryUrl = "", upstreamRepositoryPrefix: below }: RegistryMapping): string =>
  below ? `${upstreamRegistryUrl}/${below}` : upstreamRegistryUrl;

/** Without the secret: the SDK reads none out of HealthOmics's answers. */
const leadOf = ({ ecrRepositoryPrefix = "", ecrAccountId = "the run's own account" }: RegistryMapping): string =>
  `${ecrRepositoryPrefix} in ${ecrAccountId}`;

/** Mappings of images that the lock does not know are the user's own: production has those of the bundle, and no others. */
function beside(
  { images }: ContainersLock,
  where: string,
  { released, mappings }: { readonly released: readonly Mapping[]; readonly mappings: readonly Mapping[] },
): readonly string[] {
  const locked = new Set(images.map(({ image }) => image));
  const placesOf = (from: readonly Mapping[]) =>
    new Map(
      from.flatMap(({ sourceImage = "", destinationImage = "" }) =>
        locked.has(sourceImage) ? [] : [[sourceImage, placeIn(destinationImage)]],
      ),
    );
  const [wanted, found] = [placesOf(released), placesOf(mappings)];
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((image) => {
    const [is, says] = [found.get(image), wanted.get(image)];
    return is === says
      ? []
      : [`${where}: ${image} is mapped to ${is ?? "nothing"}, by the bundle to ${says ?? "nothing"}; the lock does not know it`];
  });
}

/** An image in whichever registry: production may have copies of its own. */
function placeIn(address: string): string {
  const { repository, tag, digest } = parseImageRef(address);
  return digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** An image that is named by its address in ECR needs no mapping. */
const mapDifferences = (lock: ContainersLock, where: string, mappings: readonly Mapping[] = []): readonly string[] => {
  const mapped = new Map(mappings.map(({ sourceImage = "", destinationImage = "" }) => [sourceImage, destinationImage]));
  return differences(
    lock,
    where,
    lock.images.flatMap(({ image, target }) => (mapped.has(image) || image !== target ? [[image, mapped.get(image) ?? ""] as const] : [])),
  );
};

function differences(lock: ContainersLock, where: string, named: readonly (readonly [string, string])[]): readonly string[] {
  const digests = new Map(lock.images.map(({ image, digest }) => [image, digest]));
  return named.flatMap(([image, target]) => {
    const wanted = digests.get(image);
    const found = target === "" ? undefined : parseImageRef(target).digest;
    if (wanted === found) return [];
    return [`${where}: ${image} is ${found ?? "not named by digest"}, the lock says ${wanted ?? "nothing of it"}`];
  });
}
