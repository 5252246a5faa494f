import {
  DeleteRepositoryPolicyCommand,
  DescribeRepositoriesCommand,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createRepository, signIn } from "../../local/ecr/testing/registry.ts";
import { PRODUCTION, REGION } from "../../local/testing/accounts.ts";
import { digestOf } from "../../oci/digest.ts";
import type { Fault, SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../../oci/testing/sample-images.ts";
import { PLACE as CICD } from "../images/testing/image-lab.ts";
import { CREATED_BY } from "../names.ts";
import { layersOf, openProductionLab, type ProductionLab } from "./testing/production-lab.ts";

const OURS = [{ Key: CREATED_BY.key, Value: CREATED_BY.value }];
const LAYERS = layersOf("0.23").map(digestOf);

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: ProductionLab;
beforeAll(async () => {
  lab = await openProductionLab();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** The digest of the layer that a request ends the upload of. */
const layer = ({ path }: SeenRequest): string | undefined => LAYERS.find((digest) => decodeURIComponent(path).endsWith(digest));

const short = (digest: string) => digest.slice("sha256:".length, "sha256:".length + 12);

test("two images of one repository each keep a tag of the release, one alone has the plain one", async () => {
  const [older, newer, alone] = [
    await lab.released("bio/samtools", "1.17"),
    await lab.released("bio/samtools", "1.21"),
    await lab.released("bio/bwa", "0.7"),
  ];
  const { copied } = await lab.copy([older, newer, alone]);
  expect(copied).toEqual([older, newer, alone].map((image) => ({ ...image, target: image.target.replace(CICD.account, PRODUCTION) })));
  expect(await lab.tagsIn("bio/samtools")).toEqual({
    [older.digest]: [`demo-1.0.0-${short(older.digest)}`],
    [newer.digest]: [`demo-1.0.0-${short(newer.digest)}`],
  });
  expect(await lab.tagsIn("bio/bwa")).toEqual({ [alone.digest]: ["demo-1.0.0"] });
});

test("two names for one image are one copy, and a second release with the same images moves no layer", async () => {
  const image = await lab.released("bio/fastp", "0.23");
  const both = [image, { ...image, image: "quay.io/bio/fastp:latest" }];
  const first = await lab.copy(both);
  expect(first.copied).toHaveLength(2);
  expect(first.said.at(-1)).toMatch(/^ *1 image is in account 444455556666: [1-9]\d* bytes moved$/);
  expect(await lab.tagsIn("bio/fastp")).toEqual({ [image.digest]: ["demo-1.0.0"] });
  const second = await lab.copy(both, { version: "1.0.1" });
  // To send a configuration takes no longer than to ask for it.
  expect([first.uploads.map(layer).filter(Boolean).length, second.uploads.map(layer).filter(Boolean)]).toEqual([2, []]);
  expect(second.said.at(-1)).toMatch(/: \d{1,3} bytes moved$/);
  expect(await lab.tagsIn("bio/fastp")).toEqual({ [image.digest]: expect.arrayContaining(["demo-1.0.0", "demo-1.0.1"]) as unknown });
});

test("a registry that is busy for long is asked again, and one that stays so is told as the reason", async () => {
  const image = await lab.released("bio/busy", "1");
  const busy = ({ path }: SeenRequest): Fault | undefined =>
    path.includes(`/${PRODUCTION}/`) ? { kind: "answer", status: 503 } : undefined;
  const later = await lab.copy([image], { fail: busy, until: /too busy for 1 image/ });
  expect(later.copied).toEqual([expect.objectContaining({ digest: image.digest })]);
  const api = ({ headers }: SeenRequest): Fault | undefined =>
    headers["x-amz-target"]?.includes("ListTagsForResource") ? { kind: "reset" } : undefined;
  expect((await lab.copy([image], { fail: api, until: /too busy for 1 image/, version: "1.0.2" })).copied).toEqual(later.copied);
  const never = await lab.copy([image], { fail: busy, version: "1.0.1" });
  expect(never.said.filter((line) => line.includes("too busy for 1 images; trying again in"))).toHaveLength(2);
  expect(never.copied).toMatchObject({
    code: "ImagesFailed",
    details: [expect.stringMatching(/bio\/busy@sha256:.*: 444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com .*503/)],
  });
});

test("a repository of production's own is left alone, and told; the others are copied", async () => {
  const { ecr } = lab.production;
  await createRepository(ecr, "bio/theirs");
  const [theirs, ours] = [await lab.released("bio/theirs", "1"), await lab.released("bio/ours", "1")];
  const { copied } = await lab.copy([theirs, ours]);
  expect(copied).toMatchObject({
    code: "ImagesFailed",
    message: expect.stringMatching(
      /^1 of 2 images could not be copied into account 444455556666\n.*HealthOmics may not read the repository bio\/theirs/,
    ),
  });
  expect([await lab.tagsIn("bio/theirs"), await lab.tagsIn("bio/ours")]).toEqual([{}, { [ours.digest]: ["demo-1.0.0"] }]);
  await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "bio/theirs" }))).rejects.toThrow("policy");
});

test("repositories that production's copies need are made with its key, not with that of the cicd account or of another region, and as its settings say", async () => {
  const { KeyMetadata } = await new KMSClient(lab.accounts.config("production")).send(new CreateKeyCommand({}));
  const kmsKey = KeyMetadata!.Arn!;
  const { copied } = await lab.copy([await lab.released("tools/sealed", "1.0")], {
    repositories: {
      kmsKeys: [`arn:aws:kms:${REGION}:${CICD.account}:key/none`, `arn:aws:kms:eu-west-1:${PRODUCTION}:key/far`, kmsKey],
      immutableTags: true,
      scanOnPush: false,
    },
  });
  expect(copied).toHaveLength(1);
  const { repositories } = await lab.production.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["tools/sealed"] }));
  expect(repositories).toMatchObject([
    {
      encryptionConfiguration: { encryptionType: "KMS", kmsKey },
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: false },
    },
  ]);
});

test("an image for several platforms arrives with all of them; what production has of it is not sent again", async () => {
  const { index, children, image } = await lab.releasedIndex("bio/platforms");
  const first = await lab.copy([image]);
  expect(first.copied).toEqual([expect.objectContaining({ digest: index.digest })]);
  expect(Object.keys(await lab.tagsIn("bio/platforms")).sort()).toEqual([index, ...children].map(({ digest }) => digest).sort());
  const partly = await lab.released("bio/partly", "1");
  const { ecr } = lab.production;
  await createRepository(ecr, "bio/partly", { tags: OURS });
  await using production = await signIn(lab.accounts, "production");
  await pushSample(production.repository("bio/partly", PRODUCTION), "before", { layers: [noise("in all of them", 50_000)] });
  const { copied, uploads } = await lab.copy([partly]);
  expect(copied).toEqual([expect.objectContaining({ digest: partly.digest })]);
  const sent = uploads.filter(({ path }) => path.includes("digest=")).map(({ path }) => decodeURIComponent(path).replace(/^.*digest=/, ""));
  expect(sent).toContain(digestOf(layersOf("1")[0]!));
  expect(sent).not.toContain(digestOf(noise("in all of them", 50_000)));
});

test("a tag of production that may not move stays, and the image is there by its digest, which is told", async () => {
  const image = await lab.released("bio/immutable", "1");
  await createRepository(lab.production.ecr, "bio/immutable", { imageTagMutability: "IMMUTABLE", tags: OURS });
  await using production = await signIn(lab.accounts, "production");
  const other = await pushSample(production.repository("bio/immutable", PRODUCTION), "demo-1.0.0", { layers: [noise("another", 500)] });
  const { copied, said } = await lab.copy([image]);
  expect(copied).toEqual([expect.objectContaining({ digest: image.digest })]);
  expect(await lab.tagsIn("bio/immutable")).toEqual({ [other.digest]: ["demo-1.0.0"], [image.digest]: undefined });
  expect(said.at(-2)).toMatch(
    /444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com\/bio\/immutable:demo-1\.0\.0 is another image, whose tag is immutable: the release's is there by its digest alone/,
  );
});

test("what production's account or the cicd account denies is told with the account, the repository and the action", async () => {
  const [image, { ecr }] = [await lab.released("bio/denied", "1"), lab.production];
  await createRepository(ecr, "bio/denied", { tags: OURS });
  const denied = async (action: string) => {
    await ecr.send(
      new SetRepositoryPolicyCommand({
        repositoryName: "bio/denied",
        policyText: JSON.stringify({ Version: "2012-10-17", Statement: [{ Sid: "No", Effect: "Deny", Principal: "*", Action: action }] }),
      }),
    );
    const { copied } = await lab.copy([image]);
    return { copied };
  };
  for (const action of ["ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:BatchGetImage"])
    expect((await denied(action)).copied).toMatchObject({
      code: "ImagesFailed",
      details: [
        expect.stringMatching(
          new RegExp(
            `not authorized to perform: ${action} on resource: arn:aws:ecr:us-east-1:444455556666:repository/bio/denied with an explicit deny`,
          ),
        ),
      ],
    });
  expect((await denied("ecr:BatchCheckLayerAvailability")).copied).toMatchObject({
    details: [
      expect.stringMatching(/444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com\/bio\/denied.*needs ecr:BatchCheckLayerAvailability/),
    ],
  });
  await ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "bio/denied" }));
  await lab.cicd.ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "bio/denied" }));
  const { copied } = await lab.copy([image]);
  expect(copied).toMatchObject({
    details: [
      expect.stringMatching(
        /not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:111122223333:repository\/bio\/denied .*the policy of that repository has to let account 444455556666 read: .*`omx release retry`/,
      ),
    ],
  });
});
