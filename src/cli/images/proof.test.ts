import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchCheckLayerAvailabilityCommand, DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../../oci/digest.ts";
import { registryClient } from "../../oci/client/registry-client.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { type FaultProxy, faultProxy } from "../../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../../oci/testing/sample-images.ts";
import { type ImageLab, openImageLab } from "../../release/images/testing/image-lab.ts";
import { cliAt } from "../testing/in-process.ts";

// ECR alone computes the digest of what it receives, at first.

let lab: ImageLab;
beforeAll(async () => void (lab = await openImageLab()), 60_000);
afterAll(() => lab?.[Symbol.asyncDispose](), 60_000);

const SIZES: readonly (readonly [string, number])[] = [
  ["sent in one request", 50_000],
  ["sent in parts", 5_000_000],
];

async function pull(repository: string, from: FaultProxy, configFile = lab.accounts.configFile) {
  using cli = cliAt(lab.accounts, { configFile });
  const { code, stdout } = await cli.run(
    "images",
    "pull",
    `quay.io/${repository}:1`,
    "--profile",
    "cicd",
    "--upstream",
    `quay.io=${from.url}`,
    "--json",
  );
  const { images } = JSON.parse(stdout) as { images: readonly { status: string; reason: string }[] };
  return { code, ...images[0]! };
}

test.each(SIZES)("a layer %s that upstream always sends with other bytes is upstream's fault, and never gets there", async (_how, size) => {
  const [repository, layer] = [`proof/lies-${size}`, noise(`lies ${size}`, size)];
  await lab.push(repository, layer);
  await using lying = await faultProxy(lab.upstream.url, ({ path }) =>
    path.endsWith(`blobs/${digestOf(layer)}`) ? { kind: "flip" } : undefined,
  );
  expect(await pull(repository, lying)).toMatchObject({
    code: 1,
    status: "FAILED",
    reason: expect.stringMatching(/^quay\.io sent other bytes than promised \(read quay\.io\/proof\/lies-.*\): the bytes have the digest /),
  });
  const ecr = new ECRClient(lab.accounts.config());
  const { layers } = await ecr.send(
    new BatchCheckLayerAvailabilityCommand({ repositoryName: `quay/${repository}`, layerDigests: [digestOf(layer)] }),
  );
  expect(layers?.map(({ layerAvailability }) => layerAvailability)).toEqual(["UNAVAILABLE"]);
  expect((await ecr.send(new DescribeImagesCommand({ repositoryName: `quay/${repository}` }))).imageDetails).toEqual([]);
  await using honest = await faultProxy(lab.upstream.url, () => undefined);
  expect(await pull(repository, honest)).toMatchObject({ code: 0, status: "PULLED" });
});

test.each(SIZES)("a layer %s that comes with other bytes once arrives all the same", async (_how, size) => {
  const [repository, layer] = [`proof/slips-${size}`, noise(`slips ${size}`, size)];
  await lab.push(repository, layer);
  await using slipping = await faultProxy(lab.upstream.url, ({ method, path }, before) =>
    method === "GET" && path.endsWith(`blobs/${digestOf(layer)}`) && before === 0 ? { kind: "flip" } : undefined,
  );
  expect(await pull(repository, slipping)).toMatchObject({ code: 0, status: "PULLED" });
  expect(slipping.count("GET", digestOf(layer))).toBe(2);
});

test.each([
  ["a registry that knows ranges", false],
  ["one that sends everything again", true],
])("a layer that is shorter or longer than its manifest says is told so, after a second look: of %s", async (_how, isWhole) => {
  const { upstream } = lab;
  await using client = registryClient();
  const names = [-1, 1].flatMap((more) =>
    SIZES.map(([, size]) => ({ size, said: size + more, name: `proof/sized-${size}${more}-${isWhole}` })),
  );
  for (const { name, size, said } of names) {
    const repository = client.repository({ registry: upstream.host, repository: name });
    const { digest } = await pushSample(repository, "right", { layers: [noise(name, size)] });
    const manifest = JSON.parse((await repository.getManifest(digest))!.bytes.toString("utf8")) as { layers: { size: number }[] };
    manifest.layers[0]!.size = said;
    await repository.putManifest("1", { mediaType: MEDIA_TYPES.ociManifest, bytes: Buffer.from(JSON.stringify(manifest)) });
    await using seen = await faultProxy(upstream.url, () => (isWhole ? { kind: "dropRange" } : undefined));
    const layer = digestOf(noise(name, size));
    const says =
      said > size
        ? `it sends ${size} of the ${said} bytes that the manifest names`
        : `it sends more than the ${said} bytes that the manifest names`;
    expect(await pull(name, seen)).toMatchObject({
      code: 1,
      status: "FAILED",
      reason: `quay.io sent other bytes than promised (read quay.io/${name}@${layer} at ${seen.url}): ${says}`,
    });
    expect(seen.count("GET", layer)).toBe(2);
  }
});

test("what ECR turns down in words of its own is read again and proved before it is upstream's fault", async () => {
  const [repository, layer] = ["proof/turned-down", noise("turned down", 5_000_000)];
  await lab.push(repository, layer);
  const { accounts } = lab;
  const body = '{"errors":[{"code":"UNKNOWN","message":"no"}]}';
  await using entrance = await faultProxy(accounts.url, ({ method, path }) =>
    method === "PUT" && path.includes(encodeURIComponent(digestOf(layer))) ? { kind: "answer", status: 400, body } : undefined,
  );
  const configFile = join(accounts.dataDir, "aws-config-of-the-entrance");
  writeFileSync(configFile, readFileSync(accounts.configFile, "utf8").replaceAll(accounts.url, entrance.url));
  await using lying = await faultProxy(lab.upstream.url, ({ path }) =>
    path.endsWith(`blobs/${digestOf(layer)}`) ? { kind: "flip" } : undefined,
  );
  expect(await pull(repository, lying, configFile)).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^quay\.io sent other bytes than promised/),
  });
  await using honest = await faultProxy(lab.upstream.url, () => undefined);
  expect(await pull(repository, honest, configFile)).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/amazonaws\.com refuses .*400 UNKNOWN: no/),
  });
  expect(honest.count("GET", digestOf(layer))).toBe(2);
});
