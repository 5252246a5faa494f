import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { faultProxy } from "../oci/testing/fault-proxy.ts";
import { copyObject, listObjects, readObject, statObject } from "./objects.ts";
import { isPassing } from "./passing.ts";
import { s3 } from "./services/s3.ts";

// What omx does with an S3 that keeps its connections and says nothing, or is that of another region.

const at = { bucket: "silent", key: "bundle/definition.zip" };
const content = Buffer.alloc(300_000, "acgt");

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
  const plain = new S3Client(accounts.config());
  await plain.send(new CreateBucketCommand({ Bucket: at.bucket }));
  await plain.send(new PutObjectCommand({ Bucket: at.bucket, Key: at.key, Body: content }));
});
afterAll(() => accounts[Symbol.asyncDispose]());

const clientAt = (endpoint: string) => s3({ region: "us-east-1", endpoint, credentials: accounts.config().credentials }, 500);

test("an object that falls silent is read on where it did, and copied whole", async () => {
  await using proxy = await faultProxy(accounts.url, ({ method, headers }) =>
    method === "GET" && headers.range === undefined ? { kind: "silence", afterBytes: 100_000 } : undefined,
  );
  const client = clientAt(proxy.url);
  expect((await readObject(client, at)).equals(content)).toBe(true);
  const copy = { ...at, key: "copy" };
  await copyObject({ s3: client, ...at }, { s3: client, ...copy });
  expect(await statObject(client, copy)).toMatchObject({ size: content.length });
}, 60_000);

test("one that stays silent ends with what was waited for, as something that may pass", async () => {
  await using proxy = await faultProxy(accounts.url, ({ method, headers }) =>
    method === "GET" ? { kind: "silence", afterBytes: headers.range === undefined ? 100_000 : 0 } : undefined,
  );
  const failure = await readObject(clientAt(proxy.url), at).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    name: "ObjectCutShort",
    message: expect.stringMatching(/^s3:\/\/silent\/bundle\/definition\.zip: .*after 100000 bytes: .*inactivity/) as string,
  });
  expect(isPassing(failure)).toBe(true);
}, 60_000);

test("a request that nobody answers ends by the same", async () => {
  await using proxy = await faultProxy(accounts.url, () => ({ kind: "hold", until: new Promise(() => undefined) }));
  const client = clientAt(proxy.url);
  const asked = [readObject(client, at), statObject(client, at), listObjects(client, at).next()];
  for (const failure of await Promise.all(
    asked.map((each) =>
      each.then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  )) {
    expect(failure).toMatchObject({
      name: "TimeoutError",
      message: expect.stringMatching(/^s3:\/\/silent\/bundle\/definition\.zip: .*inactivity/) as string,
    });
    expect(isPassing(failure)).toBe(true);
  }
}, 60_000);

test("a bucket that is asked for in another region is told with its own", async () => {
  const elsewhere = s3({ region: "eu-west-1", endpoint: accounts.url, credentials: accounts.config().credentials });
  for (const ask of [readObject, statObject, (...of: Parameters<typeof readObject>) => listObjects(...of).next()])
    await expect(ask(elsewhere, at)).rejects.toThrow(
      "s3://silent/bundle/definition.zip: the bucket is in us-east-1, and was asked for in another region",
    );
});
