import {
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetRepositoryPolicyCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { awsClients } from "../../aws/clients.ts";
import type { Repository } from "../../oci/client/registry-client.ts";
import { createRepository, hostOf, type RegistryUser, signIn } from "../../local/ecr/testing/registry.ts";
import { PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { digestOf } from "../../oci/digest.ts";
import { type Fault, faultProxy, type SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { findReferrers } from "../../oci/copy/referrers.ts";
import { noise, pushIndex, pushReferrer, pushSample } from "../../oci/testing/sample-images.ts";
import { describeEvent, type ReleaseEvent } from "../events.ts";
import { mergeOnce } from "../images/repositories/ensure-policies.ts";
import { accountStatement } from "../images/repositories/repository-policy.ts";
import type { RepositorySettings } from "../images/repositories/repository-settings.ts";
import { hasty, PLACE as CICD } from "../images/testing/image-lab.ts";
import { CREATED_BY } from "../names.ts";
import type { ReleaseRecord } from "./bundle.ts";
import { copyToProduction } from "./own-images.ts";
import { promoteReferrers, summarizeReferrers } from "./referrers.ts";

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const PLACE = { account: PRODUCTION, region: REGION };

const OURS = [{ Key: CREATED_BY.key, Value: CREATED_BY.value }];
const layersOf = (seed: string) => [noise(seed, 20_000), noise("in all of them", 50_000)];
const LAYERS = layersOf("0.23").map(digestOf);

let accounts: TestAccounts;
let cicd: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  cicd = await signIn(accounts);
});
afterAll(async () => {
  await cicd[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

/** A repository of the cicd account that production may read. */
async function opened(repository: string): Promise<Repository> {
  const there = await cicd.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repository] })).catch(() => undefined);
  if (!there) await createRepository(cicd.ecr, repository);
  await mergeOnce(cicd.ecr, repository, [accountStatement(PLACE, "Production")]);
  return cicd.repository(repository);
}

const named = (repository: string, tag: string, digest: string): ReleaseRecord["images"][number] => ({
  image: `quay.io/${repository}:${tag}`,
  source: `quay.io/${repository}:${tag}`,
  target: `${hostOf(CICD.account)}/${repository}@${digest}`,
  digest,
});

/** An image of the cicd account that production may read, as a release names it. */
async function released(repository: string, seed: string): Promise<ReleaseRecord["images"][number]> {
  const { digest } = await pushSample(await opened(repository), seed, { layers: layersOf(seed) });
  return named(repository, seed, digest);
}

/** An image for two platforms, with its descriptors: the index and both images. */
async function releasedIndex(repository: string) {
  const at = await opened(repository);
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

interface Copying {
  readonly version?: string;
  readonly promote?: ReleaseRecord["promote"];
  readonly repositories?: RepositorySettings;
  readonly fail?: (seen: SeenRequest) => Fault | undefined;
  readonly until?: RegExp;
}

/** Copies as the production account, whose registry fails as it is told until a line is said; then what refers to what it has. */
async function copy(images: ReleaseRecord["images"], { version, promote = "copy", fail, until, repositories }: Copying = {}) {
  const said: string[] = [];
  await using registry = await faultProxy(accounts.url, (seen) =>
    until && said.some((line) => until.test(line)) ? undefined : fail?.(seen),
  );
  const { endpoint: _endpoint, region, credentials } = accounts.config("production");
  const target = { region, credentials, endpoint: registry.url };
  const clients = awsClients(target);
  const env = {
    clients,
    place: PLACE,
    cicd: CICD,
    target,
    clock: hasty,
    repositories,
    emit: (event: ReleaseEvent) => void said.push(describeEvent(event)),
  };
  const release = { ...record(images, version), promote };
  const copied = promote === "share" ? images : await copyToProduction(env, release).catch((error: Error) => error);
  const copiedSaid = [...said];
  const referrers = copied instanceof Error ? [] : await promoteReferrers(env, release, copied);
  return {
    copied,
    said: copiedSaid,
    toldOfReferrers: said.slice(copiedSaid.length).map((line) => line.trim()),
    referrers,
    uploads: registry.seen.filter(({ method, path }) => method !== "GET" && method !== "HEAD" && path.includes("/blobs/uploads/")),
    clients,
  };
}

const tagsIn = async (repository: string): Promise<object> => {
  const { imageDetails = [] } = await awsClients(accounts.config("production")).ecr.send(
    new DescribeImagesCommand({ repositoryName: repository }),
  );
  return Object.fromEntries(imageDetails.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]));
};

/** The digest of the layer that a request ends the upload of. */
const layer = ({ path }: SeenRequest): string | undefined => LAYERS.find((digest) => decodeURIComponent(path).endsWith(digest));

const short = (digest: string) => digest.slice("sha256:".length, "sha256:".length + 12);

test("two images of one repository each keep a tag of the release, one alone has the plain one", async () => {
  const [older, newer, alone] = [
    await released("bio/samtools", "1.17"),
    await released("bio/samtools", "1.21"),
    await released("bio/bwa", "0.7"),
  ];
  const { copied } = await copy([older, newer, alone]);
  expect(copied).toEqual([older, newer, alone].map((image) => ({ ...image, target: image.target.replace(CICD.account, PRODUCTION) })));
  expect(await tagsIn("bio/samtools")).toEqual({
    [older.digest]: [`demo-1.0.0-${short(older.digest)}`],
    [newer.digest]: [`demo-1.0.0-${short(newer.digest)}`],
  });
  expect(await tagsIn("bio/bwa")).toEqual({ [alone.digest]: ["demo-1.0.0"] });
});

test("two names for one image are one copy, and a second release with the same images moves no layer", async () => {
  const image = await released("bio/fastp", "0.23");
  const both = [image, { ...image, image: "quay.io/bio/fastp:latest" }];
  const first = await copy(both);
  expect(first.copied).toHaveLength(2);
  expect(first.said.at(-1)).toMatch(/^ *1 image is in account 444455556666: [1-9]\d* bytes moved$/);
  expect(await tagsIn("bio/fastp")).toEqual({ [image.digest]: ["demo-1.0.0"] });
  const second = await copy(both, { version: "1.0.1" });
  // To send a configuration takes no longer than to ask for it.
  expect([first.uploads.map(layer).filter(Boolean).length, second.uploads.map(layer).filter(Boolean)]).toEqual([2, []]);
  expect(second.said.at(-1)).toMatch(/: \d{1,3} bytes moved$/);
  expect(await tagsIn("bio/fastp")).toEqual({ [image.digest]: expect.arrayContaining(["demo-1.0.0", "demo-1.0.1"]) as unknown });
});

test("a registry that is busy for long is asked again, and one that stays so is told as the reason", async () => {
  const image = await released("bio/busy", "1");
  const busy = ({ path }: SeenRequest): Fault | undefined =>
    path.includes(`/${PRODUCTION}/`) ? { kind: "answer", status: 503 } : undefined;
  const later = await copy([image], { fail: busy, until: /too busy for 1 image/ });
  expect(later.copied).toEqual([expect.objectContaining({ digest: image.digest })]);
  const api = ({ headers }: SeenRequest): Fault | undefined =>
    headers["x-amz-target"]?.includes("ListTagsForResource") ? { kind: "reset" } : undefined;
  expect((await copy([image], { fail: api, until: /too busy for 1 image/, version: "1.0.2" })).copied).toEqual(later.copied);
  const never = await copy([image], { fail: busy, version: "1.0.1" });
  expect(never.said.filter((line) => line.includes("too busy for 1 images; trying again in"))).toHaveLength(2);
  expect(never.copied).toMatchObject({
    code: "ImagesFailed",
    details: [expect.stringMatching(/bio\/busy@sha256:.*: 444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com .*503/)],
  });
});

test("a repository of production's own is left alone, and told; the others are copied", async () => {
  const { ecr } = awsClients(accounts.config("production"));
  await createRepository(ecr, "bio/theirs");
  const [theirs, ours] = [await released("bio/theirs", "1"), await released("bio/ours", "1")];
  const { copied } = await copy([theirs, ours]);
  expect(copied).toMatchObject({
    code: "ImagesFailed",
    message: expect.stringMatching(
      /^1 of 2 images could not be copied into account 444455556666\n.*HealthOmics may not read the repository bio\/theirs/,
    ),
  });
  expect([await tagsIn("bio/theirs"), await tagsIn("bio/ours")]).toEqual([{}, { [ours.digest]: ["demo-1.0.0"] }]);
  await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "bio/theirs" }))).rejects.toThrow("policy");
});

test("repositories that production's copies need are made with its key, not with that of the cicd account or of another region, and as its settings say", async () => {
  const { KeyMetadata } = await new KMSClient(accounts.config("production")).send(new CreateKeyCommand({}));
  const kmsKey = KeyMetadata!.Arn!;
  const { copied } = await copy([await released("tools/sealed", "1.0")], {
    repositories: {
      kmsKeys: [`arn:aws:kms:${REGION}:${CICD.account}:key/none`, `arn:aws:kms:eu-west-1:${PRODUCTION}:key/far`, kmsKey],
      immutableTags: true,
      scanOnPush: false,
    },
  });
  expect(copied).toHaveLength(1);
  const { repositories } = await awsClients(accounts.config("production")).ecr.send(
    new DescribeRepositoriesCommand({ repositoryNames: ["tools/sealed"] }),
  );
  expect(repositories).toMatchObject([
    {
      encryptionConfiguration: { encryptionType: "KMS", kmsKey },
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: false },
    },
  ]);
});

test("an image for several platforms arrives with all of them; what production has of it is not sent again", async () => {
  const { index, children, image } = await releasedIndex("bio/platforms");
  const first = await copy([image]);
  expect(first.copied).toEqual([expect.objectContaining({ digest: index.digest })]);
  expect(Object.keys(await tagsIn("bio/platforms")).sort()).toEqual([index, ...children].map(({ digest }) => digest).sort());
  const partly = await released("bio/partly", "1");
  const { ecr } = awsClients(accounts.config("production"));
  await createRepository(ecr, "bio/partly", { tags: OURS });
  await using production = await signIn(accounts, "production");
  await pushSample(production.repository("bio/partly", PRODUCTION), "before", { layers: [noise("in all of them", 50_000)] });
  const { copied, uploads } = await copy([partly]);
  expect(copied).toEqual([expect.objectContaining({ digest: partly.digest })]);
  const sent = uploads.filter(({ path }) => path.includes("digest=")).map(({ path }) => decodeURIComponent(path).replace(/^.*digest=/, ""));
  expect(sent).toContain(digestOf(layersOf("1")[0]!));
  expect(sent).not.toContain(digestOf(noise("in all of them", 50_000)));
});

test("a tag of production that may not move stays, and the image is there by its digest, which is told", async () => {
  const image = await released("bio/immutable", "1");
  await createRepository(awsClients(accounts.config("production")).ecr, "bio/immutable", { imageTagMutability: "IMMUTABLE", tags: OURS });
  await using production = await signIn(accounts, "production");
  const other = await pushSample(production.repository("bio/immutable", PRODUCTION), "demo-1.0.0", { layers: [noise("another", 500)] });
  const { copied, said } = await copy([image]);
  expect(copied).toEqual([expect.objectContaining({ digest: image.digest })]);
  expect(await tagsIn("bio/immutable")).toEqual({ [other.digest]: ["demo-1.0.0"], [image.digest]: undefined });
  expect(said.at(-2)).toMatch(
    /444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com\/bio\/immutable:demo-1\.0\.0 is another image, whose tag is immutable: the release's is there by its digest alone/,
  );
});

test("what production's account or the cicd account denies is told with the account, the repository and the action", async () => {
  const [image, { ecr }] = [await released("bio/denied", "1"), awsClients(accounts.config("production"))];
  await createRepository(ecr, "bio/denied", { tags: OURS });
  const denied = async (action: string) => {
    await ecr.send(
      new SetRepositoryPolicyCommand({
        repositoryName: "bio/denied",
        policyText: JSON.stringify({ Version: "2012-10-17", Statement: [{ Sid: "No", Effect: "Deny", Principal: "*", Action: action }] }),
      }),
    );
    const { copied } = await copy([image]);
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
  await cicd.ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "bio/denied" }));
  const { copied } = await copy([image]);
  expect(copied).toMatchObject({
    details: [
      expect.stringMatching(
        /not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:111122223333:repository\/bio\/denied .*the policy of that repository has to let account 444455556666 read: .*`omx release retry`/,
      ),
    ],
  });
});

test("signatures, SBOMs and attestations come with a copy: by the API, the fallback tag and cosign's tags, of platforms and of each other", async () => {
  const { at, index, children, image } = await releasedIndex("bio/signed");
  const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("sbom", 3000) });
  const ofSbom = await pushReferrer(at, sbom, {
    artifactType: "application/vnd.cncf.notary.signature",
    content: noise("of the sbom", 300),
  });
  // Whoever looks goes on to the end.
  const further = [ofSbom];
  for (const depth of [3, 4, 5])
    further.push(
      await pushReferrer(at, further.at(-1)!, {
        artifactType: "application/vnd.cncf.notary.signature",
        content: noise(`of the one before ${depth}`, 300),
      }),
    );
  const ofPlatform = await pushSample(at, `${children[0]!.digest.replace(":", "-")}.sig`, { layers: [noise("signature", 200)] });
  const listedByTag = await pushSample(at, "", { layers: [noise("listed by tag", 200)] });
  await pushIndex(at, children[1]!.digest.replace(":", "-"), [listedByTag]);
  const wanted = [sbom, ...further, ofPlatform, listedByTag].map(({ digest }) => digest).sort();
  const first = await copy([image]);
  expect(first.referrers[0]!.referrers.map(({ digest }) => digest).sort()).toEqual(wanted);
  expect(first.toldOfReferrers).toEqual([expect.stringContaining(`application/vnd.cncf.notary.signature ${ofSbom.digest}`)]);
  expect(summarizeReferrers(first.referrers)).toBe("; with its images are 7 signatures, SBOMs and attestations");
  await using production = await signIn(accounts, "production");
  const there = await findReferrers(production.repository("bio/signed", PRODUCTION), index.digest);
  expect(there.map(({ digest, subject, tag }) => ({ digest, subject, tag }))).toEqual(
    (await findReferrers(at, index.digest)).map(({ digest, subject, tag }) => ({ digest, subject, tag })),
  );
  expect(there.map(({ digest }) => digest).sort()).toEqual(wanted);
  const again = await copy([image]);
  expect([again.referrers, again.uploads]).toEqual([first.referrers, []]);
});

test("where production reads the cicd account's images, it is said which signatures it can read there, and which are gone", async () => {
  const { at, index, image } = await releasedIndex("bio/shared");
  const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("shared sbom", 300) });
  expect((await copy([image], { promote: "share" })).referrers).toEqual([
    { image: image.target, referrers: [{ digest: sbom.digest, type: "application/spdx+json", subject: index.digest }] },
  ]);
  const lacking = await copy([image], {
    promote: "share",
    fail: ({ path }) => (path.endsWith(`/manifests/${sbom.digest}`) ? { kind: "answer", status: 404 } : undefined),
  });
  expect([lacking.copied, lacking.referrers]).toEqual([
    [image],
    [{ image: image.target, referrers: [], problem: expect.stringContaining(`has a referrer ${sbom.digest}`) as string }],
  ]);
  expect(summarizeReferrers(lacking.referrers)).toMatch(/^; what refers to .*bio\/shared@sha256:[0-9a-f]{64} is not all there: /);
});

test("a registry that does not tell of referrers fails no release, and that is told; one without the API is asked by the tag", async () => {
  const { at, index, image } = await releasedIndex("bio/untold");
  const sbom = await pushReferrer(at, index, { artifactType: "application/spdx+json", content: noise("untold", 300) });
  const to =
    (status: number) =>
    ({ path }: SeenRequest): Fault | undefined =>
      path.includes("/referrers/") ? { kind: "answer", status } : undefined;
  const refused = await copy([image], { fail: to(403) });
  expect([refused.copied, refused.referrers]).toEqual([
    [expect.objectContaining({ digest: image.digest })],
    [expect.objectContaining({ referrers: [], problem: expect.stringMatching(/refuses access \(list .*referrers/) as string })],
  ]);
  expect(refused.toldOfReferrers).toEqual([
    expect.stringMatching(/bio\/untold@sha256:.*: what refers to it is not all there, and the release goes on: /),
  ]);
  expect((await copy([image], { fail: to(404) })).referrers).toEqual([]);
  await pushIndex(at, index.digest.replace(":", "-"), [sbom]);
  expect((await copy([image], { fail: to(404) })).referrers).toEqual([
    expect.objectContaining({ referrers: [expect.objectContaining({ digest: sbom.digest })] }),
  ]);
});
