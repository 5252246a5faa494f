import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.ts";
import { imageOf } from "../../src/oci/image/built-image.ts";
import { writeLayer } from "../../src/oci/image/layer.ts";
import { fileOf } from "../../src/oci/image/tar-writer.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { hasDocker } from "../demo.ts";
import { awsCli, openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, when: boolean, run: () => Promise<void>): void =>
  test.runIf(awsCli && when).concurrent(name, run, PATIENCE_MS);
const has = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args, { stdio: "ignore" }).status === 0;
const hasSkopeo = has("skopeo", "--version");

/** An image of one file as an OCI layout in the shell's folder, and its digest. */
async function layoutOf(name: string, content: string): Promise<{ readonly path: string; readonly digest: string }> {
  const path = join(shell.folder, name);
  const blobs = join(path, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const layer = await writeLayer([fileOf("greeting.txt", content)], { folder: path, random: systemRandom });
  const image = imageOf({ platform: { os: "linux", architecture: "amd64" }, config: {}, history: [], layers: [layer] });
  for (const source of [image.configBlob, layer.source]) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.read(0)) chunks.push(chunk);
    writeFileSync(join(blobs, source.blob.digest.replace("sha256:", "")), Buffer.concat(chunks));
  }
  writeFileSync(join(blobs, digestOf(image.bytes).replace("sha256:", "")), image.bytes);
  writeFileSync(join(path, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const described = {
    mediaType: image.mediaType,
    digest: image.digest,
    size: image.bytes.length,
    annotations: { "org.opencontainers.image.ref.name": "1.0" },
  };
  writeFileSync(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [described] }));
  return { path, digest: image.digest };
}

/** The registry of the first account as a client on this machine reaches it. */
const registry = (): string => `${new URL(shell.accounts.url).host}/111122223333/us-east-1`;
const password = async (): Promise<string> => (await shell.text("cicd", "ecr", "get-login-password")).trim();

there("skopeo copies an image into a repository, which aws ecr describes, and out of it", hasSkopeo, async () => {
  const { repository } = await shell.aws<{ repository: { repositoryUri: string } }>(
    "cicd",
    "ecr",
    "create-repository",
    "--repository-name",
    "lab/greeting",
    "--image-tag-mutability",
    "IMMUTABLE",
  );
  const { path, digest } = await layoutOf("layout", "hello\n");
  const target = `docker://${registry()}/lab/greeting:1.0`;
  const login = `AWS:${await password()}`;
  await shell.must("skopeo", [
    "--insecure-policy",
    "copy",
    "--preserve-digests",
    "--dest-tls-verify=false",
    "--dest-creds",
    login,
    `oci:${path}:1.0`,
    target,
  ]);
  const [repositories, images] = await Promise.all([
    shell.aws("cicd", "ecr", "describe-repositories", "--repository-names", "lab/greeting"),
    shell.aws("cicd", "ecr", "describe-images", "--repository-name", "lab/greeting"),
    shell.must("skopeo", ["--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds", login, target, "dir:back"]),
  ]);
  expect(repository.repositoryUri).toBe("111122223333.dkr.ecr.us-east-1.amazonaws.com/lab/greeting");
  expect(repositories).toMatchObject({ repositories: [{ repositoryName: "lab/greeting", imageTagMutability: "IMMUTABLE" }] });
  expect(images).toMatchObject({ imageDetails: [{ imageDigest: digest, imageTags: ["1.0"] }] });
  expect(digestOf(Buffer.from(await shell.must("cat", ["back/manifest.json"])))).toBe(digest);
});

there("a wrong password and a repository that nobody made are refused", hasSkopeo, async () => {
  const { path } = await layoutOf("refused", "no\n");
  const copy = (login: string) =>
    shell.run("skopeo", [
      "--insecure-policy",
      "copy",
      "--dest-tls-verify=false",
      "--dest-creds",
      login,
      `oci:${path}:1.0`,
      `docker://${registry()}/nobody/made-this:1.0`,
    ]);
  const [wrong, absent] = await Promise.all([copy("AWS:wrong"), copy(`AWS:${await password()}`)]);
  expect([wrong.code, absent.code]).toEqual([1, 1]);
  expect(absent.stderr).toMatch(/made-this.*does not exist/s);
});

there("docker logs in, pushes and pulls", hasDocker(), async () => {
  await shell.aws("cicd", "ecr", "create-repository", "--repository-name", "lab/docker");
  const image = `${registry()}/lab/docker:1.0`;
  shell.file("greeting.txt", "hello docker\n");
  await shell.must("tar", ["-cf", "rootfs.tar", "greeting.txt"]);
  await shell.must("docker", ["login", "--username", "AWS", "--password-stdin", registry().split("/")[0] ?? ""], await password());
  try {
    await shell.must("docker", ["import", "rootfs.tar", image]);
    const pushed = await shell.must("docker", ["push", image]);
    await shell.must("docker", ["rmi", image]);
    await shell.must("docker", ["pull", image]);
    const { imageDetails } = await shell.aws<{ imageDetails: readonly { imageDigest: string }[] }>(
      "cicd",
      "ecr",
      "describe-images",
      "--repository-name",
      "lab/docker",
      "--image-ids",
      "imageTag=1.0",
    );
    expect(pushed).toContain(imageDetails[0]?.imageDigest);
    // As the CDK publishes an image asset: at ECR's own address, by the docker of CDK_DOCKER.
    const canonical = "111122223333.dkr.ecr.us-east-1.amazonaws.com/lab/docker";
    const cdkDocker = (...args: readonly string[]) => shell.must(join(shell.accounts.dataDir, "bin", "docker"), args);
    await cdkDocker("tag", image, `${canonical}:asset`);
    expect(await cdkDocker("push", `${canonical}:asset`)).toContain(imageDetails[0]?.imageDigest);
    expect(await cdkDocker("manifest", "inspect", "--insecure", `${canonical}:asset`)).toContain("layers");
  } finally {
    await shell.run("docker", ["rmi", image, `${registry()}/lab/docker:asset`]);
  }
});

/** Larger than one request of a client that sends layers in parts, however it is compressed. */
const large = (): string => randomBytes(3 * 1024 * 1024).toString("base64");
const digestIn = async (repository: string): Promise<string | undefined> =>
  (
    await shell.aws<{ imageDetails: readonly { imageDigest: string }[] }>(
      "cicd",
      "ecr",
      "describe-images",
      "--repository-name",
      repository,
      "--image-ids",
      "imageTag=1.0",
    )
  ).imageDetails[0]?.imageDigest;
const created = (...names: readonly string[]) =>
  Promise.all(names.map((name) => shell.aws("cicd", "ecr", "create-repository", "--repository-name", name)));

there("crane logs in, pushes, copies, lists, pulls and deletes", has("crane", "version"), async () => {
  await created("lab/crane", "lab/crane-copy");
  const { path, digest } = await layoutOf("crane", large());
  const crane = (...args: readonly string[]) => shell.must("crane", args);
  const [host = ""] = registry().split("/");
  await shell.must("crane", ["auth", "login", host, "--username", "AWS", "--password-stdin"], await password());
  const image = `${registry()}/lab/crane:1.0`;
  await crane("push", path, image);
  await crane("copy", image, `${registry()}/lab/crane-copy:1.0`);
  expect(await Promise.all([digestIn("lab/crane"), digestIn("lab/crane-copy")])).toEqual([digest, digest]);
  expect((await crane("digest", image)).trim()).toBe(digest);
  expect((await crane("ls", `${registry()}/lab/crane-copy`)).trim()).toBe("1.0");
  await crane("pull", "--format", "oci", `${registry()}/lab/crane-copy:1.0`, "crane-back");
  expect(JSON.parse(readFileSync(join(shell.folder, "crane-back/index.json"), "utf8"))).toMatchObject({ manifests: [{ digest }] });
  await crane("validate", "--remote", image);
  await crane("delete", `${registry()}/lab/crane@${digest}`);
  const gone = await shell.run("crane", ["manifest", image]);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining("MANIFEST_UNKNOWN")]);
});

there("regctl logs in, copies in parts, attaches an SBOM, lists, copies both out and deletes a tag", has("regctl", "version"), async () => {
  await created("lab/regctl");
  const { path, digest } = await layoutOf("regctl", large());
  const regctl = (...args: readonly string[]) => shell.must("regctl", args);
  const [host = ""] = registry().split("/");
  await regctl("registry", "set", "--skip-check", "--tls", "disabled", "--blob-chunk", "1048576", "--blob-max", "1048576", host);
  await shell.must("regctl", ["registry", "login", "--user", "AWS", "--pass-stdin", host], await password());
  const image = `${registry()}/lab/regctl:1.0`;
  await regctl("image", "copy", `ocidir://${path}:1.0`, image);
  expect(await digestIn("lab/regctl")).toBe(digest);
  shell.file("sbom.json", "{}");
  await regctl("artifact", "put", "--artifact-type", "application/spdx+json", "--subject", image, "--file", "sbom.json");
  expect(await regctl("artifact", "list", image)).toContain("application/spdx+json");
  expect((await regctl("tag", "list", `${registry()}/lab/regctl`)).trim()).toBe("1.0");
  await regctl("image", "copy", "--referrers", image, "ocidir://regctl-back:1.0");
  expect((await regctl("manifest", "head", "ocidir://regctl-back:1.0")).trim()).toBe(digest);
  expect(await regctl("artifact", "list", "ocidir://regctl-back:1.0")).toContain("application/spdx+json");
  await regctl("tag", "delete", image);
  expect((await regctl("tag", "list", `${registry()}/lab/regctl`)).trim()).toBe("");
  // An image goes with its last tag (BatchDeleteImage's page).
  const gone = await shell.run("regctl", ["manifest", "head", `${registry()}/lab/regctl@${digest}`]);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining("not found")]);
});
