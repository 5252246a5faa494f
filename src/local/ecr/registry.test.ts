import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { BatchGetImageCommand, DescribeImagesCommand, PutImageTagMutabilityCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parseImageRef } from "../../kit/image-ref.ts";
import { copyImages } from "../../oci/copy.ts";
import { digestOf } from "../../oci/digest.ts";
import { fileOf } from "../../oci/image/tar-writer.ts";
import { writeLayer } from "../../oci/image/layer.ts";
import { imageOf, pushImage } from "../../oci/image/built-image.ts";
import { systemRandom } from "../../kit/random.ts";
import { memoryBlob, noise, pushIndex, pushSample } from "../../oci/testing/sample-images.ts";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { createRepository, hostOf, signIn, skopeoCopy, type RegistryUser } from "./testing/registry.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let accounts: TestAccounts;
let cicd: RegistryUser;
let production: RegistryUser;
let folder: string;
beforeAll(async () => {
  accounts = await startAccounts();
  [cicd, production] = await Promise.all([signIn(accounts, "cicd"), signIn(accounts, "production")]);
  folder = mkdtempSync(join(tmpdir(), "omx-registry-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([cicd[Symbol.asyncDispose](), production[Symbol.asyncDispose]()]);
  await accounts[Symbol.asyncDispose]();
});

const sample = (seed: string) => ({ layers: [noise(`${seed}-1`, 50_000), noise(`${seed}-2`, 70_000)] });

test("an image assembled in memory is copied to two repositories, its layer sent once", async () => {
  for (const name of ["built/one", "built/two", "built/three"]) await createRepository(cicd.ecr, name);
  const layer = await writeLayer([fileOf("data.bin", randomBytes(2_000_000))], { folder, random: systemRandom });
  const image = imageOf({ platform: { os: "linux", architecture: "amd64" }, config: {}, history: [], layers: [layer] });
  await pushImage(cicd.repository("built/one"), "1.0", image);
  const to = (name: string) => ({
    source: parseImageRef(`${hostOf(CICD)}/built/one:1.0`),
    target: parseImageRef(`${hostOf(CICD)}/${name}:1.0`),
  });
  const results = await copyImages([to("built/two"), to("built/three")], { sourceClient: cicd.client, targetClient: cicd.client });
  for (const result of results) expect(result).toMatchObject({ status: "PULLED", digest: image.digest });
  expect(results.reduce((sum, { bytesMoved }) => sum + bytesMoved, 0)).toBeLessThan(1.1 * image.sizeBytes);
  const { images } = await cicd.ecr.send(new BatchGetImageCommand({ repositoryName: "built/three", imageIds: [{ imageTag: "1.0" }] }));
  expect(digestOf(images![0]!.imageManifest!)).toBe(image.digest);
});

test("an index of two platforms arrives whole", async () => {
  for (const name of ["index/one", "index/two"]) await createRepository(cicd.ecr, name);
  const from = cicd.repository("index/one");
  const manifests = [
    await pushSample(from, "", sample("amd")),
    await pushSample(from, "", { ...sample("arm"), platform: { os: "linux", architecture: "arm64" } }),
  ];
  const index = await pushIndex(from, "both", manifests);
  const [result] = await copyImages(
    [{ source: parseImageRef(`${hostOf(CICD)}/index/one:both`), target: parseImageRef(`${hostOf(CICD)}/index/two:both`) }],
    { sourceClient: cicd.client, targetClient: cicd.client },
  );
  expect(result).toMatchObject({ status: "PULLED", digest: index.digest });
  const { imageDetails } = await cicd.ecr.send(new DescribeImagesCommand({ repositoryName: "index/two" }));
  expect(imageDetails).toHaveLength(3);
});

test("skopeo copies in, between and out", async () => {
  for (const name of ["skopeo/one", "skopeo/two"]) await createRepository(cicd.ecr, name);
  const pushed = await pushSample(cicd.repository("skopeo/one"), "v1", sample("skopeo"));
  const { host } = new URL(accounts.url);
  const address = (name: string) => `docker://${host}/${CICD}/${REGION}/${name}`;
  const login = `AWS:${cicd.password}`;
  const skopeo = (...args: readonly string[]) => skopeoCopy(folder, ...args);
  const both = ["--src-tls-verify=false", "--src-creds", login, "--dest-tls-verify=false", "--dest-creds", login];
  await skopeo(...both, `${address("skopeo/one")}:v1`, `${address("skopeo/two")}:v2`);
  expect((await cicd.repository("skopeo/two").headManifest("v2"))?.digest).toBe(pushed.digest);
  await skopeo(...both.slice(0, 3), `${address("skopeo/two")}:v2`, `dir:${join(folder, "out")}`);
  await createRepository(cicd.ecr, "skopeo/three");
  await skopeo("--dest-tls-verify=false", "--dest-creds", login, `dir:${join(folder, "out")}`, `${address("skopeo/three")}:v3`);
  expect((await cicd.repository("skopeo/three").headManifest("v3"))?.digest).toBe(pushed.digest);
});

describe("another account", () => {
  test("pulls what the repository's policy lets it pull, and nothing before", async () => {
    const repositoryName = "shared/tool";
    await createRepository(cicd.ecr, repositoryName);
    const { digest } = await pushSample(cicd.repository(repositoryName), "v1", sample("shared"));
    const [layer] = sample("shared").layers;
    const pull = production.repository(repositoryName);
    await expect(pull.getManifest("v1")).rejects.toThrow(/denied|not authorized/i);
    const policyText = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` },
          Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
        },
      ],
    });
    await cicd.ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText }));
    expect((await pull.getManifest("v1"))?.digest).toBe(digest);
    expect(await pull.headBlob(digestOf(layer!))).toBe(layer!.length);
    await expect(pull.uploadBlob(memoryBlob(Buffer.from("x")))).rejects.toThrow(/denied|not authorized/i);
    // Each action is asked for by itself: whom the policy lets look at layers gets none.
    await cicd.ecr.send(
      new SetRepositoryPolicyCommand({ repositoryName, policyText: policyText.replace('"ecr:GetDownloadUrlForLayer",', "") }),
    );
    expect(await pull.headBlob(digestOf(layer!))).toBe(layer!.length);
    await expect(text(pull.blob({ digest: digestOf(layer!), size: layer!.length }).read())).rejects.toThrow("ecr:GetDownloadUrlForLayer");
  });

  test("gets no blob by mounting what it may not read", async () => {
    await createRepository(production.ecr, "thief");
    await createRepository(cicd.ecr, "private");
    await pushSample(cicd.repository("private"), "v1", sample("private"));
    const digest = digestOf(sample("private").layers[0]!);
    const answer = await production.http(
      "POST",
      `/v2/${PRODUCTION}/${REGION}/thief/blobs/uploads/?mount=${digest}&from=${CICD}/${REGION}/private`,
    );
    expect(answer.status).toBe(202);
    expect(await production.repository("thief", PRODUCTION).headBlob(digest)).toBeUndefined();
  });

  test("nobody gets in without a token, or with a changed one", async () => {
    const bare = await fetch(`${accounts.url}/v2/`);
    expect([bare.status, bare.headers.get("www-authenticate")]).toEqual([401, expect.stringMatching(/^Basic /)]);
    const last = cicd.password.endsWith("A") ? "B" : "A";
    for (const changed of [`${cicd.password}x`, `${cicd.password.slice(0, -1)}${last}`, `B${cicd.password.slice(1)}`]) {
      const authorization = `Basic ${Buffer.from(`AWS:${changed}`).toString("base64")}`;
      expect((await fetch(`${accounts.url}/v2/`, { headers: { authorization } })).status).toBe(401);
    }
  });
});

test("who may push to one repository mounts nothing of another that they may not read, and tags none that they make", async () => {
  for (const name of ["own/here", "own/closed"]) await createRepository(cicd.ecr, name);
  const iam = new IAMClient(accounts.config());
  await iam.send(new CreateUserCommand({ UserName: "pusher" }));
  const { AccessKey: { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = {} } = await iam.send(
    new CreateAccessKeyCommand({ UserName: "pusher" }),
  );
  const Statement = [
    { Effect: "Allow", Action: "ecr:*", Resource: `arn:aws:ecr:*:*:repository/own/here` },
    { Effect: "Allow", Action: ["ecr:GetAuthorizationToken", "ecr:CreateRepository"], Resource: "*" },
  ];
  await iam.send(
    new PutUserPolicyCommand({
      UserName: "pusher",
      PolicyName: "own",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
    }),
  );
  await using pusher = await signIn({
    url: accounts.url,
    config: () => ({ ...accounts.config(), credentials: { accessKeyId, secretAccessKey } }),
  });
  const bytes = noise("closed", 300);
  await cicd.repository("own/closed").uploadBlob(memoryBlob(bytes));
  const mounted = (user: RegistryUser) =>
    user.http("POST", `own/here/blobs/uploads/?mount=${digestOf(bytes)}&from=own/closed`).then(({ status }) => status);
  expect([await mounted(pusher), (await pusher.http("HEAD", `own/here/blobs/${digestOf(bytes)}`)).status, await mounted(cicd)]).toEqual([
    202, 404, 201,
  ]);
  await expect(createRepository(pusher.ecr, "own/tagged", { tags: [{ Key: "createdBy", Value: "me" }] })).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining("ecr:TagResource"),
  });
  await createRepository(pusher.ecr, "own/plain");
});

test("a push to a repository that is not there is refused by its name", async () => {
  await expect(pushSample(cicd.repository("nowhere"), "v1", sample("nowhere"))).rejects.toThrow(/nowhere/);
});

test("an immutable tag is refused to another image and granted to the same one again", async () => {
  await createRepository(cicd.ecr, "immutable");
  await cicd.ecr.send(new PutImageTagMutabilityCommand({ repositoryName: "immutable", imageTagMutability: "IMMUTABLE" }));
  const repository = cicd.repository("immutable");
  await pushSample(repository, "v1", sample("a"));
  await expect(pushSample(repository, "v1", sample("b"))).rejects.toThrow(/immutable/);
  await pushSample(repository, "v1", sample("a"));
});

test("eight pushes of one blob at once store it once, readable everywhere", async () => {
  const bytes = noise("concurrent", 3_000_000);
  const names = [1, 2, 3, 4].map((n) => `concurrent/r${n}`);
  for (const name of names) await createRepository(cicd.ecr, name);
  await Promise.all([...names, ...names].map((name) => cicd.repository(name).uploadBlob(memoryBlob(bytes))));
  for (const name of names) {
    const answer = await cicd.http("GET", `${name}/blobs/${digestOf(bytes)}`);
    expect(digestOf(new Uint8Array(await answer.arrayBuffer()))).toBe(digestOf(bytes));
  }
  expect(accounts.accounts.core.blobs.size(digestOf(bytes).slice("sha256:".length))).toBe(bytes.length);
});

test("a restart keeps images, tokens and half an upload", async () => {
  await using own = await startAccounts();
  await using user = await signIn(own);
  await createRepository(user.ecr, "kept");
  const { digest } = await pushSample(user.repository("kept"), "v1", sample("kept"));
  const begun = await user.http("POST", "kept/blobs/uploads/");
  const location = begun.headers.get("location")!;
  await user.http("PATCH", location, { body: "half, " });
  await own.restart();
  const authorization = `Basic ${Buffer.from(`AWS:${user.password}`).toString("base64")}`;
  const again = (method: string, path: string, body?: string) =>
    fetch(new URL(path, own.url), { method, headers: { authorization }, ...(body && { body }) });
  expect((await again("HEAD", `/v2/${CICD}/${REGION}/kept/manifests/v1`)).headers.get("docker-content-digest")).toBe(digest);
  expect((await again("GET", location)).headers.get("range")).toBe("0-5");
  expect((await again("PUT", `${location}?digest=${digestOf("half, whole")}`, "whole")).status).toBe(201);
  expect(await (await again("GET", `/v2/${CICD}/${REGION}/kept/blobs/${digestOf("half, whole")}`)).text()).toBe("half, whole");
});
