import { BatchDeleteImageCommand, BatchGetImageCommand, DeleteRepositoryCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { memoryBlob, noise, pushSample } from "../../../oci/testing/sample-images.ts";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { createRepository, signIn } from "../testing/registry.ts";
import { shiftingClock, until } from "../testing/upstream.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const HOUR_MS = 3_600_000;
const isStored = ({ accounts }: TestAccounts, bytes: Buffer): boolean => accounts.core.blobs.has(digestOf(bytes).slice("sha256:".length));

test("bytes of deleted images are freed a day later, but for those that an image, an object or a push still needs", async () => {
  const clock = shiftingClock();
  await using accounts = await startAccounts({}, clock);
  await using user = await signIn(accounts);
  const s3 = new S3Client(accounts.config());
  const [alone, shared, inBucket, pushed, gone] = ["alone", "shared", "in-bucket", "pushed", "gone"].map((seed) => noise(seed, 10_000)) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  for (const name of ["a", "b", "c"]) await createRepository(user.ecr, `freeing/${name}`);
  const { digest } = await pushSample(user.repository("freeing/a"), "1", { layers: [alone, shared, inBucket] });
  await pushSample(user.repository("freeing/a"), "2", { layers: [shared] });
  await pushSample(user.repository("freeing/b"), "1", { layers: [alone] });
  await pushSample(user.repository("freeing/c"), "1", { layers: [gone] });
  await s3.send(new CreateBucketCommand({ Bucket: "freeing" }));
  await s3.send(new PutObjectCommand({ Bucket: "freeing", Key: "same-bytes", Body: inBucket }));
  const { images } = await user.ecr.send(new BatchGetImageCommand({ repositoryName: "freeing/a", imageIds: [{ imageDigest: digest }] }));
  const manifest = Buffer.from(images![0]!.imageManifest!);

  await user.ecr.send(new BatchDeleteImageCommand({ repositoryName: "freeing/a", imageIds: [{ imageDigest: digest }] }));
  await user.ecr.send(new DeleteRepositoryCommand({ repositoryName: "freeing/c", force: true }));
  // A push that has sent its layer and not yet its manifest.
  await user.repository("freeing/a").uploadBlob(memoryBlob(pushed));
  await accounts.restart();
  expect([alone, shared, inBucket, pushed, gone, manifest].map((bytes) => isStored(accounts, bytes))).toEqual([
    true,
    true,
    true,
    true,
    true,
    true,
  ]);

  clock.forward(23 * HOUR_MS);
  await using later = await signIn(accounts);
  // Who asks for a layer may be about to push a manifest that needs it.
  expect((await later.http("HEAD", `freeing/a/blobs/${digestOf(pushed)}`)).status).toBe(200);
  clock.forward(2 * HOUR_MS);
  await until(() => !isStored(accounts, gone) && !isStored(accounts, manifest));
  expect(isStored(accounts, alone)).toBe(true);
  expect((await later.http("HEAD", `freeing/a/blobs/${digestOf(alone)}`)).status).toBe(404);
  expect(await (await later.http("GET", `freeing/b/blobs/${digestOf(alone)}`)).arrayBuffer()).toHaveProperty("byteLength", alone.length);
  expect((await later.http("HEAD", `freeing/a/blobs/${digestOf(shared)}`)).status).toBe(200);
  expect((await later.http("HEAD", `freeing/a/blobs/${digestOf(pushed)}`)).status).toBe(200);
  expect((await later.http("HEAD", `freeing/a/blobs/${digestOf(inBucket)}`)).status).toBe(404);
  const object = await new S3Client(accounts.config()).send(new GetObjectCommand({ Bucket: "freeing", Key: "same-bytes" }));
  expect(digestOf(await object.Body!.transformToByteArray())).toBe(digestOf(inBucket));
});

test("the last image of a layer being deleted takes no layer from the next push of it", async () => {
  const clock = shiftingClock();
  await using accounts = await startAccounts({}, clock);
  await using user = await signIn(accounts);
  await createRepository(user.ecr, "again");
  const layers = [noise("again", 10_000)];
  const { digest } = await pushSample(user.repository("again"), "1", { layers });
  await user.ecr.send(new BatchDeleteImageCommand({ repositoryName: "again", imageIds: [{ imageDigest: digest }] }));
  await pushSample(user.repository("again"), "2", { layers });
  const left = (await user.http("POST", "again/blobs/uploads/")).headers.get("location")!;
  clock.forward(48 * HOUR_MS);
  await accounts.restart();
  await using later = await signIn(accounts);
  expect((await later.http("HEAD", "again/manifests/2")).status).toBe(200);
  // So long nobody has continued it.
  expect((await later.http("GET", left)).status).toBe(404);
  expect(await (await later.http("GET", `again/blobs/${digestOf(layers[0]!)}`)).arrayBuffer()).toHaveProperty("byteLength", 10_000);
});
