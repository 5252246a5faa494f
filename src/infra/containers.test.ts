import { CloudWatchLogsClient, DescribeLogStreamsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRepositoryCommand, DeleteRepositoryPolicyCommand, DescribeImagesCommand, ECRClient, GetAuthorizationTokenCommand, GetRepositoryPolicyCommand, ListTagsForResourceCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { gzipSync } from "node:zlib";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { pack } from "tar-stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runExecution } from "../aws/executions.ts";
import { parseAccountId } from "../kit/account-id.ts";
import { systemClock } from "../kit/clock.ts";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { ecrCredentials } from "../oci/client/credentials.ts";
import { registryClient, type RegistryClient, type Repository } from "../oci/client/registry-client.ts";
import { transportFor } from "../oci/client/transport.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import type { AwsClients } from "../aws/clients.ts";
import { type ImageOutcome, stageImages } from "../release/images/staging.ts";
import { deployContainers } from "./testing/deployed.ts";

const LAB = parseAccountId("777788889999");
const HOME = `${CICD}.dkr.ecr.${REGION}.amazonaws.com`;
const MIB = 1024 * 1024;
const DEPLOY_MS = 400_000;
const PATIENCE_MS = 300_000;

interface Ended {
  readonly status: string;
  readonly error: string;
  readonly cause: string;
  readonly images: readonly (ImageOutcome & { readonly log?: string })[];
}

let accounts: TestAccounts;
let upstream: DockerRegistry;
let proxy: FaultProxy;
let ecr: ECRClient;
let s3: S3Client;
let clients: RegistryClient;
let decide: (seen: SeenRequest, before: number) => Fault | undefined = () => undefined;

/** What quay.io has, in this test. */
const quay = (repository: string): Repository => clients.repository({ registry: upstream.host, repository });
const sample = (repository: string, tag: string, ...layers: readonly Buffer[]) => pushSample(quay(repository), tag, { layers });

async function run(machine: "puller" | "builder", manifest: readonly unknown[]): Promise<Ended> {
  const states = new SFNClient(accounts.config());
  const ended = await runExecution(states, { arn: `arn:aws:states:${REGION}:${CICD}:stateMachine:omx-container-${machine}`, name: crypto.randomUUID(), input: JSON.stringify({ manifest }), clock: systemClock });
  const { images } = JSON.parse(ended.status === "SUCCEEDED" ? ended.output : ended.cause.startsWith("{") ? ended.cause : '{"images":[]}') as { images: Ended["images"] };
  return { status: ended.status, error: ended.error, cause: ended.cause, images };
}

const policyOf = async (repositoryName: string) =>
  ecr.send(new GetRepositoryPolicyCommand({ repositoryName })).then(({ policyText = "" }) => JSON.parse(policyText) as { Statement: { Sid: string; Condition?: unknown }[] }, () => undefined);

/** The registry of any account as its administrator. */
function registryOf(profile: string, region = REGION): { readonly client: RegistryClient; readonly ecr: ECRClient } {
  const identity = accounts.accounts.core.directory.identities().find((one) => one.profile === profile)!;
  const own = new ECRClient({ ...accounts.config(), region, credentials: { accessKeyId: identity.accessKeyId, secretAccessKey: identity.secretAccessKey } });
  const token = async () => (await own.send(new GetAuthorizationTokenCommand({}))).authorizationData![0]!.authorizationToken!;
  return { ecr: own, client: registryClient({ transport: transportFor({ ecrEndpoint: accounts.url }), credentials: ecrCredentials(token) }) };
}

beforeAll(async () => {
  upstream = await startDockerRegistry();
  proxy = await faultProxy(upstream.url, (seen, before) => decide(seen, before));
  accounts = await startAccounts({ upstreams: { "quay.io": proxy.url, "us.gcr.io": upstream.url, "eu.gcr.io": upstream.url }, accounts: [{ id: CICD, name: "cicd" }, { id: PRODUCTION, name: "production" }, { id: LAB, name: "lab" }] });
  [ecr, s3, clients] = [new ECRClient(accounts.config()), new S3Client(accounts.config()), registryClient()];
  await deployContainers(accounts, { containers: { sourceAccounts: [PRODUCTION], builderSources: ["s3://declared-sources/images/"], functionLimitGiB: 1 / 1024 } });
}, DEPLOY_MS);
afterAll(async () => {
  await clients?.close();
  await accounts?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, DEPLOY_MS);

describe("the puller", () => {
  test("E20, E26, E28: brings images in with all that is known of each; again, nothing moves", async () => {
    const [shared, own] = [noise("shared", 9000), noise("own", 5000)];
    const { digest } = await sample("lab/tool", "1", shared);
    await sample("lab/tool", "2", shared, own);
    await sample("lab/other", "1", own);
    const manifest = ["quay.io/lab/tool:1", "quay.io/lab/tool:2", "docker://quay.io/lab/other:1"];
    const first = await run("puller", manifest);
    expect(first).toMatchObject({ status: "SUCCEEDED" });
    // Two of the images make the same repository at once.
    expect(first.images.map(({ source_uri, target_image, status }) => [source_uri, target_image, status])).toEqual(manifest.map((source) => [source, `${HOME}/${source.replace("docker://", "").replace("quay.io", "quay")}`, "SUCCEEDED"]));
    for (const image of first.images) {
      expect(image).toMatchObject({ digest: expect.stringMatching(/^sha256:/), reason: "the target did not have it", size: expect.any(Number), seconds: expect.any(Number) });
      expect(image.size!).toBeGreaterThan(5000);
      expect(image.bytes_moved! + image.bytes_saved!).toBeGreaterThan(5000);
    }
    expect(first.images[0]!.digest).toBe(digest);

    const again = await run("puller", manifest);
    expect(again.images.map(({ status, bytes_moved, reason }) => [status, bytes_moved, reason])).toEqual(manifest.map(() => ["SKIPPED", 0, "the target has the same digest"]));
    expect(again.images.map(({ bytes_saved, size }) => [bytes_saved, size])).toEqual(first.images.map(({ size }) => [size, size]));

    const { tags = [] } = await ecr.send(new ListTagsForResourceCommand({ resourceArn: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/lab/tool` }));
    expect(tags).toEqual(expect.arrayContaining([{ Key: "createdBy", Value: "omx-ecr-helper" }, { Key: "omx:source", Value: "quay.io/lab/tool" }]));
    expect((await policyOf("quay/lab/tool"))?.Statement).toEqual([expect.objectContaining({
      Sid: "OmxHealthOmics", Condition: { StringEquals: { "aws:SourceAccount": CICD }, ArnLike: { "aws:SourceArn": `arn:aws:omics:${REGION}:${CICD}:*` } },
    })]);
  }, PATIENCE_MS);

  test("E19: a tag that moved upstream is brought again, and told", async () => {
    const { digest: before } = await sample("lab/moving", "latest", noise("before", 4000));
    await run("puller", ["quay.io/lab/moving:latest"]);
    const { digest } = await sample("lab/moving", "latest", noise("after", 4000));
    expect((await run("puller", ["quay.io/lab/moving:latest"])).images).toEqual([expect.objectContaining({ status: "SUCCEEDED", digest, reason: `the tag moved from ${before}` })]);
  }, PATIENCE_MS);

  test("E10, E13: a tag is not moved from one source to another", async () => {
    await pushSample(clients.repository({ registry: upstream.host, repository: "two/tool" }), "1", { layers: [noise("us", 4000)] });
    const run1 = await run("puller", ["us.gcr.io/two/tool:1"]);
    expect(run1.images[0]).toMatchObject({ status: "SUCCEEDED" });
    await pushSample(clients.repository({ registry: upstream.host, repository: "two/tool" }), "1", { layers: [noise("eu", 4000)] });
    const { images } = await run("puller", ["eu.gcr.io/two/tool:1"]);
    expect(images[0]).toMatchObject({ status: "FAILED", reason: expect.stringMatching(/of us\.gcr\.io\/two\/tool, and this one is of eu\.gcr\.io\/two\/tool; give eu\.gcr\.io a namespace/) });
  }, PATIENCE_MS);

  test("E13b, E15: one image that fails fails the execution, after the others are there, with every result kept", async () => {
    await sample("lab/good", "1", noise("good", 4000));
    const manifest = ["quay.io/lab/good:1", "quay.io/lab/absent:1", "Not An Image", "us.gcr.io/p/x:1", "eu.gcr.io/p/x:1"];
    const ended = await run("puller", manifest);
    expect(ended).toMatchObject({ status: "FAILED", error: "ImagesFailed" });
    expect(ended.images.map(({ source_uri }) => source_uri)).toEqual(manifest);
    expect(ended.images.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED", "FAILED", "FAILED", "FAILED"]);
    const reasons = ended.images.map(({ reason }) => reason);
    expect(reasons[1]).toContain("quay.io does not have it");
    expect(reasons[2]).toContain("blank at position 4");
    expect(reasons[3]).toContain("would both become gcr/p/x:1");

    const staging = stageImages({ clients: { states: new SFNClient(accounts.config()) } as AwsClients, place: { account: CICD, region: REGION }, clock: systemClock, emit: () => undefined, identity: "test" }, { pulls: manifest, builds: [] });
    await expect(staging).rejects.toThrow(/4 of 5 images could not be brought into ECR[^]*quay\.io\/lab\/absent:1: .*does not have it/);
  }, PATIENCE_MS);

  test("more failures than a cause can hold are read from the history", async () => {
    const pulls = Array.from({ length: 120 }, (_, index) => `quay.io/lab/bad name number ${index} ${"x".repeat(120)}`);
    expect((await run("puller", pulls)).cause.length).toBeLessThan(32_768);
    const staging = stageImages({ clients: { states: new SFNClient(accounts.config()) } as AwsClients, place: { account: CICD, region: REGION }, clock: systemClock, emit: () => undefined, identity: "many" }, { pulls, builds: [] });
    await expect(staging).rejects.toThrow(/120 of 120[^]*number 119 [^]*blank at position/);
  }, PATIENCE_MS);

  test("E14, E23: a registry that throttles is asked again; one that refuses is not said to lack the image", async () => {
    await sample("lab/throttled", "1", noise("throttled", 4000));
    await sample("lab/denied", "1", noise("denied", 4000));
    decide = ({ path }, before) =>
      path.includes("lab/throttled/manifests") && before < 2 ? { kind: "answer", status: 429, headers: { "retry-after": "0" } }
        : path.includes("lab/denied/manifests") ? { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"not for you"}]}' } : undefined;
    const { images } = await run("puller", ["quay.io/lab/throttled:1", "quay.io/lab/denied:1"]);
    expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED"]);
    expect(images[1]!.reason).toMatch(/refuses access.*403 DENIED: not for you/);
  }, PATIENCE_MS);

  test("E18: an image too large for a function is copied by a build", async () => {
    const { digest } = await sample("lab/large", "1", noise("large", 2 * MIB), noise("small", 3000));
    const { images, status } = await run("puller", ["quay.io/lab/large:1"]);
    expect([status, images]).toEqual(["SUCCEEDED", [expect.objectContaining({ status: "SUCCEEDED", digest, build: expect.stringMatching(/^omx-image-pull:/), reason: "the target did not have it", bytes_moved: expect.any(Number) })]]);
    expect(images[0]!.bytes_moved!).toBeGreaterThan(2 * MIB);
    expect(images[0]!.size!).toBeGreaterThan(2 * MIB);
  }, PATIENCE_MS);

  test("E17: a build that fails ends with its last lines, and its log is kept", async () => {
    await sample("lab/broken", "1", noise("broken", 2 * MIB));
    decide = ({ path, method }) => (method === "GET" && path.includes("lab/broken/blobs") ? { kind: "flip" } : undefined);
    const { images, status } = await run("puller", ["quay.io/lab/broken:1"]);
    expect([status, images[0]!.status]).toEqual(["FAILED", "FAILED"]);
    expect(images[0]!.reason).toMatch(/the build omx-image-pull:\S+ ended FAILED:\n[^]*sent other bytes than promised/);
    const [group = "", stream = ""] = images[0]!.log!.split(":");
    const { logStreams } = await new CloudWatchLogsClient(accounts.config()).send(new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: stream }));
    expect(logStreams).toHaveLength(1);
  }, PATIENCE_MS);

  test("E29, E30: a missing policy is repaired although the image is there; others' statements stay", async () => {
    await sample("lab/repaired", "1", noise("repaired", 4000));
    await run("puller", ["quay.io/lab/repaired:1"]);
    const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` }, Action: "ecr:BatchGetImage" };
    await ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "quay/lab/repaired" }));
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName: "quay/lab/repaired", policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }) }));
    expect((await run("puller", ["quay.io/lab/repaired:1"])).images[0]).toMatchObject({ status: "SKIPPED" });
    expect((await policyOf("quay/lab/repaired"))?.Statement.map(({ Sid }) => Sid)).toEqual(["Theirs", "OmxHealthOmics"]);
  }, PATIENCE_MS);

  test("E27: somebody else's repository is left alone: used where HealthOmics may read it, refused with advice where not", async () => {
    const { client, ecr: admin } = registryOf("cicd");
      for (const repositoryName of ["closed", "open"]) {
      await admin.send(new CreateRepositoryCommand({ repositoryName }));
      await pushSample(client.repository({ registry: HOME, repository: repositoryName }), "1", { layers: [noise(repositoryName, 3000)] });
    }
    const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: ["ecr:Batch*", "ecr:GetDownloadUrlForLayer"] };
    await admin.send(new SetRepositoryPolicyCommand({ repositoryName: "open", policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }) }));
    const { images } = await run("puller", [`${HOME}/closed:1`, `${HOME}/open:1`]);
    expect(images.map(({ status }) => status)).toEqual(["FAILED", "SKIPPED"]);
    expect(images[0]!.reason).toContain("tag it createdBy=omx-ecr-helper");
    expect(await policyOf("closed")).toBeUndefined();
    expect((await policyOf("open"))?.Statement.map(({ Sid }) => Sid)).toEqual(["Theirs"]);
    await client.close();
  }, PATIENCE_MS);
});

test("E25: a repository that appears with our tag is opened by its event; any other is left alone", async () => {
  const create = (repositoryName: string, tags: { Key: string; Value: string }[]) => ecr.send(new CreateRepositoryCommand({ repositoryName, tags }));
  await create("appeared/theirs", [{ Key: "team", Value: "theirs" }]);
  await create("appeared/ours", [{ Key: "createdBy", Value: "omx-ecr-helper" }]);
  while (!(await policyOf("appeared/ours"))) await systemClock.sleep(100);
  expect((await policyOf("appeared/ours"))?.Statement.map(({ Sid }) => Sid)).toEqual(["OmxHealthOmics"]);
  expect(await policyOf("appeared/theirs")).toBeUndefined();
}, PATIENCE_MS);

describe("who may read from where", () => {
  const open = { Version: "2012-10-17", Statement: [{ Sid: "Cicd", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${CICD}:root` }, Action: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] }] };
  async function foreign(profile: string, account: string, region = REGION): Promise<string> {
    const { client, ecr: theirs } = registryOf(profile, region);
      const registry = `${account}.dkr.ecr.${region}.amazonaws.com`;
    await theirs.send(new CreateRepositoryCommand({ repositoryName: "theirs" }));
    if (account !== CICD) await theirs.send(new SetRepositoryPolicyCommand({ repositoryName: "theirs", policyText: JSON.stringify(open) }));
    await pushSample(client.repository({ registry, repository: "theirs" }), "1", { layers: [noise(`${account}${region}`, 3000)] });
    await client.close();
    return `${registry}/theirs:1`;
  }

  test("a declared account's images come in; an undeclared account's and another region's are denied by policy", async () => {
    const manifest = [await foreign("production", PRODUCTION), await foreign("lab", LAB), await foreign("production", PRODUCTION, "eu-west-1")];
    const { images } = await run("puller", manifest);
    expect(images.map(({ status, target_image }) => [status, target_image])).toEqual([
      ["SUCCEEDED", `${HOME}/ecr/${PRODUCTION}/${REGION}/theirs:1`], ["FAILED", `${HOME}/ecr/${LAB}/${REGION}/theirs:1`], ["FAILED", `${HOME}/ecr/${PRODUCTION}/eu-west-1/theirs:1`],
    ]);
    for (const { reason } of images.slice(1)) expect(reason).toMatch(/refuses access.*not authorized to perform: ecr:BatchGetImage on resource: .*theirs because no identity-based policy allows/);
  }, PATIENCE_MS);

  test("other regions come in where crossRegion is declared, from declared accounts alone", async () => {
    await using other = await startAccounts({ accounts: [{ id: CICD, name: "cicd" }, { id: PRODUCTION, name: "production" }, { id: LAB, name: "lab" }] });
    const before = accounts;
    try {
      accounts = other;
      await deployContainers(other, { containers: { sourceAccounts: [PRODUCTION], crossRegion: true } });
      const manifest = [await foreign("production", PRODUCTION, "eu-west-1"), await foreign("cicd", CICD, "eu-west-1"), await foreign("lab", LAB, "eu-west-1")];
      expect((await run("puller", manifest)).images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED", "FAILED"]);
    } finally {
      accounts = before;
    }
  }, PATIENCE_MS);

  test("the builder reads the declared prefix of a bucket, and no other prefix or bucket", async () => {
    const body = zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\n") });
    for (const [Bucket, Key] of [["declared-sources", "images/tool.zip"], ["declared-sources", "secret/tool.zip"], ["undeclared-sources", "images/tool.zip"]] as const) {
      await s3.send(new CreateBucketCommand({ Bucket })).catch(() => undefined);
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
    }
    const uris = ["s3://declared-sources/images/tool.zip", "s3://declared-sources/secret/tool.zip", "s3://declared-sources/secret/", "s3://undeclared-sources/images/tool.zip", "s3://undeclared-sources/images/"];
    const { images } = await run("builder", uris.map((source_uri, index) => ({ source_uri, target_image: `declared/${index}:1` })));
    expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED", "FAILED", "FAILED", "FAILED"]);
    for (const { reason } of images.slice(1)) expect(reason).toMatch(/AccessDenied|not authorized/);
  }, PATIENCE_MS);
});

describe("the builder", () => {
  const DOCKERFILE = "FROM scratch\nARG WHO=nobody\nENV WHO=$WHO\nCOPY greeting.txt /\n";
  const put = async (key: string, Body: Uint8Array | string): Promise<string> => {
    await s3.send(new CreateBucketCommand({ Bucket: "declared-sources" })).catch(() => undefined);
    await s3.send(new PutObjectCommand({ Bucket: "declared-sources", Key: `images/${key}`, Body }));
    return `s3://declared-sources/images/${key}`;
  };
  async function tarGz(files: readonly { readonly name: string; readonly text?: string; readonly type?: "symlink"; readonly linkname?: string }[]): Promise<Buffer> {
    const tar = pack();
    for (const { name, text = "", type, linkname } of files) tar.entry({ name, ...(type && { type, linkname: linkname ?? "" }) }, text);
    tar.finalize();
    return gzipSync(await buffer(tar));
  }

  test("E38, E39, E40: builds from a folder, a ZIP and a tarball: the same source is the same image, and built once", async () => {
    const greeting = "hello\n";
    await put("folder/Dockerfile", DOCKERFILE);
    const folder = (await put("folder/greeting.txt", greeting)).replace("greeting.txt", "");
    const zip = await put("tool.zip", zipSync({ Dockerfile: Buffer.from(DOCKERFILE), "greeting.txt": Buffer.from(greeting) }));
    const tar = await put("tool.tar.gz", await tarGz([{ name: "Dockerfile", text: DOCKERFILE }, { name: "greeting.txt", text: greeting }]));
    const item = (source_uri: string) => ({ source_uri, target_image: "built/greeting:omics" });
    const [first] = (await run("builder", [item(folder)])).images;
    expect(first).toMatchObject({ status: "SUCCEEDED", target_image: `${HOME}/built/greeting:omics`, reason: "built", size: expect.any(Number) });
    for (const same of [item(zip), item(tar)]) expect((await run("builder", [same])).images[0]).toMatchObject({ status: "SKIPPED", digest: first!.digest, reason: "the source is unchanged" });
    const [forced] = (await run("builder", [{ ...item(zip), force: true }])).images;
    expect(forced).toMatchObject({ digest: first!.digest, reason: "the same image is there" });
    const [changed] = (await run("builder", [{ ...item(zip), buildArgs: { WHO: "somebody" } }])).images;
    expect(changed).toMatchObject({ status: "SUCCEEDED", reason: "built" });
    expect(changed!.digest).not.toBe(first!.digest);
    expect((await policyOf("built/greeting"))?.Statement).toHaveLength(1);
  }, PATIENCE_MS);

  test("E40: a stage, another Dockerfile and platforms can be asked for", async () => {
    const text = "FROM scratch AS small\nCOPY greeting.txt /\nFROM small\nCOPY Containerfile /\n";
    const source_uri = await put("stages.zip", zipSync({ Containerfile: Buffer.from(text), "greeting.txt": Buffer.from("hi") }));
    const item = { source_uri, dockerfile: "Containerfile", target: "small" };
    const { images } = await run("builder", [{ ...item, target_image: "built/stage:1" }, { ...item, target_image: "built/both:1", platforms: ["linux/amd64", "linux/arm64"], commit: "abc123", source: "lab/tools" }]);
    expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED"]);
    expect(images[1]!.reason).toBe("built for 2 platforms");
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName: "built/both", imageIds: [{ imageTag: "1" }] }));
    expect(imageDetails?.[0]?.imageManifestMediaType).toBe("application/vnd.oci.image.index.v1+json");
    expect((await run("builder", [{ ...item, target_image: "built/both:1", platforms: ["linux/amd64", "linux/arm64"] }])).images[0]).toMatchObject({ status: "SKIPPED" });
  }, PATIENCE_MS);

  test("E36: a source that would leave its folder, has links, is empty or no archive is refused; the others are built", async () => {
    const dockerfile = { name: "Dockerfile", text: "FROM scratch\nCOPY Dockerfile /\n" };
    const slip = zipSync({ Dockerfile: Buffer.from(dockerfile.text), "../../evil": Buffer.from("x") });
    const bomb = Buffer.from(zipSync({ Dockerfile: Buffer.from(dockerfile.text) }));
    // The unpacked size of the first entry, in the archive's directory: 3 GiB.
    bomb.writeUInt32LE(0xc0000000, bomb.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 24);
    const manifest = [
      { source_uri: await put("bomb.zip", bomb), target_image: "bad/bomb:1" },
      { source_uri: await put("slip.zip", slip), target_image: "bad/slip:1" },
      { source_uri: await put("slip.tar.gz", await tarGz([dockerfile, { name: "../evil", text: "x" }])), target_image: "bad/tar:1" },
      { source_uri: await put("link.tgz", await tarGz([dockerfile, { name: "etc", type: "symlink", linkname: "/etc" }])), target_image: "bad/link:1" },
      { source_uri: await put("broken.zip", "no archive"), target_image: "bad/broken:1" },
      { source_uri: await put("broken.tar.gz", "no archive"), target_image: "bad/gzip:1" },
      { source_uri: "s3://declared-sources/images/nothing/", target_image: "bad/nothing:1" },
      { source_uri: "https://example.com/x.zip", target_image: "bad/uri:1" },
      { source_uri: "s3://declared-sources/images/good.zip", target_image: "quay.io/bad/registry:1" },
      { source_uri: await put("good.zip", zipSync({ Dockerfile: Buffer.from(dockerfile.text) })), target_image: "bad/good:1", dockerFile: "x" },
      { source_uri: await put("good.zip", zipSync({ Dockerfile: Buffer.from(dockerfile.text) })), target_image: "bad/good:1" },
    ];
    const { images } = await run("builder", manifest);
    expect(images.map(({ status }) => status)).toEqual([...Array.from({ length: 10 }, () => "FAILED"), "SUCCEEDED"]);
    const reasons = images.map(({ reason }) => reason);
    const expected = [/more than 2 GiB/, /evil|relative path/, /would leave the folder/, /etc is a symlink/, /can't be built/, /can't be built/, /nothing lies there/, /s3:\/\/bucket\/prefix/, /write quay.io\/bad\/registry:1 without quay.io/, /dockerFile/];
    expected.forEach((pattern, index) => expect(reasons[index]).toMatch(pattern));
  }, PATIENCE_MS);

  test("E37: a RUN that fails, or an engine that is not there, ends with the build's last lines", async () => {
    const source_uri = await put("run.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n") }));
    const { images, status } = await run("builder", [{ source_uri, target_image: "bad/run:1" }]);
    expect([status, images[0]!.status]).toEqual(["FAILED", "FAILED"]);
    expect(images[0]!.reason).toMatch(/the build omx-image-build:\S+ ended FAILED:\n[^]*docker/);
    expect(images[0]!.log).toMatch(/^\/aws\/codebuild\/omx-image-build:/);
  }, PATIENCE_MS);
});
