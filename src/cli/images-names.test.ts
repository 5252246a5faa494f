import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CICD, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { registryClient, type RegistryClient } from "../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";

const HOME = `${CICD}.dkr.ecr.us-east-1.amazonaws.com`;
const MS = 200_000;

let accounts: TestAccounts;
let upstream: DockerRegistry;
let clients: RegistryClient;
beforeAll(async () => {
  [accounts, upstream, clients] = [await startAccounts(), await startDockerRegistry(), registryClient()];
  for (const repository of ["bio/bwa", "library/ubuntu", "p/tool", "x--y/a__b"])
    await pushSample(clients.repository({ registry: upstream.host, repository }), "1", { layers: [noise(repository, 20_000)] });
}, MS);
afterAll(async () => {
  await clients?.close();
  await accounts?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, MS);

const HOSTS = ["quay.io", "docker.io", "us.gcr.io", "eu.gcr.io", "one.lab.example", "two.lab.example", "[::1]:5000"];
const at = (): readonly string[] => ["--profile", "cicd", ...HOSTS.flatMap((host) => ["--upstream", `${host}=${upstream.url}`])];
/** Lines of the plan, without digests. */
const planOf = async (cli: InProcess, ...args: readonly string[]) => {
  const { code, stdout, stderr } = await cli.run("images", "plan", ...args, ...at());
  return {
    code,
    lines: stdout
      .replaceAll(/@sha256:[0-9a-f]{64}/g, "")
      .trimEnd()
      .split("\n"),
    stderr,
  };
};

test(
  "a plan says where each name goes, and lists an image once that is written in several ways",
  async () => {
    using cli = cliAt(accounts);
    const { code, lines } = await planOf(
      cli,
      "quay.io/bio/bwa:1",
      "docker://quay.io/bio/bwa:1",
      "ubuntu:1",
      "index.docker.io/library/ubuntu:1",
      "[0:0:0:0:0:0:0:1]:5000/x--y/a__b:1",
    );
    expect(code).toBe(0);
    expect(lines).toEqual([
      expect.stringContaining(`PULL   quay.io/bio/bwa:1 (also written docker://quay.io/bio/bwa:1) → ${HOME}/quay/bio/bwa:1 (`),
      expect.stringContaining(`PULL   ubuntu:1 (also written index.docker.io/library/ubuntu:1) → ${HOME}/dockerhub/library/ubuntu:1 (`),
      expect.stringContaining(`PULL   [0:0:0:0:0:0:0:1]:5000/x--y/a__b:1 → ${HOME}/ipv6_0-0-0-0-0-0-0-1_5000/x--y/a__b:1 (`),
      expect.stringMatching(/^3 images, /),
    ]);
    const pulled = await cli.run("images", "pull", "[::1]:5000/x--y/a__b:1", ...at());
    expect([pulled.code, pulled.stdout]).toEqual([0, expect.stringContaining(`${HOME}/ipv6_0-0-0-0-0-0-0-1_5000/x--y/a__b:1`)]);
  },
  MS,
);

test(
  "a tag that moved is brought again, whatever its registry's name has in it",
  async () => {
    using cli = cliAt(accounts);
    const push = async (content: string) =>
      (await pushSample(clients.repository({ registry: upstream.host, repository: "moving" }), "1", { layers: [noise(content, 5000)] }))
        .digest;
    const pull = async (image: string, host: string) => {
      const { code, stdout, stderr } = await cli.run("images", "pull", image, "--profile", "cicd", "--upstream", `${host}=${upstream.url}`);
      return [code, stdout + stderr];
    };
    const addresses = [
      ["[::1]:5000", "[::1]:5000"],
      ["444455556666.dkr.ecr.us-east-1.amazonaws.com", "444455556666.dkr.ecr-fips.us-east-1.amazonaws.com"],
    ] as const;
    for (const [first, second] of addresses) {
      const before = await push(`before ${first}`);
      expect(await pull(`${first}/moving:1`, first)).toEqual([0, expect.stringContaining(before)]);
      const after = await push(`after ${first}`);
      expect(await pull(`${second}/moving:1`, second)).toEqual([0, expect.stringContaining(after)]);
    }
  },
  MS,
);

test(
  "a collision is told with the option that ends it, and the option ends it",
  async () => {
    using cli = cliAt(accounts);
    const images = ["us.gcr.io/p/tool:1", "eu.gcr.io/p/tool:1"];
    const refused = await planOf(cli, ...images);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'us.gcr.io/p/tool:1 and eu.gcr.io/p/tool:1 would both become gcr/p/tool:1; give eu.gcr.io a namespace of its own, as in {"eu.gcr.io": "eu-gcr-io"}',
    );
    expect(refused.stderr).toContain("--namespace HOST=PREFIX");
    const { code, lines } = await planOf(
      cli,
      ...images,
      "one.lab.example/p/tool:1",
      "two.lab.example/p/tool:1",
      "--namespace",
      "eu.gcr.io=eu-gcr-io",
      "--namespace",
      "*.lab.example=labs/*",
    );
    expect([code, ...lines]).toEqual([
      0,
      expect.stringContaining(`${HOME}/gcr/p/tool:1`),
      expect.stringContaining(`${HOME}/eu-gcr-io/p/tool:1`),
      expect.stringContaining(`${HOME}/labs/one/p/tool:1`),
      expect.stringContaining(`${HOME}/labs/two/p/tool:1`),
      expect.stringMatching(/^4 images, /),
    ]);
  },
  MS,
);

test.each([
  ["index.docker.io=hub", "index.docker.io is another name of docker.io; write docker.io"],
  ["eu.gcr.io=quay", "images of eu.gcr.io would meet those of quay.io"],
  ["eu.gcr.io=A", "images of eu.gcr.io need a prefix of 2 to 256"],
  ["quay=mine", "quay.io or quay:5000"],
  ["quay.io", "write HOST=PREFIX"],
])(
  "--namespace %s is wrong usage",
  async (entry, sentence) => {
    using cli = cliAt(accounts);
    const { code, stderr } = await planOf(cli, "ubuntu:1", "--namespace", entry);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  },
  MS,
);

test.each([
  ["index.docker.io", "another name of docker.io; write docker.io"],
  ["*.azurecr.io", "name one by its host"],
  ["quay", "quay.io or quay:5000"],
])(
  "--upstream %s=… is wrong usage, as no image would be read there",
  async (host, sentence) => {
    using cli = cliAt(accounts);
    const { code, stderr } = await planOf(cli, "ubuntu:1", "--upstream", `${host}=${upstream.url}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  },
  MS,
);

test(
  "--upstream takes no password, and repeats none",
  async () => {
    using cli = cliAt(accounts);
    const { code, stderr } = await cli.run(
      "images",
      "plan",
      "quay.io/a/b:1",
      "--upstream",
      "quay.io=https://me:s3cret@mirror.example/cache",
    );
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("--upstream quay.io=…: an address holds no password; log in with `docker login mirror.example`"),
    ]);
    expect(stderr).not.toContain("s3cret");
  },
  MS,
);

test(
  "names that are none are told all at once, and builds that meet a pulled image",
  async () => {
    using cli = cliAt(accounts);
    const names = await planOf(cli, "DOCKER://quay.io/bio/bwa:1", "localhost:007/a", "ubuntu:1");
    expect([names.code, names.stderr]).toEqual([
      1,
      expect.stringMatching(/2 images can't be brought\n.*docker:\/\/quay\.io\/bio\/bwa:1\n.*write 7\n/),
    ]);
    const folder = join(cli.folder, "meets");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "main.wdl"),
      'version 1.0\nworkflow w {\n  call t\n}\ntask t {\n  command <<< echo >>>\n  runtime { docker: "ubuntu:1" }\n}\n',
    );
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
    writeFileSync(join(folder, "omx.yaml"), 'name: meets\nversion: "1.0"\nimages:\n  build: [{target: "dockerhub/library/ubuntu:1"}]\n');
    const builds = await planOf(cli, "--project", folder);
    expect([builds.code, builds.stderr]).toEqual([
      1,
      expect.stringContaining("ubuntu:1 and the build of dockerhub/library/ubuntu:1 would both become"),
    ]);
  },
  MS,
);

test(
  "repositories that a command makes have the key and the tags that it is told",
  async () => {
    using cli = cliAt(accounts);
    const { KeyMetadata } = await new KMSClient(accounts.config()).send(new CreateKeyCommand({}));
    const settings = ["--kms-key", KeyMetadata!.Arn!, "--immutable-tags", "--profile", "cicd"];
    mkdirSync(join(cli.folder, "source"));
    writeFileSync(join(cli.folder, "source", "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
    await pushSample(clients.repository({ registry: upstream.host, repository: "sealed" }), "1", { layers: [noise("sealed", 4000)] });
    expect((await cli.run("images", "pull", "quay.io/sealed:1", "--upstream", `quay.io=${upstream.url}`, ...settings)).code).toBe(0);
    expect((await cli.run("images", "build", join(cli.folder, "source"), "sealed/built:1", ...settings)).code).toBe(0);
    const { repositories } = await new ECRClient(accounts.config()).send(
      new DescribeRepositoriesCommand({ repositoryNames: ["quay/sealed", "sealed/built"] }),
    );
    const made = {
      encryptionConfiguration: { kmsKey: KeyMetadata!.Arn! },
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
    };
    expect(repositories).toMatchObject([made, made]);
    await pushSample(clients.repository({ registry: upstream.host, repository: "kept" }), "1", { layers: [noise("kept", 4000)] });
    expect(
      (await cli.run("images", "pull", "quay.io/kept:1", "--upstream", `quay.io=${upstream.url}`, "--immutable-tags", "--profile", "cicd"))
        .code,
    ).toBe(0);
    expect(
      (await new ECRClient(accounts.config()).send(new DescribeRepositoriesCommand({ repositoryNames: ["quay/kept"] }))).repositories,
    ).toMatchObject([{ encryptionConfiguration: { encryptionType: "AES256" }, imageTagMutability: "IMMUTABLE" }]);
    for (const [key, says] of [
      ["alias/images", "--kms-key takes the ARN of a key"],
      [KeyMetadata!.Arn!.replace("us-east-1", "eu-west-1"), "--kms-key names a key of account 111122223333 in eu-west-1"],
    ] as const) {
      const refused = [
        await cli.run("images", "pull", "quay.io/sealed:1", "--profile", "cicd", "--kms-key", key),
        await cli.run("images", "build", join(cli.folder, "source"), "sealed/none:1", "--profile", "cicd", "--kms-key", key),
      ];
      expect(refused.map(({ code, stderr }) => [code, stderr])).toEqual([
        [2, expect.stringContaining(says)],
        [2, expect.stringContaining(says)],
      ]);
    }
    writeFileSync(join(cli.folder, "source", "Dockerfile"), "FROM scratch\nCOPY Dockerfile /other\n");
    const again = await cli.run("images", "build", join(cli.folder, "source"), "sealed/built:1", ...settings);
    expect([again.code, again.stdout]).toEqual([
      1,
      expect.stringMatching(/the tag is immutable\.; give the image another tag: in this repository each stays with its first image/),
    ]);
  },
  MS,
);
