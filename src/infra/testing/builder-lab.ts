import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { registryClient, type Repository } from "../../oci/client/registry-client.ts";
import { startDockerRegistry } from "../../oci/testing/docker-registry.ts";
import { imageThere } from "../../release/images/build/labels.ts";
import { type ContainerAccounts, HOME, startContainers } from "./containers.ts";

const SOURCES = "declared-sources";

/** Accounts with the container stacks, a bucket that the builder may read, and a registry that stands for quay.io. */
export interface BuilderLab extends AsyncDisposable {
  readonly stage: ContainerAccounts;
  /** A repository of quay.io. */
  quay(repository: string): Repository;
  /** Stores a source, or a file of one. @returns its address */
  put(key: string, body: Uint8Array | string): Promise<string>;
  /** The labels of an image in the account's registry. */
  labelsOf(repository: string, digest: string): Promise<Readonly<Record<string, string>> | undefined>;
}

export async function openBuilderLab(): Promise<BuilderLab> {
  const [upstream, clients] = [await startDockerRegistry(), registryClient()];
  const stage = await startContainers({ builderSources: [`s3://${SOURCES}/images/`] }, { "quay.io": upstream.url });
  const s3 = new S3Client(stage.accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: SOURCES }));
  return {
    stage,
    quay: (repository) => clients.repository({ registry: upstream.host, repository }),
    async put(key, Body) {
      await s3.send(new PutObjectCommand({ Bucket: SOURCES, Key: `images/${key}`, Body }));
      return `s3://${SOURCES}/images/${key}`;
    },
    async labelsOf(repository, digest) {
      await using client = stage.registryOf("cicd").client;
      return (await imageThere(client.repository({ registry: HOME, repository }), digest))?.labels;
    },
    async [Symbol.asyncDispose]() {
      await clients.close();
      await stage[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
