import {
  type ECRClient,
  type ImageDetail,
  ListTagsForResourceCommand,
  paginateDescribeImages,
  paginateDescribeRepositories,
  type Repository as EcrRepository,
} from "@aws-sdk/client-ecr";
import { privateEcrHost } from "../../kit/image-ref-ecr.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { SOURCE_TAG } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import { registryOf } from "./registry-of.ts";
import { imageThere, REVISION_LABEL, SOURCE_HASH_LABEL, SOURCE_LABEL } from "./build/labels.ts";
import { isOurs } from "./repositories/repository.ts";

/** An image that omx brought or built. */
export interface StagedImage {
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly pushedAt: string;
  /** Where it was pulled from, or, of a built one, what its source label says. */
  readonly source?: string;
  /** Of a built image: the hash of its source, and the commit. */
  readonly sourceHash?: string;
  readonly commit?: string;
}

export interface Inventory {
  readonly ecr: ECRClient;
  readonly client: RegistryClient;
  readonly place: Place;
  /** Also images without a tag: parts of an index, and what a moved tag left behind. @default false */
  readonly untagged?: boolean;
}

const AT_ONCE = 8;

/** What omx staged in an account's ECR: the repositories with its tag, in the order of their names. */
export async function listStaged(inventory: Inventory): Promise<readonly StagedImage[]> {
  const repositories: EcrRepository[] = [];
  for await (const page of paginateDescribeRepositories({ client: inventory.ecr }, {})) repositories.push(...(page.repositories ?? []));
  repositories.sort((a, b) => ((a.repositoryName ?? "") < (b.repositoryName ?? "") ? -1 : 1));
  const found: (readonly StagedImage[])[] = [];
  for (let at = 0; at < repositories.length; at += AT_ONCE)
    found.push(...(await Promise.all(repositories.slice(at, at + AT_ONCE).map((one) => imagesOf(inventory, one)))));
  return found.flat();
}

async function imagesOf(inventory: Inventory, { repositoryName = "", repositoryArn }: EcrRepository): Promise<readonly StagedImage[]> {
  const { tags = [] } = await inventory.ecr.send(new ListTagsForResourceCommand({ resourceArn: repositoryArn }));
  const named = Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  if (!isOurs(named)) return [];
  const images: ImageDetail[] = [];
  for await (const page of paginateDescribeImages(
    { client: inventory.ecr },
    { repositoryName, ...(!inventory.untagged && { filter: { tagStatus: "TAGGED" } }) },
  ))
    images.push(...(page.imageDetails ?? []));
  const origin = named[SOURCE_TAG];
  const staged = await Promise.all(
    images.map(async (detail) => ({
      ...describe(repositoryName, detail),
      ...(origin === undefined ? await labelled(inventory, repositoryName, detail) : { source: origin }),
    })),
  );
  return staged.sort((a, b) => (a.pushedAt < b.pushedAt ? 1 : -1));
}

const describe = (
  repository: string,
  { imageDigest = "", imageTags = [], imageSizeInBytes = 0, imagePushedAt }: ImageDetail,
): StagedImage => ({
  repository,
  digest: imageDigest,
  tags: [...imageTags].sort(),
  sizeBytes: imageSizeInBytes,
  pushedAt: imagePushedAt?.toISOString() ?? "",
});

/** What a built image says of itself. */
async function labelled(
  { client, place }: Inventory,
  repository: string,
  { imageDigest = "" }: ImageDetail,
): Promise<Pick<StagedImage, "source" | "sourceHash" | "commit">> {
  const at = client.repository({ registry: privateEcrHost(registryOf(place)), repository });
  const { labels = {} } = (await imageThere(at, imageDigest)) ?? {};
  const [source, sourceHash, commit] = [labels[SOURCE_LABEL], labels[SOURCE_HASH_LABEL], labels[REVISION_LABEL]];
  return { ...(source && { source }), ...(sourceHash && { sourceHash }), ...(commit && { commit }) };
}
