import { CreateRepositoryCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseImageRef } from "../kit/image-ref.ts";
import { CICD, PRODUCTION, REGION } from "../local/testing/accounts.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { type ContainerAccounts, HOME, LAB, PATIENCE_MS, startContainers } from "./testing/containers.ts";

let stage: ContainerAccounts;
let s3: S3Client;
beforeAll(async () => {
  stage = await startContainers({ sourceAccounts: [PRODUCTION], builderSources: ["s3://declared-sources/images/"] });
  s3 = new S3Client(stage.accounts.config());
}, PATIENCE_MS);
afterAll(() => stage?.[Symbol.asyncDispose](), PATIENCE_MS);

describe("who may read from where", () => {
  const open = {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Cicd",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${CICD}:root` },
        Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      },
    ],
  };
  async function foreign(
    at: ContainerAccounts,
    { profile, account, region = REGION }: { readonly profile: string; readonly account: string; readonly region?: string },
  ): Promise<string> {
    const { client, ecr: theirs } = at.registryOf(profile, region);
    const registry = `${account}.dkr.ecr.${region}.amazonaws.com`;
    await theirs.send(new CreateRepositoryCommand({ repositoryName: "theirs" }));
    if (account !== CICD) await theirs.send(new SetRepositoryPolicyCommand({ repositoryName: "theirs", policyText: JSON.stringify(open) }));
    await pushSample(client.repository({ registry, repository: "theirs" }), "1", { layers: [noise(`${account}${region}`, 3000)] });
    await client.close();
    return `${registry}/theirs:1`;
  }

  /** What lies under a name, as its account's administrator sees it. */
  async function digestOf(at: ContainerAccounts, profile: string, image: string): Promise<string | undefined> {
    const { client } = at.registryOf(profile);
    const head = await client.repository(parseImageRef(image)).headManifest("1");
    await client.close();
    return head?.digest;
  }

  test(
    "E13, E35: a declared account's images come in under its name; an undeclared account's and another region's are denied by policy",
    async () => {
      // The account has an image of its own by the same name.
      const own = await foreign(stage, { profile: "cicd", account: CICD });
      const manifest = [
        await foreign(stage, { profile: "production", account: PRODUCTION }),
        await foreign(stage, { profile: "lab", account: LAB }),
        await foreign(stage, { profile: "production", account: PRODUCTION, region: "eu-west-1" }),
      ];
      const { images } = await stage.run("puller", manifest);
      expect(images.map(({ status, target_image }) => [status, target_image])).toEqual([
        ["SUCCEEDED", `${HOME}/ecr/${PRODUCTION}/${REGION}/theirs:1`],
        ["FAILED", `${HOME}/ecr/${LAB}/${REGION}/theirs:1`],
        ["FAILED", `${HOME}/ecr/${PRODUCTION}/eu-west-1/theirs:1`],
      ]);
      expect(images[0]!.digest).toBe(await digestOf(stage, "production", manifest[0]!));
      expect(images[0]!.digest).not.toBe(await digestOf(stage, "cicd", own));
      for (const { reason } of images.slice(1))
        expect(reason).toMatch(
          /refuses access.*not authorized to perform: ecr:BatchGetImage on resource: .*theirs because no identity-based policy allows/,
        );
    },
    PATIENCE_MS,
  );

  test(
    "other regions come in where crossRegion is declared, from declared accounts alone",
    async () => {
      await using other = await startContainers({ sourceAccounts: [PRODUCTION], crossRegion: true });
      const region = "eu-west-1";
      const manifest = [
        await foreign(other, { profile: "production", account: PRODUCTION, region }),
        await foreign(other, { profile: "cicd", account: CICD, region }),
        await foreign(other, { profile: "lab", account: LAB, region }),
      ];
      expect((await other.run("puller", manifest)).images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED", "FAILED"]);
    },
    PATIENCE_MS,
  );

  test(
    "the builder reads the declared prefix of a bucket, and no other prefix or bucket",
    async () => {
      const body = zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\n") });
      for (const [Bucket, Key] of [
        ["declared-sources", "images/tool.zip"],
        ["declared-sources", "secret/tool.zip"],
        ["undeclared-sources", "images/tool.zip"],
      ] as const) {
        await s3.send(new CreateBucketCommand({ Bucket })).catch(() => undefined);
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
      }
      const uris = [
        "s3://declared-sources/images/tool.zip",
        "s3://declared-sources/secret/tool.zip",
        "s3://declared-sources/secret/",
        "s3://undeclared-sources/images/tool.zip",
        "s3://undeclared-sources/images/",
      ];
      const { images } = await stage.run(
        "builder",
        uris.map((source_uri, index) => ({ source_uri, target_image: `declared/${index}:1` })),
      );
      expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED", "FAILED", "FAILED", "FAILED"]);
      for (const { reason } of images.slice(1)) expect(reason).toMatch(/(?:AccessDenied|not authorized).*containers\.builderSources/);
    },
    PATIENCE_MS,
  );
});
