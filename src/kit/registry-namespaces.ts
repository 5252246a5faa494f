import type { AccountId } from "./account-id.ts";
import { DOCKER_HUB, formatImageRef, referenceOf } from "./image-ref.ts";
import type { ImageRef } from "./image-ref.ts";
import { privateEcrHost, privateEcrOf } from "./image-ref-ecr.ts";
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
 * The table with a user's entries; a namespace may be the user's own for a host that is in the table already.
 * @throws InvalidValue for a namespace that ECR would refuse
 */
export function extendNamespaces(entries: RegistryNamespaces): RegistryNamespaces {
  for (const [host, namespace] of Object.entries(entries))
    if (!ECR_NAME.test(namespace.replace("*", "x")))
      throw new InvalidValue("namespace", namespace, `images of ${host} need a prefix of ${ECR_NAME_RULE}`);
  return { ...REGISTRY_NAMESPACES, ...entries };
}

/**
 * Where the image goes in private ECR: its namespace and whole path, with its tag and digest. Private ECR of another
 * account or region goes to `ecr/<account>/<region>/`; a registry that no entry knows goes to its own host name, as in
 * the AWS ECR helper, a port after `_`.
 * @throws InvalidValue when ECR would refuse the name
 */
export function targetRepository(source: ImageRef, table: NamingTable = {}): TargetRepository {
  const { registry: _, ...place } = source;
  const repository = `${prefixOf(source, table)}${source.repository}`;
  if (!ECR_NAME.test(repository) || repository.length < SHORTEST_ECR_NAME || repository.length > LONGEST_ECR_NAME)
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
    return distinct.length < 2 || areSameBytes(distinct)
      ? []
      : [{ target, sources: distinct, message: describe(target, distinct) }];
  });
}

/** Private ECR answers at several hosts (FIPS, dual-stack); the image is one. */
function canonical(source: ImageRef): ImageRef {
  const ecr = privateEcrOf(source);
  return ecr ? { ...source, registry: privateEcrHost(ecr) } : source;
}

/** Prints a place in the registry: `quay/biocontainers/bwa:0.7.18`; by digest only where there is no tag. */
export const formatTarget = ({ repository, tag, digest }: TargetRepository): string =>
  tag === undefined
    ? `${repository}@${referenceOf(digest === undefined ? {} : { digest })}`
    : `${repository}:${tag}`;

const SHORTEST_ECR_NAME = 2;
const LONGEST_ECR_NAME = 256;
const ECR_WORD = "[a-z0-9]+(?:[._-][a-z0-9]+)*";
const ECR_NAME = new RegExp(`^${ECR_WORD}(?:/${ECR_WORD})*$`);
const ECR_NAME_RULE = "2 to 256 of a-z, 0-9, single . _ - between them, and /";

function prefixOf(source: ImageRef, { namespaces = REGISTRY_NAMESPACES, home }: NamingTable): string {
  const ecr = privateEcrOf(source);
  if (ecr && home && ecr.account === home.account && ecr.region === home.region) return "";
  const namespace = namespaceOf(source.registry, namespaces);
  if (namespace !== undefined) return `${namespace}/`;
  return ecr ? `ecr/${ecr.account}/${ecr.region}/` : `${source.registry.replace(":", "_")}/`;
}

/** What stands before the repositories of a host, by its name or by a pattern; undefined where the table has neither. */
export const namespaceOf = (host: string, namespaces: RegistryNamespaces): string | undefined => (Object.hasOwn(namespaces, host) ? namespaces[host] : byPattern(host, namespaces));

function byPattern(host: string, namespaces: RegistryNamespaces): string | undefined {
  const dot = host.indexOf(".");
  const namespace = dot < 0 ? undefined : namespaces[`*${host.slice(dot)}`];
  return namespace?.replace("*", host.slice(0, dot));
}

const areSameBytes = (sources: readonly ImageRef[]): boolean =>
  sources[0]?.digest !== undefined && sources.every(({ digest }) => digest === sources[0]?.digest);

function describe(target: string, sources: readonly ImageRef[]): string {
  const said = `${sources.map(formatImageRef).join(" and ")} would both become ${target}`;
  const other = sources.find(({ registry }) => registry !== sources[0]?.registry)?.registry;
  if (other === undefined) return `${said}; use one of them everywhere`;
  return `${said}; give ${other} a namespace of its own, as in {"${other}": "${other.replace(/[.:]/g, "-")}"}`;
}
