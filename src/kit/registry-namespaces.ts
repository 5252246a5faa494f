import type { AccountId } from "./account-id.ts";
import { DOCKER_HUB, formatImageRef, referenceOf } from "./image-ref.ts";
import type { ImageRef } from "./image-ref.ts";
import { privateEcrHost, privateEcrOf, readPrivateEcrHost } from "./image-ref-ecr.ts";
import { InvalidValue } from "./invalid-value.ts";

/** Which namespace of private ECR the images of a registry go to, by host. `*.` in front stands for one more word. */
export type RegistryNamespaces = Readonly<Record<string, string>>;

/**
 * The namespaces of the AWS ECR helper, and those of registries that current workflows use besides.
 * The whole path follows the namespace (`docker.io/library/ubuntu` → `dockerhub/library/ubuntu`), as pull-through
 * cache rules and HealthOmics's registry maps build the name; the helper itself left out `library/`.
 */
export const REGISTRY_NAMESPACES: RegistryNamespaces = {
  "quay.io": "quay",
  "public.ecr.aws": "ecr-public",
  [DOCKER_HUB]: "dockerhub",
  "gcr.io": "gcr",
  "*.gcr.io": "gcr",
  "*.pkg.dev": "gar",
  "ghcr.io": "ghcr",
  "mcr.microsoft.com": "mcr",
  "nvcr.io": "nvcr",
  "registry.k8s.io": "k8s",
  "registry.gitlab.com": "gitlab",
  "community.wave.seqera.io": "seqera",
  "wave.seqera.io": "wave",
  "cgr.dev": "chainguard",
  "*.azurecr.io": "acr/*",
};

/** Where images go, and which registry is their home already. */
export interface NamingTable {
  /** @default REGISTRY_NAMESPACES */
  readonly namespaces?: RegistryNamespaces;
  /** The ECR that images are brought to: what is there already keeps its name. */
  readonly home?: { readonly account: AccountId | string; readonly region: string };
}

/** A place in the private registry that images are brought to. */
export type TargetRepository = Omit<ImageRef, "registry">;

/**
 * Where the image goes in private ECR: its namespace and whole path, with its tag and digest. Private ECR of another
 * account or region goes to `ecr/<account>/<region>/`; a registry that no entry knows goes to its own host name, as in
 * the AWS ECR helper, a port after `_` (see `ownNamespace`).
 * @throws InvalidValue when ECR would refuse the name: it is too long, or has one character
 */
export function targetRepository(source: ImageRef, table: NamingTable = {}): TargetRepository {
  const { registry: _, ...place } = source;
  const repository = `${prefixOf(source, table)}${source.repository}`;
  if (!isEcrName(repository))
    throw new InvalidValue(
      "ECR repository",
      repository,
      `the name of ${formatImageRef(source)} has to be ${ECR_NAME_RULE}; bring the image in under another name (images.substitute)`,
    );
  return { ...place, repository };
}

/** Two or more different images that would be stored under one name. */
export interface Collision {
  /** `repository:tag` or `repository@digest`. */
  readonly target: string;
  readonly sources: readonly ImageRef[];
  /** A sentence for a person: what is wrong and what to do. */
  readonly message: string;
}

/** Different images of the list that would overwrite each other, in the order of the list. */
export function detectCollisions(sources: readonly ImageRef[], table: NamingTable = {}): readonly Collision[] {
  const byTarget = Map.groupBy(sources, (source) => formatTarget(targetRepository(source, table)));
  return [...byTarget].flatMap(([target, all]) => {
    const distinct = [...new Map(all.map((source) => [formatImageRef(canonical(source)), source])).values()];
    return distinct.length < 2 || areSameBytes(distinct) ? [] : [{ target, sources: distinct, message: describe(target, distinct, table) }];
  });
}

/** Private ECR answers at several hosts (FIPS, dual-stack); the image is one. */
function canonical(source: ImageRef): ImageRef {
  const ecr = privateEcrOf(source);
  return ecr ? { ...source, registry: privateEcrHost(ecr) } : source;
}

/** The repository that an image comes from, by its registry's one name: `quay.io/biocontainers/bwa`. */
export const sourceRepository = (source: ImageRef): string => `${canonical(source).registry}/${source.repository}`;

/** Prints a place in the registry: `quay/biocontainers/bwa:0.7.18`; by digest only where there is no tag. */
export const formatTarget = ({ repository, tag, digest }: TargetRepository): string =>
  tag === undefined ? `${repository}@${referenceOf(digest === undefined ? {} : { digest })}` : `${repository}:${tag}`;

const ECR_WORD = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const ECR_NAME = new RegExp(`^(?=.{2,256}$)${ECR_WORD}(?:/${ECR_WORD})*$`);

/**
 * Whether ECR takes the text for a repository's name.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html (the API's model allows `__` and several `-`)
 */
export const isEcrName = (text: string): boolean => ECR_NAME.test(text);

/** What `isEcrName` asks for, in words. */
export const ECR_NAME_RULE = "2 to 256 of a-z and 0-9 with . _ __ or - between them, and /";

function prefixOf(source: ImageRef, { namespaces = REGISTRY_NAMESPACES, home }: NamingTable): string {
  if (isAtHome(source, home)) return "";
  const { registry } = canonical(source);
  return `${namespaceOf(registry, namespaces) ?? ownNamespace(registry)}/`;
}

function isAtHome(source: ImageRef, home: NamingTable["home"]): boolean {
  const ecr = privateEcrOf(source);
  return ecr !== undefined && ecr.account === home?.account && ecr.region === home.region;
}

/**
 * Where the images of a registry go that no entry knows: its host, a port after `_`, an IPv6 address by its eight groups
 * (ECR takes neither `:` nor brackets); `ecr/<account>/<region>` for private ECR. No two registries have the same.
 */
export function ownNamespace(registry: string): string {
  const ecr = readPrivateEcrHost(registry);
  if (ecr) return `ecr/${ecr.account}/${ecr.region}`;
  return registry.replace(/^\[(.*)\]/, (_, address: string) => `ipv6_${groupsOf(address).join("-")}`).replace(":", "_");
}

/** The eight groups of an IPv6 address in its short form. */
function groupsOf(address: string): readonly string[] {
  const [before = [], after = []] = address.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  return [...before, ...Array<string>(8 - before.length - after.length).fill("0"), ...after];
}

/** What stands before the repositories of a host, by its name or by a pattern; undefined where the table has neither. */
export const namespaceOf = (host: string, namespaces: RegistryNamespaces): string | undefined =>
  Object.hasOwn(namespaces, host) ? namespaces[host] : byPattern(host, namespaces);

function byPattern(host: string, namespaces: RegistryNamespaces): string | undefined {
  const dot = host.indexOf(".");
  const namespace = dot < 0 ? undefined : namespaces[`*${host.slice(dot)}`];
  return namespace?.replace("*", host.slice(0, dot));
}

const areSameBytes = (sources: readonly ImageRef[]): boolean =>
  sources[0]?.digest !== undefined && sources.every(({ digest }) => digest === sources[0]?.digest);

function describe(target: string, sources: readonly ImageRef[], { home }: NamingTable): string {
  const said = `${sources.map(formatImageRef).join(" and ")} would ${sources.length > 2 ? "all" : "both"} become ${target}`;
  const hasOneRegistry = new Set(sources.map((source) => canonical(source).registry)).size < 2;
  const movable = sources
    .filter((source) => !isAtHome(source, home))
    .map((source) => canonical(source).registry)
    .at(-1);
  if (hasOneRegistry || movable === undefined) return `${said}; use one of them everywhere`;
  return `${said}; give ${movable} a namespace of its own, as in {"${movable}": "${suggestedNamespace(movable)}"}`;
}

/** A namespace that a registry could be given. */
export const suggestedNamespace = (registry: string): string =>
  registry
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
