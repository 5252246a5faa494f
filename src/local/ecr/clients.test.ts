import { DescribeImagesCommand, GetDownloadUrlForLayerCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../oci/digest.ts";
import { CICD, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { createRepository, type RegistryUser, signIn } from "./testing/registry.ts";
import { shiftingClock } from "./testing/upstream.ts";

// What BuildKit, containerd, crane, oras and docker send, as they send it (behaviour.md, "Clients").

// Each starts accounts of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const [INDEX, MANIFEST] = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"] as const;

let accounts: TestAccounts;
let user: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  user = await signIn(accounts);
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

interface Part {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function blob(repository: string, mediaType: string, text: string): Promise<Part> {
  const digest = digestOf(text);
  expect((await user.http("POST", `${repository}/blobs/uploads/?digest=${digest}`, { body: text })).status).toBe(201);
  return { mediaType, digest, size: text.length };
}

async function put(
  repository: string,
  reference: string,
  manifest: Readonly<Record<string, unknown>> & { readonly mediaType: string },
): Promise<Part & { readonly answer: Response }> {
  const body = JSON.stringify(manifest);
  const digest = digestOf(body);
  const answer = await user.http("PUT", `${repository}/manifests/${reference || digest}`, {
    body,
    headers: { "content-type": manifest.mediaType },
  });
  return { mediaType: manifest.mediaType, digest, size: body.length, answer };
}

const errorOf = async (answer: Response) => ({
  status: answer.status,
  ...((await answer.json()) as { errors: { code: string; message: string }[] }).errors[0],
});
const described = async (repositoryName: string, imageDigest: string) =>
  (await user.ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageDigest }] }))).imageDetails![0];

describe("BuildKit", () => {
  const layerType = "application/vnd.oci.image.layer.v1.tar+zstd";

  test("exports its cache as an image, of zstd layers", async () => {
    await createRepository(user.ecr, "cache/image");
    const layers = [await blob("cache/image", layerType, "layer of a cache")];
    const config = await blob(
      "cache/image",
      "application/vnd.buildkit.cacheconfig.v0",
      '{"layers":[{"blob":"x","parent":-1}],"records":[]}',
    );
    const { answer, digest } = await put("cache/image", "main", { schemaVersion: 2, mediaType: MANIFEST, config, layers });
    expect(answer.status).toBe(201);
    expect(await described("cache/image", digest)).toMatchObject({
      imageTags: ["main"],
      artifactMediaType: "application/vnd.buildkit.cacheconfig.v0",
      imageManifestMediaType: MANIFEST,
      imageSizeInBytes: config.size + layers[0]!.size,
    });
    const pulled = await user.http("GET", "cache/image/manifests/main", {
      headers: { accept: `${INDEX}, ${MANIFEST}, application/vnd.docker.distribution.manifest.v2+json` },
    });
    expect(digestOf(await pulled.text())).toBe(digest);
  });

  test("is told that a cache can't be an index of layers (image-manifest=false)", async () => {
    await createRepository(user.ecr, "cache/index");
    const manifests = [
      await blob("cache/index", layerType, "a layer in an index"),
      await blob("cache/index", "application/vnd.buildkit.cacheconfig.v0", '{"layers":[]}'),
    ];
    const { answer } = await put("cache/index", "main", { schemaVersion: 2, mediaType: INDEX, manifests });
    expect(await errorOf(answer)).toMatchObject({
      status: 400,
      code: "MANIFEST_BLOB_UNKNOWN",
      message: expect.stringContaining(manifests[0]!.digest),
    });
  });

  test("pushes an image with its provenance, whose size is the image's", async () => {
    await createRepository(user.ecr, "attested");
    const config = await blob(
      "attested",
      "application/vnd.oci.image.config.v1+json",
      '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
    );
    const layers = [await blob("attested", layerType, "layer ".repeat(500))];
    const image = await put("attested", "", { schemaVersion: 2, mediaType: MANIFEST, config, layers });
    const statement = await blob("attested", "application/vnd.in-toto+json", '{"_type":"https://in-toto.io/Statement/v0.1"}');
    const attestation = await put("attested", "", { schemaVersion: 2, mediaType: MANIFEST, config, layers: [statement] });
    const manifests = [
      { mediaType: MANIFEST, digest: image.digest, size: image.size, platform: { architecture: "amd64", os: "linux" } },
      {
        mediaType: MANIFEST,
        digest: attestation.digest,
        size: attestation.size,
        annotations: { "vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest" },
        platform: { architecture: "unknown", os: "unknown" },
      },
    ];
    const index = await put("attested", "1", { schemaVersion: 2, mediaType: INDEX, manifests });
    expect([image, attestation, index].map(({ answer }) => answer.status)).toEqual([201, 201, 201]);
    expect(await described("attested", index.digest)).toMatchObject({
      imageTags: ["1"],
      imageManifestMediaType: INDEX,
      imageSizeInBytes: config.size + layers[0]!.size,
    });
  });
});

describe("a refusal is in ECR's words", () => {
  test("for a token, or a link to a layer, that is over", async () => {
    const clock = shiftingClock();
    await using later = await startAccounts({}, clock);
    await using early = await signIn(later);
    await createRepository(early.ecr, "tool");
    expect((await early.http("POST", `tool/blobs/uploads/?digest=${digestOf("layer")}`, { body: "layer" })).status).toBe(201);
    const { downloadUrl = "" } = await early.ecr.send(
      new GetDownloadUrlForLayerCommand({ repositoryName: "tool", layerDigest: digestOf("layer") }),
    );
    expect(await (await fetch(downloadUrl)).text()).toBe("layer");
    clock.forward(13 * 3_600_000);
    for (const path of ["/v2/", "tool/manifests/1", "tool/blobs/uploads/"]) {
      const answer = await early.http(path.endsWith("uploads/") ? "POST" : "GET", path);
      expect(await errorOf(answer)).toEqual({
        status: 403,
        code: "DENIED",
        message: "Your authorization token has expired. Reauthenticate and try again.",
      });
      expect(answer.headers.get("www-authenticate")).toBeNull();
    }
    expect((await fetch(downloadUrl)).status).toBe(403);
  });

  test("for an image and a repository that are not there", async () => {
    await createRepository(user.ecr, "empty");
    for (const reference of ["1", digestOf("nothing")])
      expect(await errorOf(await user.http("GET", `empty/manifests/${reference}`))).toEqual({
        status: 404,
        code: "MANIFEST_UNKNOWN",
        message: "Requested image not found",
      });
    expect(await errorOf(await user.http("POST", "absent/blobs/uploads/"))).toEqual({
      status: 404,
      code: "NAME_UNKNOWN",
      message: `The repository with name 'absent' does not exist in the registry with id '${CICD}'`,
    });
  });

  test("for an immutable tag that another image takes; the same image may come again", async () => {
    await createRepository(user.ecr, "immutable", { imageTagMutability: "IMMUTABLE" });
    const empty = (name: string) => put("immutable", "1", { schemaVersion: 2, mediaType: INDEX, manifests: [], annotations: { name } });
    expect([(await empty("a")).answer.status, (await empty("a")).answer.status]).toEqual([201, 201]);
    expect(await errorOf((await empty("b")).answer)).toEqual({
      status: 400,
      code: "TAG_INVALID",
      message: "The image tag '1' already exists in the 'immutable' repository and cannot be overwritten because the tag is immutable.",
    });
  });
});
