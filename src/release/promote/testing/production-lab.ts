import { DescribeImagesCommand, DescribeRepositoriesCommand } from "@aws-sdk/client-ecr";
import { type AwsClients, awsClients } from "../../../aws/clients.ts";
import { createRepository, hostOf, type RegistryUser, signIn } from "../../../local/ecr/testing/registry.ts";
import { PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../../local/testing/accounts.ts";
import type { Repository } from "../../../oci/client/registry-client.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { type Fault, faultProxy, type SeenRequest } from "../../../oci/testing/fault-proxy.ts";
import { noise, pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import { describeEvent, type ReleaseEvent } from "../../events.ts";
import { mergeOnce } from "../../images/repositories/ensure-policies.ts";
import { accountStatement } from "../../images/repositories/repository-policy.ts";
import type { RepositorySettings } from "../../images/repositories/repository-settings.ts";
import { hasty, PLACE as CICD } from "../../images/testing/image-lab.ts";
import type { ReleasedImages, ReleaseRecord } from "../bundle.ts";
import { copyToProduction } from "../own-images.ts";
import { type ImageReferrers, promoteReferrers } from "../referrers.ts";

const PLACE = { account: PRODUCTION, region: REGION };

type ReleasedImage = ReleasedImages[number];

/** An image for two platforms, and where it is. */
export interface ReleasedIndex {
  readonly at: Repository;
  readonly index: Descriptor;
  readonly children: readonly Descriptor[];
  readonly image: ReleasedImage;
}

export interface Copying {
  readonly version?: string;
  readonly promote?: ReleaseRecord["promote"];
  readonly repositories?: RepositorySettings;
  /** How production's registry fails. @default - it does not */
  readonly fail?: (seen: SeenRequest) => Fault | undefined;
  /** The line after which it fails no more. @default - it goes on failing */
  readonly until?: RegExp;
}

/** What became of a release's images, and what was said of it. */
export interface Promoted {
  readonly copied: ReleasedImages | Error;
  readonly said: readonly string[];
  readonly referrers: readonly ImageReferrers[];
  readonly toldOfReferrers: readonly string[];
  /** Requests that write blobs. */
  readonly uploads: readonly SeenRequest[];
}

/** The cicd account with images of releases, and the production account beside it. */
export interface ProductionLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly cicd: RegistryUser;
  readonly production: AwsClients;
  /** An image of the cicd account that production may read, as a release names it. */
  released(repository: string, seed: string): Promise<ReleasedImage>;
  /** The same for two platforms. */
  releasedIndex(repository: string): Promise<ReleasedIndex>;
  /** Copies as the production account, whose registry fails as it is told until a line is said; then what refers to what it has. */
  copy(images: ReleasedImages, how?: Copying): Promise<Promoted>;
  /** The tags of production's images, by digest. */
  tagsIn(repositoryName: string): Promise<object>;
}

export async function openProductionLab(): Promise<ProductionLab> {
  const accounts = await startAccounts();
  const cicd = await signIn(accounts);
  const production = awsClients(accounts.config("production"));
  return {
    accounts,
    cicd,
    production,
    async released(repository, seed) {
      const { digest } = await pushSample(await opened(cicd, repository), seed, { layers: layersOf(seed) });
      return named(repository, seed, digest);
    },
    releasedIndex: (repository) => pushReleasedIndex(cicd, repository),
    copy: (images, how = {}) => copy(accounts, images, how),
    async tagsIn(repositoryName) {
      const { imageDetails = [] } = await production.ecr.send(new DescribeImagesCommand({ repositoryName }));
      return Object.fromEntries(imageDetails.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]));
    },
    async [Symbol.asyncDispose]() {
      await cicd[Symbol.asyncDispose]();
      await accounts[Symbol.asyncDispose]();
    },
  };
}

/** One of its own, and one that all images share. */
export const layersOf = (seed: string): readonly Buffer[] => [noise(seed, 20_000), noise("in all of them", 50_000)];

/** A repository of the cicd account that production may read. */
async function opened(cicd: RegistryUser, repository: string): Promise<Repository> {
  const there = await cicd.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repository] })).catch(() => undefined);
  if (!there) await createRepository(cicd.ecr, repository);
  await mergeOnce(cicd.ecr, repository, [accountStatement(PLACE, "Production")]);
  return cicd.repository(repository);
}

const named = (repository: string, tag: string, digest: string): ReleasedImage => ({
  image: `quay.io/${repository}:${tag}`,
  source: `quay.io/${repository}:${tag}`,
  target: `${hostOf(CICD.account)}/${repository}@${digest}`,
  digest,
});

async function pushReleasedIndex(cicd: RegistryUser, repository: string): Promise<ReleasedIndex> {
  const at = await opened(cicd, repository);
  const children = await Promise.all(
    ["amd64", "arm64"].map((architecture) =>
      pushSample(at, "", { layers: layersOf(`${repository} ${architecture}`), platform: { os: "linux", architecture } }),
    ),
  );
  const index = await pushIndex(at, "1", children);
  return { at, index, children, image: named(repository, "1", index.digest) };
}

const record = (images: ReleaseRecord["images"], version = "1.0.0"): ReleaseRecord => ({
  format: 1,
  workflow: "demo",
  version,
  commit: "c".repeat(40),
  branch: "main",
  pipelineExecutionId: "e",
  startedBy: "someone",
  engine: "WDL",
  main: "main.wdl",
  tags: {},
  promote: "copy",
  cicd: { ...CICD, workflowId: "1234567", versionArn: "arn" },
  images,
  tests: { summary: "1 of 1 tests passed", evidence: "s3://e" },
  approval: { by: "approver", at: "2026-01-01T00:00:00Z", comment: "good" },
  handedOverAt: "2026-01-01T00:00:00Z",
  files: [],
});

async function copy(
  accounts: TestAccounts,
  images: ReleasedImages,
  { version, promote = "copy", fail, until, repositories }: Copying,
): Promise<Promoted> {
  const said: string[] = [];
  await using registry = await faultProxy(accounts.url, (seen) =>
    until && said.some((line) => until.test(line)) ? undefined : fail?.(seen),
  );
  const { endpoint: _endpoint, region, credentials } = accounts.config("production");
  const target = { region, credentials, endpoint: registry.url };
  const env = {
    clients: awsClients(target),
    place: PLACE,
    cicd: CICD,
    target,
    clock: hasty,
    repositories,
    emit: (event: ReleaseEvent) => void said.push(describeEvent(event)),
  };
  const release = { ...record([...images], version), promote };
  const copied = promote === "share" ? images : await copyToProduction(env, release).catch((error: Error) => error);
  const copiedSaid = [...said];
  const referrers = copied instanceof Error ? [] : await promoteReferrers(env, release, copied);
  return {
    copied,
    said: copiedSaid,
    toldOfReferrers: said.slice(copiedSaid.length).map((line) => line.trim()),
    referrers,
    uploads: registry.seen.filter(({ method, path }) => method !== "GET" && method !== "HEAD" && path.includes("/blobs/uploads/")),
  };
}
