import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteUserPolicyCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PRODUCTION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { type FaultProxy, type Fault, faultProxy, type SeenRequest } from "../oci/testing/fault-proxy.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { registryClient } from "../oci/client/registry-client.ts";
import { cliAt } from "./testing/in-process.ts";

const MS = 120_000;

let accounts: TestAccounts;
let upstream: DockerRegistry;
let quay: FaultProxy;
let decide: ((seen: SeenRequest, before: number) => Fault | undefined) | undefined;
beforeAll(async () => {
  [accounts, upstream] = [await startAccounts(), await startDockerRegistry()];
  quay = await faultProxy(upstream.url, (seen, before) => decide?.(seen, before));
}, MS);
afterAll(async () => {
  await quay?.[Symbol.asyncDispose]();
  await accounts?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, MS);

const at = (): readonly string[] => [
  "--profile",
  "cicd",
  "--upstream",
  `quay.io=${quay.url}`,
  "--upstream",
  `docker.io=${quay.url}`,
  "--json",
];
const refused = (status: number, code: string, message: string): Fault => ({
  kind: "answer",
  status,
  body: JSON.stringify({ errors: [{ code, message }] }),
  headers: { "www-authenticate": 'Basic realm="test"' },
});

interface Pulled {
  readonly images: readonly { readonly status: string; readonly reason: string }[];
}

async function reasonOf(...images: readonly string[]): Promise<string> {
  using cli = cliAt(accounts);
  const {
    images: [image],
  } = (await cli.run("images", "pull", ...images, ...at())).json<Pulled>();
  return `${image?.status} ${image?.reason}`;
}

test(
  "a registry that hides what is private says what to do: check the name, or log in",
  async () => {
    decide = () => refused(401, "UNAUTHORIZED", "authentication required");
    expect(await reasonOf("quay.io/lab/tool:1")).toMatch(
      /^FAILED quay.io refuses access \(read quay.io\/lab\/tool:1 at http:\/\/127.0.0.1:\d+\), 401 UNAUTHORIZED: authentication required; it was asked without credentials; .*check its name, or log in with `docker login 127.0.0.1:\d+`$/,
    );
    using cli = cliAt(accounts);
    const { stdout } = await cli.run("images", "pull", `${quay.host}/lab/tool:1`, "--profile", "cicd");
    expect(stdout).toContain(`check its name, or log in with \`docker login ${quay.host}\``);
    decide = ({ path }) => (path === "/v2/" ? undefined : refused(403, "DENIED", "requested access to the resource is denied"));
    expect(await reasonOf("quay.io/lab/tool:1")).toMatch(/403 DENIED: .*check its name/);
  },
  MS,
);

test(
  "a password of docker login is sent, and is in no output, whatever the registry makes of it",
  async () => {
    const password = "p4ss-of-the-robot";
    const sent: string[] = [];
    decide = ({ headers: { authorization } }) => {
      if (authorization === undefined) return refused(401, "UNAUTHORIZED", "log in");
      sent.push(authorization);
      return refused(
        403,
        "DENIED",
        `you sent ${authorization}, which is ${Buffer.from(authorization.slice("Basic ".length), "base64").toString()}`,
      );
    };
    using cli = cliAt(accounts);
    const auth = Buffer.from(`robot:${password}`).toString("base64");
    mkdirSync(join(cli.folder, ".docker"));
    writeFileSync(join(cli.folder, ".docker", "config.json"), JSON.stringify({ auths: { "quay.io": { auth } } }));
    for (const command of ["pull", "plan"]) {
      const { stdout, stderr } = await cli.run("images", command, "quay.io/lab/private:1", ...at());
      expect(stdout).toContain("the credentials given for it do not allow that");
      for (const secret of [password, auth]) expect(stdout + stderr + accounts.log.join()).not.toContain(secret);
    }
    expect(new Set(sent)).toEqual(new Set([`Basic ${auth}`]));
  },
  MS,
);

test(
  "a refused look at a layer, which ECR leaves without a word, names the rights that it takes",
  async () => {
    decide = undefined;
    await using client = registryClient();
    await pushSample(client.repository({ registry: upstream.host, repository: "lab/rights" }), "1", { layers: [noise("rights", 30_000)] });
    const iam = new IAMClient(accounts.config());
    const policy = (name: string, statements: readonly object[]) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName: "developer",
          PolicyName: name,
          PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
        }),
      );
    await policy("lab", [
      { Effect: "Allow", Action: "ecr:*", Resource: "*" },
      { Effect: "Deny", Action: "ecr:BatchCheckLayerAvailability", Resource: "*" },
    ]);
    using cli = cliAt(accounts);
    const pulled = await cli.run("images", "pull", "quay.io/lab/rights:1", ...at(), "--profile", "developer");
    await iam.send(new DeleteUserPolicyCommand({ UserName: "developer", PolicyName: "lab" }));
    expect(pulled.json<Pulled>().images[0]?.reason).toMatch(
      /refuses access .*, 403; who looks for a layer there needs ecr:BatchCheckLayerAvailability and ecr:GetDownloadUrlForLayer$/,
    );
  },
  MS,
);

test(
  "private ECR that may not be read says what has to be declared",
  async () => {
    decide = undefined;
    expect(await reasonOf(`${PRODUCTION}.dkr.ecr.us-east-1.amazonaws.com/lab/tool:1`)).toMatch(
      /ecr:BatchGetImage .*; the puller reads there with 444455556666 in containers.sourceAccounts of omx.deploy.yaml, and where the policy of that repository lets account 111122223333 read$/,
    );
  },
  MS,
);

test(
  "a wait is told while it lasts, and what failed with its reason while others go on",
  async () => {
    await using client = registryClient();
    await pushSample(client.repository({ registry: upstream.host, repository: "lab/busy" }), "1", { layers: [noise("busy", 20_000)] });
    decide = ({ method, path }, before) =>
      method === "HEAD" && path === "/v2/lab/busy/manifests/1" && before === 0
        ? { kind: "answer", status: 429, headers: { "retry-after": "1" } }
        : undefined;
    using cli = cliAt(accounts);
    const { stderr, stdout, code } = await cli.run("images", "pull", "quay.io/lab/busy:1", "quay.io/lab/absent:1", ...at());
    expect(code).toBe(1);
    expect(stderr.match(/WAITING/g)).toHaveLength(1);
    expect(stderr).toMatch(
      / {2}WAITING {2}1 s, then again: quay.io is asked too often \(read quay.io\/lab\/busy:1 at http:\/\/127.0.0.1:\d+\), 429; it was asked without credentials, and may allow more with: log in/,
    );
    expect(stderr).toMatch(/ {2}FAILED {3}quay.io\/lab\/absent:1 [\d.]+ s: quay.io does not have it/);
    expect(stdout).not.toContain("WAITING");
    decide = undefined;
    const plain = await cli.run(
      "images",
      "pull",
      "quay.io/lab/absent:1",
      "quay.io/lab/busy:1",
      ...at().filter((flag) => flag !== "--json"),
    );
    expect(plain.stdout).toMatch(/^SKIPPED  quay.io\/lab\/busy:1 .*\nFAILED   quay.io\/lab\/absent:1: .*\n2 images, 1 failed, 0 B moved, /);
    expect(plain.stderr).toMatch(/^ {2}FAILED {3}quay.io\/lab\/absent:1 .*\n$/);
  },
  MS,
);

test(
  "a registry that asks for hours is not waited for, and the reason says until when",
  async () => {
    decide = ({ path }) => (path === "/v2/" ? undefined : { kind: "answer", status: 429, headers: { "retry-after": "21600" } });
    expect(await reasonOf("quay.io/lab/busy:2")).toMatch(
      /^FAILED quay.io is asked too often .*; it asks to be left alone until \d{4}-\d\d-\d\d \d\d:\d\d UTC; it was asked without credentials/,
    );
  },
  MS,
);

test.each([
  ["s3://refused-sources/absent.zip", "cicd", /^✗ NoSuchKey: s3:\/\/refused-sources\/absent\.zip: /],
  ["s3://no-such-sources/tool/", "cicd", /^✗ NoSuchBucket: s3:\/\/no-such-sources\/tool\/: /],
  [
    "s3://refused-sources/tool.tgz",
    "production",
    /^✗ AccessDenied: s3:\/\/refused-sources\/tool\.tgz: .*not authorized to perform: s3:GetObject/,
  ],
])(
  "what S3 refuses of the source %s to %s is told in a line",
  async (source, profile, says) => {
    await new S3Client(accounts.config()).send(new CreateBucketCommand({ Bucket: "refused-sources" })).catch(() => undefined);
    using cli = cliAt(accounts);
    const { code, stderr } = await cli.run("images", "build", source, "refused/tool:1", "--profile", profile);
    expect([code, stderr]).toEqual([1, expect.stringMatching(says)]);
    expect(stderr).not.toMatch(/^ +at /m);
  },
  MS,
);

test(
  "a registry that refuses while images are locked leaves the lock as it was",
  async () => {
    decide = undefined;
    await using clients = registryClient();
    const { digest } = await pushSample(clients.repository({ registry: upstream.host, repository: "lab/locked" }), "1", {
      layers: [noise("locked", 3000)],
    });
    using cli = cliAt(accounts);
    writeFileSync(
      join(cli.folder, "main.wdl"),
      'version 1.0\ntask t {\n  command <<< echo >>>\n  runtime { docker: "quay.io/lab/locked:1" }\n}\nworkflow w { call t }\n',
    );
    writeFileSync(join(cli.folder, "omx.yaml"), 'name: refused\nversion: "1.0"\n');
    await cli.run("images", "pull", "quay.io/lab/locked:1", ...at());
    const lock = async () => ({
      ran: (await cli.run("images", "lock", cli.folder, ...at())).code,
      says: readFileSync(join(cli.folder, "containers.lock.json"), "utf8"),
    });
    const before = await lock();
    expect([before.ran, before.says]).toEqual([0, expect.stringContaining(digest)]);
    decide = ({ path }) => (path === "/v2/" ? undefined : refused(403, "DENIED", "requested access to the resource is denied"));
    expect(await lock()).toEqual({ ...before, ran: 1 });
  },
  MS,
);

test(
  "a registry out of reach says what to look at",
  async () => {
    using cli = cliAt(accounts);
    const reason = async (image: string, ...flags: readonly string[]) =>
      (await cli.run("images", "pull", image, "--profile", "cicd", "--json", ...flags)).json<Pulled>().images[0]?.reason;
    expect(await reason("quay.io/lab/tool:1", "--upstream", `quay.io=${quay.url.replace("http:", "https:")}`)).toMatch(
      /^quay.io cannot be reached \(reach the registry at https:\/\/127.0.0.1:\d+\), ERR_SSL_[A-Z_]+: [a-z ]+; where it is read without TLS, or elsewhere, say so: --upstream quay.io=http:/,
    );
    expect(await reason("quay.io/lab/tool:1", "--upstream", "quay.io=http://mirror.invalid/of/quay")).toMatch(
      /^quay.io cannot be reached \(reach the registry at http:\/\/mirror.invalid\/of\/quay\), ENOTFOUND: .*; nobody knows a host of that name: check its address in --upstream, or in containers.upstreams of omx.deploy.yaml, and the network$/,
    );
  },
  MS,
);

test(
  "what a mirror says in a registry's place is told with the mirror's address",
  async () => {
    decide = undefined;
    const lacks = `quay.io does not have it (read quay.io/lab/nowhere:1 at ${quay.url}): check the name and the tag`;
    expect(await reasonOf("quay.io/lab/nowhere:1")).toBe(`FAILED ${lacks}`);
    using cli = cliAt(accounts);
    expect((await cli.run("images", "plan", "quay.io/lab/nowhere:1", ...at())).json<Pulled>().images[0]?.reason).toBe(lacks);
    decide = ({ path }) =>
      path === "/v2/"
        ? { kind: "answer", status: 401, headers: { "www-authenticate": 'Bearer realm="http://token.invalid/token"' } }
        : undefined;
    expect(await reasonOf("quay.io/lab/tool:1")).toMatch(/^FAILED quay.io cannot be reached \(ask token.invalid for a token\), ENOTFOUND/);
  },
  MS,
);
