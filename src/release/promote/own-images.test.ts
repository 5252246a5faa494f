import { DescribeImagesCommand, DescribeRepositoriesCommand, GetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { awsClients } from "../../aws/clients.ts";
import { createRepository, hostOf, type RegistryUser, signIn } from "../../local/ecr/testing/registry.ts";
import { PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { digestOf } from "../../oci/digest.ts";
import { type Fault, faultProxy, type SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../../oci/testing/sample-images.ts";
import { describeEvent } from "../events.ts";
import { mergeOnce } from "../images/ensure-policies.ts";
import { accountStatement } from "../images/repository-policy.ts";
import type { RepositorySettings } from "../images/repository-settings.ts";
import { hasty, PLACE as CICD } from "../images/testing/image-lab.ts";
import type { ReleaseRecord } from "./bundle.ts";
import { copyToProduction } from "./own-images.ts";

// Accounts of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const PLACE = { account: PRODUCTION, region: REGION };

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

/** An image of the cicd account that production may read, as a release names it. */
async function released(repository: string, seed: string): Promise<ReleaseRecord["images"][number]> {
  const there = await cicd.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repository] })).catch(() => undefined);
  if (!there) await createRepository(cicd.ecr, repository);
  await mergeOnce(cicd.ecr, repository, [accountStatement(PLACE, "Production")]);
  const { digest } = await pushSample(cicd.repository(repository), seed, { layers: layersOf(seed) });
  return { image: `quay.io/${repository}:${seed}`, source: `quay.io/${repository}:${seed}`, target: `${hostOf(CICD.account)}/${repository}@${digest}`, digest };
}

const record = (images: ReleaseRecord["images"], version = "1.0.0"): ReleaseRecord => ({
  format: 1, workflow: "demo", version, commit: "c".repeat(40), branch: "main", pipelineExecutionId: "e", startedBy: "someone", engine: "WDL", main: "main.wdl", tags: {}, promote: "copy",
  cicd: { ...CICD, workflowId: "1234567", versionArn: "arn" }, images, tests: { summary: "1 of 1 tests passed", evidence: "s3://e" },
  approval: { by: "approver", at: "2026-01-01T00:00:00Z", comment: "good" }, handedOverAt: "2026-01-01T00:00:00Z", files: [],
});

/** Copies as the production account, whose registry fails as it is told until a line is said. */
async function copy(images: ReleaseRecord["images"], { version, fail, until, repositories }: { readonly version?: string; readonly repositories?: RepositorySettings; readonly fail?: (seen: SeenRequest) => Fault | undefined; readonly until?: RegExp } = {}) {
  const said: string[] = [];
  await using registry = await faultProxy(accounts.url, (seen) => (until && said.some((line) => until.test(line)) ? undefined : fail?.(seen)));
  const { endpoint: _endpoint, region, credentials } = accounts.config("production");
  const target = { region, credentials, endpoint: registry.url };
  const clients = awsClients(target);
  const copied = await copyToProduction({ clients, place: PLACE, cicd: CICD, target, clock: hasty, repositories, emit: (event) => said.push(describeEvent(event)) }, record(images, version)).catch((error: Error) => error);
  return { copied, said, uploads: registry.seen.filter(({ method, path }) => method !== "GET" && method !== "HEAD" && path.includes("/blobs/uploads/")), clients };
}

const tagsIn = async (repository: string): Promise<object> => {
  const { imageDetails = [] } = await awsClients(accounts.config("production")).ecr.send(new DescribeImagesCommand({ repositoryName: repository }));
  return Object.fromEntries(imageDetails.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]));
};

/** The digest of the layer that a request ends the upload of. */
const layer = ({ path }: SeenRequest): string | undefined => LAYERS.find((digest) => decodeURIComponent(path).endsWith(digest));

const short = (digest: string) => digest.slice("sha256:".length, "sha256:".length + 12);

test("two images of one repository each keep a tag of the release, one alone has the plain one", async () => {
  const [older, newer, alone] = [await released("bio/samtools", "1.17"), await released("bio/samtools", "1.21"), await released("bio/bwa", "0.7")];
  const { copied } = await copy([older, newer, alone]);
  expect(copied).toEqual([older, newer, alone].map((image) => ({ ...image, target: image.target.replace(CICD.account, PRODUCTION) })));
  expect(await tagsIn("bio/samtools")).toEqual({ [older.digest]: [`demo-1.0.0-${short(older.digest)}`], [newer.digest]: [`demo-1.0.0-${short(newer.digest)}`] });
  expect(await tagsIn("bio/bwa")).toEqual({ [alone.digest]: ["demo-1.0.0"] });
});

test("two names for one image are one copy, and a second release with the same images moves no layer", async () => {
  const image = await released("bio/fastp", "0.23");
  const both = [image, { ...image, image: "quay.io/bio/fastp:latest" }];
  const first = await copy(both);
  expect(first.copied).toHaveLength(2);
  expect(first.said.at(-1)).toMatch(/^ *1 images are in account 444455556666: [1-9]\d* bytes moved$/);
  expect(await tagsIn("bio/fastp")).toEqual({ [image.digest]: ["demo-1.0.0"] });
  const second = await copy(both, { version: "1.0.1" });
  // To send a configuration takes no longer than to ask for it.
  expect([first.uploads.map(layer).filter(Boolean).length, second.uploads.map(layer).filter(Boolean)]).toEqual([2, []]);
  expect(second.said.at(-1)).toMatch(/: \d{1,3} bytes moved$/);
  expect(await tagsIn("bio/fastp")).toEqual({ [image.digest]: expect.arrayContaining(["demo-1.0.0", "demo-1.0.1"]) as unknown });
});

test("a registry that is busy for long is asked again, and one that stays so is told as the reason", async () => {
  const image = await released("bio/busy", "1");
  const busy = ({ path }: SeenRequest): Fault | undefined => (path.includes(`/${PRODUCTION}/`) ? { kind: "answer", status: 503 } : undefined);
  const later = await copy([image], { fail: busy, until: /too busy for 1 image/ });
  expect(later.copied).toEqual([expect.objectContaining({ digest: image.digest })]);
  const api = ({ headers }: SeenRequest): Fault | undefined => (headers["x-amz-target"]?.includes("ListTagsForResource") ? { kind: "reset" } : undefined);
  expect((await copy([image], { fail: api, until: /too busy for 1 image/, version: "1.0.2" })).copied).toEqual(later.copied);
  const never = await copy([image], { fail: busy, version: "1.0.1" });
  expect(never.said.filter((line) => line.includes("too busy for 1 images; trying again in"))).toHaveLength(2);
  expect(never.copied).toMatchObject({ code: "ImagesFailed", details: [expect.stringMatching(/bio\/busy@sha256:.*: 444455556666\.dkr\.ecr\.us-east-1\.amazonaws\.com .*503/)] });
});

test("a repository of production's own is left alone, and told; the others are copied", async () => {
  const { ecr } = awsClients(accounts.config("production"));
  await createRepository(ecr, "bio/theirs");
  const [theirs, ours] = [await released("bio/theirs", "1"), await released("bio/ours", "1")];
  const { copied } = await copy([theirs, ours]);
  expect(copied).toMatchObject({ code: "ImagesFailed", message: expect.stringMatching(/^1 of 2 images could not be copied into account 444455556666\n.*HealthOmics may not read the repository bio\/theirs/) });
  expect([await tagsIn("bio/theirs"), await tagsIn("bio/ours")]).toEqual([{}, { [ours.digest]: ["demo-1.0.0"] }]);
  await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "bio/theirs" }))).rejects.toThrow("policy");
});

test("repositories that production's copies need are made with its key, not with that of the cicd account or of another region, and as its settings say", async () => {
  const { KeyMetadata } = await new KMSClient(accounts.config("production")).send(new CreateKeyCommand({}));
  const kmsKey = KeyMetadata!.Arn!;
  const { copied } = await copy([await released("tools/sealed", "1.0")], { repositories: { kmsKeys: [`arn:aws:kms:${REGION}:${CICD.account}:key/none`, `arn:aws:kms:eu-west-1:${PRODUCTION}:key/far`, kmsKey], immutableTags: true, scanOnPush: false } });
  expect(copied).toHaveLength(1);
  const { repositories } = await awsClients(accounts.config("production")).ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["tools/sealed"] }));
  expect(repositories).toMatchObject([{ encryptionConfiguration: { encryptionType: "KMS", kmsKey }, imageTagMutability: "IMMUTABLE", imageScanningConfiguration: { scanOnPush: false } }]);
});
