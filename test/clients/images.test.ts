import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
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

const there = (name: string, when: boolean, run: () => Promise<void>): void => test.runIf(awsCli && when).concurrent(name, run, PATIENCE_MS);
const hasSkopeo = ((): boolean => {
  try {
    return execFileSync("skopeo", ["--version"]).length > 0;
  } catch {
    return false;
  }
})();

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
  const described = { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length, annotations: { "org.opencontainers.image.ref.name": "1.0" } };
  writeFileSync(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [described] }));
  return { path, digest: image.digest };
}

/** The registry of the first account as a client on this machine reaches it. */
const registry = (): string => `${new URL(shell.accounts.url).host}/111122223333/us-east-1`;
const password = async (): Promise<string> => (await shell.text("cicd", "ecr", "get-login-password")).trim();

there("skopeo copies an image into a repository, which aws ecr describes, and out of it", hasSkopeo, async () => {
  const { repository } = await shell.aws<{ repository: { repositoryUri: string } }>("cicd", "ecr", "create-repository", "--repository-name", "lab/greeting", "--image-tag-mutability", "IMMUTABLE");
  const { path, digest } = await layoutOf("layout", "hello\n");
  const target = `docker://${registry()}/lab/greeting:1.0`;
  const login = `AWS:${await password()}`;
  await shell.must("skopeo", ["--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false", "--dest-creds", login, `oci:${path}:1.0`, target]);
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
  const copy = (login: string) => shell.run("skopeo", ["--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", login, `oci:${path}:1.0`, `docker://${registry()}/nobody/made-this:1.0`]);
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
    const { imageDetails } = await shell.aws<{ imageDetails: readonly { imageDigest: string }[] }>("cicd", "ecr", "describe-images", "--repository-name", "lab/docker", "--image-ids", "imageTag=1.0");
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
