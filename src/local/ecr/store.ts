import type { Core } from "../gateway/service.ts";

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

export interface Layer {
  readonly digest: string;
  readonly sha256: string;
  readonly size: number;
}

/** An upload that has begun; its bytes lie in a file of its own. */
export interface Upload extends Place {
  readonly id: string;
  readonly startedAt: string;
}

/** Where ECR remembers. */
export function createStore({ database }: Core) {
  return {
    /** Key account, region, name. */
    repositories: database.collection<Repository>("ecr.repository"),
    /** Key account, region, name, digest. */
    images: database.collection<Image>("ecr.image"),
    /** Key account, region, name, tag → digest. */
    imageTags: database.collection<{ readonly digest: string }>("ecr.tag"),
    /** Key account, region, name, digest. */
    layers: database.collection<Layer>("ecr.layer"),
    /** Key id. */
    uploads: database.collection<Upload>("ecr.upload"),
    /** Key account, region. */
    registryPolicies: database.collection<{ readonly policy: string }>("ecr.registry-policy"),
    /** Key account, region, prefix. */
    cacheRules: database.collection<Readonly<Record<string, unknown>>>("ecr.cache-rule"),
    /** Key account, region, prefix. */
    templates: database.collection<Readonly<Record<string, unknown>>>("ecr.template"),
    secrets: database.collection<{ readonly secret: string }>("ecr.secret"),
    transaction: <R>(work: () => R): R => database.transaction(work),
  };
}

export type Store = ReturnType<typeof createStore>;

export const keyOf = ({ account, region, name }: Place): [string, string, string] => [account, region, name];
export const repositoryArn = ({ account, region, name }: Place): string => `arn:aws:ecr:${region}:${account}:repository/${name}`;
export const repositoryHost = ({ account, region }: Pick<Place, "account" | "region">): string => `${account}.dkr.ecr.${region}.amazonaws.com`;
