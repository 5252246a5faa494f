import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { registryClient } from "../oci/client/registry-client.ts";
import { startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { staticRegistry } from "../oci/testing/static-registry.ts";
import { cliAt } from "./testing/in-process.ts";

const MS = 120_000;

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
}, MS);
afterAll(() => accounts?.[Symbol.asyncDispose](), MS);

async function run(command: "plan" | "pull", text: string, ...more: readonly string[]) {
  using cli = cliAt(accounts);
  const file = join(cli.folder, "manifest.json");
  writeFileSync(file, text);
  const { code, stdout, stderr } = await cli.run("images", command, "--manifest", file, "--profile", "cicd", ...more);
  return { code, stdout, stderr: stderr.replaceAll(`${cli.folder}/`, "") };
}

test.each(["plan", "pull"] as const)(
  "%s takes a manifest without images as nothing to do",
  async (command) => {
    expect(await run(command, '{"manifest": []}')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 images, 0 B /) });
    using cli = cliAt(accounts);
    expect(await cli.run("images", command, "--profile", "cicd")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("name images"),
    });
  },
  MS,
);

test.each([
  ["manifest: [a]", "manifest.json is not JSON: "],
  ['["quay.io/a/b:1"]', 'manifest.json is not {"manifest": ["image", …]}'],
  ["null", 'manifest.json is not {"manifest": ["image", …]}'],
  [
    '{"manifest": ["quay.io/a/b:1", {"source_uri": "s3://a/b/"}]}',
    'manifest.json is not {"manifest": ["image", …]}: item 2 is {"source_uri":"s3://a/b/"}',
  ],
  ['{"manifest": [], "referrers": "yes"}', '"referrers" is true or false, not "yes"'],
])(
  "a file that is no manifest is wrong usage, told without a stack: %s",
  async (text, says) => {
    const { code, stderr } = await run("pull", text);
    expect([code, stderr]).toEqual([2, expect.stringContaining(says)]);
    expect(stderr).not.toMatch(/^ +at /m);
  },
  MS,
);

test(
  "a folder is no manifest",
  async () => {
    using cli = cliAt(accounts);
    expect(await cli.run("images", "plan", "--manifest", cli.folder)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is a folder; give a file"),
    });
  },
  MS,
);

test(
  "a manifest that asks for referrers is the state machine's input as it is",
  async () => {
    await using upstream = await startDockerRegistry();
    await using client = registryClient();
    const tool = client.repository({ registry: upstream.host, repository: "lab/signed" });
    const { digest } = await pushSample(tool, "1", { layers: [noise("signed", 3000)] });
    await pushIndex(tool, digest.replace(":", "-"), [await pushSample(tool, "", { layers: [noise("sbom", 500)] })]);
    const at = ["--upstream", `quay.io=${upstream.url}`, "--json"];
    expect(await run("pull", '{"manifest": ["quay.io/lab/signed:1"], "referrers": true}', ...at)).toMatchObject({ code: 0 });
    using cli = cliAt(accounts);
    const { images } = (await cli.run("images", "list", "--untagged", "--profile", "cicd", "--json")).json<{
      images: readonly { repository: string; tags: readonly string[] }[];
    }>();
    expect(images.filter(({ repository }) => repository === "quay/lab/signed").flatMap(({ tags }) => tags)).toContain(
      digest.replace(":", "-"),
    );
  },
  MS,
);

test(
  "plan looks at several images at a time",
  async () => {
    await using offered = await staticRegistry();
    const config = { mediaType: MEDIA_TYPES.ociConfig, ...offered.blob(Buffer.from("{}")) };
    for (const tag of ["1", "2", "3"])
      offered.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [], annotations: { tag } }, tag);
    // Nobody is answered before all three have asked.
    const waiting: (() => void)[] = [];
    const server = createServer((request, answer) => {
      const pass = () =>
        void fetch(new URL(request.url ?? "/", offered.url), { method: request.method ?? "GET" }).then(async (got) =>
          answer.writeHead(got.status, Object.fromEntries(got.headers)).end(Buffer.from(await got.arrayBuffer())),
        );
      if (!/\/manifests\/\d$/.test(request.url ?? "")) return pass();
      if (waiting.push(pass) === 3) for (const one of waiting.splice(0)) one();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void (server.closeAllConnections(), server.close()));
    const planned = await run(
      "plan",
      JSON.stringify({ manifest: ["1", "2", "3"].map((tag) => `quay.io/lab/tool:${tag}`) }),
      "--upstream",
      `quay.io=http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining("3 images, ") });
  },
  MS,
);

test(
  "a bundle that is no S3 URI is wrong usage",
  async () => {
    using cli = cliAt(accounts);
    expect(await cli.run("images", "verify", "--bundle", "releases/1.0.0", "--profile", "cicd")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("an S3 URI looks like s3://bucket/key"),
    });
  },
  MS,
);
