import {
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  PutImageTagMutabilityCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cliAt } from "./testing/in-process.ts";
import { type KindsLab, openKindsLab, type PulledImage } from "./testing/kinds-lab.ts";

const MS = 120_000;

let lab: KindsLab;
beforeAll(async () => {
  lab = await openKindsLab();
}, MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "E34: a tag that is immutable in ECR stays what it means, and what upstream means now is there by its digest",
  async () => {
    const ecr = new ECRClient(lab.accounts.config());
    const before = lab.image([lab.gzip("immutable before")], "immutable");
    expect(await lab.pull("immutable")).toMatchObject({ status: "PULLED" });
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName: "quay/kinds/tool", imageTagMutability: "IMMUTABLE" }));
    const { digest } = lab.image([lab.gzip("immutable after")], "immutable");
    const reason = `the tag is immutable in the target and stays with ${before.digest}: name the image by its digest, under which it is there`;
    expect(await lab.pull("immutable")).toMatchObject({ status: "PULLED", digest, reason });
    expect(await lab.pull("immutable")).toMatchObject({ status: "SKIPPED", digest, reason, bytesMoved: 0 });
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName: "quay/kinds/tool", imageIds: [{ imageDigest: digest }, { imageTag: "immutable" }] }),
    );
    expect(imageDetails?.map(({ imageDigest }) => imageDigest).toSorted()).toEqual([before.digest, digest].toSorted());
  },
  MS,
);

test(
  "E34: a repository that its owner made with a key and immutable tags, and marked as omx's, serves",
  async () => {
    const ecr = new ECRClient(lab.accounts.config());
    const encryptionConfiguration = { encryptionType: "KMS" } as const;
    await ecr.send(
      new CreateRepositoryCommand({
        repositoryName: "quay/kinds/owned",
        imageTagMutability: "IMMUTABLE",
        encryptionConfiguration,
        tags: [{ Key: "createdBy", Value: "omx-ecr-helper" }],
      }),
    );
    const { digest } = lab.image([lab.gzip("owned")], "owned");
    using cli = cliAt(lab.accounts);
    const pulled = await cli.run("images", "pull", "quay.io/kinds/owned:owned", ...lab.at, "--json");
    expect(pulled.json<{ images: readonly PulledImage[] }>().images).toMatchObject([{ status: "PULLED", digest }]);
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["quay/kinds/owned"] }));
    expect(repositories).toMatchObject([{ imageTagMutability: "IMMUTABLE", encryptionConfiguration }]);
    expect((await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "quay/kinds/owned" }))).policyText).toContain(
      "omics.amazonaws.com",
    );
  },
  MS,
);
