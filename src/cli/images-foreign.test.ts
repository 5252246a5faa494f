import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import { noise } from "../oci/testing/sample-images.ts";
import { type StaticRegistry, staticRegistry } from "../oci/testing/static-registry.ts";
import { cliAt } from "./testing/in-process.ts";

const MS = 120_000;
const READ = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

let accounts: TestAccounts;
let quay: StaticRegistry;
let ecr: ECRClient;
beforeAll(async () => {
  [accounts, quay] = [await startAccounts(), await staticRegistry()];
  ecr = new ECRClient(accounts.config());
  const layers = [{ mediaType: MEDIA_TYPES.ociLayerTar, ...quay.blob(noise("foreign", 20_000)) }];
  quay.manifest(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, ...quay.blob(Buffer.from("{}")) },
      layers,
    },
    "1",
  );
}, MS);
afterAll(async () => {
  await quay?.[Symbol.asyncDispose]();
  await accounts?.[Symbol.asyncDispose]();
}, MS);

interface Pulled {
  readonly images: readonly { readonly status: string; readonly reason: string; readonly bytesMoved: number }[];
}

async function pull(name: string) {
  using cli = cliAt(accounts);
  return (
    await cli.run("images", "pull", `quay.io/${name}:1`, "--profile", "cicd", "--upstream", `quay.io=${quay.url}`, "--json")
  ).json<Pulled>().images[0];
}

const policyOf = (repositoryName: string) =>
  ecr.send(new GetRepositoryPolicyCommand({ repositoryName })).then(
    ({ policyText }) => policyText,
    (error: Error) => error.name,
  );
const imagesIn = async (repositoryName: string) => (await ecr.send(new DescribeImagesCommand({ repositoryName }))).imageDetails;

test(
  "nothing is written to a repository of somebody else that HealthOmics may not read, and the reason says what to do",
  async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: "quay/foreign/closed" }));
    expect(await pull("foreign/closed")).toMatchObject({
      status: "FAILED",
      bytesMoved: 0,
      reason: expect.stringMatching(
        /quay\/foreign\/closed, and it is not omx's: .*; let omics.amazonaws.com read it by a statement of its policy that no other denies, or tag it createdBy=omx-ecr-helper so that omx may do that$/,
      ),
    });
    expect([await imagesIn("quay/foreign/closed"), await policyOf("quay/foreign/closed")]).toEqual([
      [],
      "RepositoryPolicyNotFoundException",
    ]);
    const allowed = { Sid: "Theirs", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: READ };
    const policyText = JSON.stringify({ Version: "2012-10-17", Statement: [allowed, { ...allowed, Sid: "Shut", Effect: "Deny" }] });
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName: "quay/foreign/closed", policyText }));
    expect(await pull("foreign/closed")).toMatchObject({
      status: "FAILED",
      bytesMoved: 0,
      reason: expect.stringContaining("it is not omx's"),
    });
  },
  MS,
);

test(
  "one that HealthOmics may read serves, its policy as it was",
  async () => {
    await ecr.send(new CreateRepositoryCommand({ repositoryName: "quay/foreign/open" }));
    const policyText = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Sid: "Theirs", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: READ }],
    });
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName: "quay/foreign/open", policyText }));
    const before = await policyOf("quay/foreign/open");
    expect(await pull("foreign/open")).toMatchObject({ status: "PULLED" });
    expect(await policyOf("quay/foreign/open")).toBe(before);
  },
  MS,
);

test(
  "of omx's own a missing or changed statement is put right, and those of others stay",
  async () => {
    await pull("foreign/ours");
    const repositoryName = "quay/foreign/ours";
    const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: "arn:aws:iam::444455556666:root" }, Action: "ecr:BatchGetImage" };
    const wide = { Sid: "OmxHealthOmics", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: "ecr:*" };
    for (const Statement of [[theirs], [theirs, wide]]) {
      await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify({ Version: "2012-10-17", Statement }) }));
      await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "1" }] }));
      expect(await pull("foreign/ours")).toMatchObject({ status: "PULLED" });
      const { Statement: now } = JSON.parse((await policyOf(repositoryName)) ?? "") as {
        Statement: readonly { Sid: string; Action: unknown; Condition?: object }[];
      };
      expect(now).toEqual([
        theirs,
        expect.objectContaining({
          Sid: "OmxHealthOmics",
          Action: READ,
          Condition: expect.objectContaining({ StringEquals: { "aws:SourceAccount": "111122223333" } }),
        }),
      ]);
    }
  },
  MS,
);
