import type { CreateRepositoryCreationTemplateRequest, UpstreamRegistry } from "@aws-sdk/client-ecr";
import type { Core } from "../gateway/service.ts";
import type { Database } from "../storage/database.ts";

/** Where a repository is: registry (account), region, name. */
export interface Place {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface Repository extends Place {
  readonly createdAt: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly mutability: "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION";
  /** Patterns of tags that the mutability does not hold for, `*` for any text. */
  readonly exclusions?: readonly string[];
  readonly scanOnPush: boolean;
  readonly encryption: Readonly<Record<string, unknown>>;
  readonly policy?: string;
  readonly lifecyclePolicy?: string;
}

/** A manifest. */
export interface Image {
  readonly digest: string;
  readonly mediaType: string;
  /** SHA-256 of the manifest's bytes, the name of its blob. */
  readonly sha256: string;
  readonly manifestSize: number;
  /** Bytes of configuration and layers, as DescribeImages tells them. */
  readonly contentSize: number;
  readonly pushedAt: string;
  readonly artifactType?: string;
  /** Digest of the manifest that this one refers to. */
  readonly subject?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Digests of layers or manifests that must stay while it is there. */
  readonly references: readonly string[];
}

/** What a tag names. */
export interface Tag {
  readonly digest: string;
  /** When the tag was last compared with its upstream registry (ISO 8601); undefined for one that was pushed. */
  readonly checkedAt?: string;
}

export interface Layer {
  readonly digest: string;
  readonly sha256: string;
  readonly size: number;
}

/** An upload that has begun; its bytes lie in a file of its own. */
export interface Upload extends Place {
  readonly id: string;
  readonly startedAt: string;
  /** Bytes of the smallest part that the API sent, and whether others came after it: only the last may be small. */
  readonly smallPart?: { readonly bytes: number; readonly isLast: boolean };
}

/** A rule by which images of an upstream registry come into repositories under a prefix. */
export interface CacheRule {
  readonly registryId: string;
  /** `quay` for all of `quay/…`; `ROOT` for every repository. */
  readonly ecrRepositoryPrefix: string;
  readonly upstreamRegistryUrl: string;
  readonly upstreamRegistry: UpstreamRegistry;
  /** What stands before the rest of the name upstream; `ROOT` for nothing. */
  readonly upstreamRepositoryPrefix: string;
  readonly credentialArn?: string;
  readonly customRoleArn?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What repositories get that ECR creates by itself, as CreateRepositoryCreationTemplate has it. */
export interface Template extends Omit<CreateRepositoryCreationTemplateRequest, "prefix"> {
  readonly prefix: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** An image whose manifests are here and whose layers are still on their way from upstream. */
export interface CacheImport {
  readonly tag?: string;
  /** The prefix of the rule. */
  readonly prefix: string;
  readonly upstreamRegistryUrl: string;
  /** Of all its platforms. */
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Where ECR remembers. */
export function createStore({ database, clock }: Core) {
  const store = collections(database);
  store.transaction(() => fillLookups(store, clock.now().toISOString()));
  return store;
}

const collections = (database: Database) => ({
  /** Key account, region, name. */
  repositories: database.collection<Repository>("ecr.repository"),
  /** Key account, region, name, digest. */
  images: database.collection<Image>("ecr.image"),
  /** Key account, region, name, tag. */
  imageTags: database.collection<Tag>("ecr.tag"),
  /** Key account, region, name, digest, tag: the tags of an image. */
  tagsOfImage: database.collection<object>("ecr.tag-of-image"),
  /** Key account, region, name, digest, digest: of a layer or manifest, and of a manifest that needs it. */
  usesOf: database.collection<object>("ecr.use"),
  /** Key account, region, name, digest, digest: of a subject, and of a manifest that refers to it. */
  referrersOf: database.collection<object>("ecr.referrer"),
  /** Key account, region, name, digest. */
  layers: database.collection<Layer>("ecr.layer"),
  /** Key account, region, name, digest: layers that no manifest needs, and when somebody last asked for them (ISO 8601). */
  unusedLayers: database.collection<{ readonly since: string }>("ecr.unused-layer"),
  /** Key id. */
  uploads: database.collection<Upload>("ecr.upload"),
  /** Key account, region. */
  registryPolicies: database.collection<{ readonly policy: string }>("ecr.registry-policy"),
  /** Key account, region, prefix. */
  cacheRules: database.collection<CacheRule>("ecr.cache-rule"),
  /** Key account, region, prefix. */
  templates: database.collection<Template>("ecr.template"),
  /** Key account, region, name, digest of the image that was asked for. */
  imports: database.collection<CacheImport>("ecr.import"),
  /** Key account, region, name, digest: layers of cached images that are still upstream, with their size in bytes. */
  upstreamLayers: database.collection<{ readonly size: number }>("ecr.upstream-layer"),
  /** Key account, region, prefix of a rule, digest: layers that came by the rule; their bytes may have gone since. */
  fetchedLayers: database.collection<Pick<Layer, "sha256" | "size">>("ecr.fetched-layer"),
  secrets: database.collection<{ readonly secret: string }>("ecr.secret"),
  /** Key `lookups`: present once the collections that answer "who needs this?" were filled from the documents. */
  state: database.collection<object>("ecr.state"),
  transaction: <R>(work: () => R): R => database.transaction(work),
});

export type Store = ReturnType<typeof collections>;

/** Fills the lookups of a data folder that was written before they were there. */
function fillLookups(store: Store, now: string): void {
  if (!store.state.insert(["lookups"], {})) return;
  for (const { key, value } of store.imageTags.list([])) store.tagsOfImage.put([...key.slice(0, 3), value.digest, key[3] ?? ""], {});
  for (const { key, value } of store.images.list([])) {
    for (const child of value.references) store.usesOf.put([...key.slice(0, 3), child, value.digest], {});
    if (value.subject) store.referrersOf.put([...key.slice(0, 3), value.subject, value.digest], {});
  }
  for (const { key } of store.layers.list([]))
    if (store.usesOf.list(key, { limit: 1 }).length === 0) store.unusedLayers.put(key, { since: now });
}

export const keyOf = ({ account, region, name }: Place): [string, string, string] => [account, region, name];
export const repositoryArn = ({ account, region, name }: Place): string => `arn:aws:ecr:${region}:${account}:repository/${name}`;
export const repositoryHost = ({ account, region }: Pick<Place, "account" | "region">): string =>
  `${account}.dkr.ecr.${region}.amazonaws.com`;
