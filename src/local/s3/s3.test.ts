import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsOutput,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let s3: S3Client;
let count = 0;
beforeAll(async () => {
  accounts = await startAccounts();
  s3 = new S3Client(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

async function newBucket(): Promise<string> {
  const Bucket = `bucket-${process.pid}-${count++}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}
const text = async (Bucket: string, Key: string, rest: object = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...rest }))).Body?.transformToString();

test("an object comes back as it was put, with its metadata and checksum", async () => {
  const Bucket = await newBucket();
  const Key = "a b/ü+(x)'*&";
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello", Metadata: { who: "me" }, ContentType: "text/plain" }));
  const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  expect(await got.Body?.transformToString()).toBe("hello");
  expect(got).toMatchObject({
    Metadata: { who: "me" },
    ContentType: "text/plain",
    ContentLength: 5,
    ETag: '"5d41402abc4b2a76b9719d911017c592"',
  });
  expect(got.ChecksumCRC32).toBeDefined();
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({ ContentLength: 5 });
});

test("a streamed body of unknown framing arrives whole", async () => {
  const Bucket = await newBucket();
  const Body = Readable.from(Array.from({ length: 100 }, (_, index) => Buffer.from(`line ${index}\n`)));
  await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: 790 }));
  expect((await text(Bucket, "stream"))?.split("\n").length).toBe(101);
});

test("ranges, missing keys and missing buckets answer as S3 does", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "0123456789" }));
  expect(await text(Bucket, "k", { Range: "bytes=2-4" })).toBe("234");
  expect(await text(Bucket, "k", { Range: "bytes=-3" })).toBe("789");
  await expect(text(Bucket, "k", { Range: "bytes=20-" })).rejects.toMatchObject({ name: "InvalidRange" });
  await expect(text(Bucket, "nothing")).rejects.toMatchObject({ name: "NoSuchKey" });
  await expect(text("no-such-bucket-here", "k")).rejects.toMatchObject({ name: "NoSuchBucket" });
});

test("listing pages, groups by delimiter and keeps the order of bytes", async () => {
  const Bucket = await newBucket();
  for (const Key of ["a/1", "a/2", "b", "c/x/1", "c/y", "é"]) await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  const grouped = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
  expect(grouped.Contents?.map((object) => object.Key)).toEqual(["b", "é"]);
  expect(grouped.CommonPrefixes?.map((prefix) => prefix.Prefix)).toEqual(["a/", "c/"]);
  const seen: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, ...(ContinuationToken && { ContinuationToken }) }));
    seen.push(...(page.Contents ?? []).map((object) => object.Key ?? ""));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  expect(seen).toEqual(["a/1", "a/2", "b", "c/x/1", "c/y", "é"]);
  expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "c/" }))).KeyCount).toBe(2);
  expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "b", MaxKeys: 1 }))).Contents?.[0]?.Key).toBe("b");
});

test("an upload in parts becomes one object with the ETag of its parts", async () => {
  const Bucket = await newBucket();
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "big" }));
  const bodies = [Buffer.alloc(5 * 1024 * 1024, "a"), Buffer.from("tail")];
  const Parts = [];
  for (const [index, Body] of bodies.entries()) {
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key: "big", UploadId, PartNumber: index + 1, Body }));
    Parts.push({ ETag, PartNumber: index + 1 });
  }
  const done = await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "big", UploadId, MultipartUpload: { Parts } }));
  expect(done.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
  expect(await text(Bucket, "big", { Range: `bytes=${5 * 1024 * 1024 - 2}-${5 * 1024 * 1024 + 1}` })).toBe("aata");
});

test("a versioned bucket hides a deleted object and gives old versions back", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "one" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "two" }));
  const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
  expect(marker.DeleteMarker).toBe(true);
  await expect(text(Bucket, "k")).rejects.toMatchObject({ name: "NoSuchKey" });
  expect(await text(Bucket, "k", { VersionId })).toBe("one");
  const versions = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  expect([versions.Versions?.length, versions.DeleteMarkers?.length]).toEqual([2, 1]);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "k", VersionId: marker.VersionId }));
  expect(await text(Bucket, "k")).toBe("two");
  await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: "BucketNotEmpty" });
});

test.each([true, false])("versions are listed page by page, of the keys with a prefix, whole (versioning: %s)", async (isVersioned) => {
  const Bucket = await newBucket();
  if (isVersioned) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const keys = ["a/1", "a/2", "a/3", "b", "b/1", "b/1", "b/1", "b/2", "ba", "c"];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const listed = async (Prefix: string, MaxKeys: number) => {
    const found: string[] = [];
    let [KeyMarker, VersionIdMarker]: (string | undefined)[] = [];
    for (let isMore = true; isMore;) {
      const page: ListObjectVersionsOutput = await s3.send(
        new ListObjectVersionsCommand({ Bucket, Prefix, MaxKeys, KeyMarker, VersionIdMarker }),
      );
      for (const { Key, VersionId, IsLatest } of page.Versions ?? []) found.push(`${Key} ${VersionId} ${IsLatest ? "latest" : "older"}`);
      [isMore, KeyMarker, VersionIdMarker] = [page.IsTruncated ?? false, page.NextKeyMarker, page.NextVersionIdMarker];
    }
    return found;
  };
  const all = await listed("", 1000);
  expect(all.map((version) => version.split(" ")[0])).toEqual(isVersioned ? keys : [...new Set(keys)]);
  expect(all.filter((version) => version.startsWith("b/1 ")).map((version) => version.split(" ")[2])).toEqual(
    isVersioned ? ["latest", "older", "older"] : ["latest"],
  );
  for (const prefix of ["", "b", "b/", "b/1", "c", "none"])
    for (const size of [1, 2, 3]) expect(await listed(prefix, size)).toEqual(all.filter((version) => version.startsWith(prefix)));
});

test("what a bucket held before it had versions is a version too", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutObjectCommand({ Bucket, Key: "old", Body: "x" }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  expect(Versions).toMatchObject([{ Key: "old", VersionId: "null", IsLatest: true }]);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "old", VersionId: "null" }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

test("versions that are deleted while they are listed are no end of the list", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  for (const Key of ["a", "a", "a", "b"]) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  let markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = {};
  for (let isMore = true; isMore;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }));
    for (const { Key, VersionId } of page.Versions ?? []) await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    isMore = page.IsTruncated ?? false;
    markers = { KeyMarker: page.NextKeyMarker ?? "", VersionIdMarker: page.NextVersionIdMarker ?? "" };
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

test("copies, deletes many, and lists what is left", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutObjectCommand({ Bucket, Key: "a b", Body: "x", Metadata: { kept: "yes" } }));
  await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/a%20b` }));
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key: "copy" }))).toMatchObject({ Metadata: { kept: "yes" } });
  await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "a b" }, { Key: "copy" }] } }));
  expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

test("a presigned URL works without a signature in its headers, a changed one does not", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "shared" }));
  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "k" }), { expiresIn: 60 });
  expect(await (await fetch(url)).text()).toBe("shared");
  expect((await fetch(url.replace("/k?", "/other?"))).status).toBe(403);
  expect((await fetch(`${accounts.url}/${Bucket}/k`)).status).toBe(403);
});

test("another account reads only what the bucket's policy opens", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutObjectCommand({ Bucket, Key: "open/k", Body: "x" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "closed/k", Body: "x" }));
  const production = new S3Client(accounts.config("production"));
  await expect(production.send(new GetObjectCommand({ Bucket, Key: "open/k" }))).rejects.toMatchObject({ name: "AccessDenied" });
  const statement = {
    Effect: "Allow",
    Principal: { AWS: "444455556666" },
    Action: "s3:GetObject",
    Resource: `arn:aws:s3:::${Bucket}/open/*`,
  };
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }) }));
  expect(await (await production.send(new GetObjectCommand({ Bucket, Key: "open/k" }))).Body?.transformToString()).toBe("x");
  await expect(production.send(new GetObjectCommand({ Bucket, Key: "closed/k" }))).rejects.toMatchObject({ name: "AccessDenied" });
});

test("a new bucket is private, encrypted and in its region; only its account lists it", async () => {
  const Bucket = await newBucket();
  expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
  expect(
    (await s3.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration?.Rules?.[0]
      ?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
  ).toBe("AES256");
  expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toContain(Bucket);
  expect((await new S3Client(accounts.config("production")).send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
});

test("a write that must not replace is refused when something is there", async () => {
  const Bucket = await newBucket();
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "1", IfNoneMatch: "*" }));
  await expect(s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "2", IfNoneMatch: "*" }))).rejects.toMatchObject({
    name: "PreconditionFailed",
  });
});

test("what was put before a restart is there after it", async () => {
  await using own = await startAccounts();
  const client = new S3Client(own.config());
  await client.send(new CreateBucketCommand({ Bucket: "kept-bucket" }));
  await client.send(new PutObjectCommand({ Bucket: "kept-bucket", Key: "k", Body: "kept" }));
  await own.restart();
  const again = new S3Client(own.config());
  expect(await (await again.send(new GetObjectCommand({ Bucket: "kept-bucket", Key: "k" }))).Body?.transformToString()).toBe("kept");
});

test("a bucket that is not of the expected owner is refused", async () => {
  const Bucket = await newBucket();
  const [own, other] = [{ ExpectedBucketOwner: "111122223333" }, { ExpectedBucketOwner: "444455556666" }];
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ...own }));
  await expect(text(Bucket, "k", other)).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(s3.send(new ListObjectsV2Command({ Bucket, ...other }))).rejects.toMatchObject({ name: "AccessDenied" });
  expect(await text(Bucket, "k", own)).toBe("x");
});

test("a bucket of another region is refused before IAM is asked, with its region for whoever follows", async () => {
  const Bucket = "of-ireland";
  const there = new S3Client({ ...accounts.config(), region: "eu-west-1" });
  await there.send(new CreateBucketCommand({ Bucket }));
  await there.send(new PutObjectCommand({ Bucket, Key: "k", Body: "hello" }));
  const redirected = { $metadata: { httpStatusCode: 301 }, $response: { headers: { "x-amz-bucket-region": "eu-west-1" } } };
  const stranger = new S3Client(accounts.config("production"));
  for (const client of [s3, stranger]) {
    await expect(client.send(new GetObjectCommand({ Bucket, Key: "k" }))).rejects.toMatchObject({
      ...redirected,
      name: "PermanentRedirect",
      Bucket,
      Endpoint: `${Bucket}.s3.eu-west-1.amazonaws.com`,
    });
    await expect(client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }))).rejects.toMatchObject({
      ...redirected,
      name: "PermanentRedirect",
    });
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: "k" }))).rejects.toMatchObject(redirected);
    await expect(client.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject(redirected);
  }
  expect((await fetch(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "k" })), { redirect: "manual" })).status).toBe(301);
  expect(await (await fetch(await getSignedUrl(there, new GetObjectCommand({ Bucket, Key: "k" })))).text()).toBe("hello");

  const following = new S3Client({ ...accounts.config(), followRegionRedirects: true });
  expect(await (await following.send(new GetObjectCommand({ Bucket, Key: "k" }))).Body?.transformToString()).toBe("hello");
  expect(await following.send(new HeadBucketCommand({ Bucket }))).toMatchObject({ BucketRegion: "eu-west-1" });
  const here = await newBucket();
  await s3.send(new CopyObjectCommand({ Bucket: here, Key: "copy", CopySource: `${Bucket}/k` }));
  expect(await text(here, "copy")).toBe("hello");
  expect((await s3.send(new ListBucketsCommand({}))).Buckets).toContainEqual(
    expect.objectContaining({ Name: Bucket, BucketRegion: "eu-west-1" }),
  );
  await expect(s3.send(new CreateBucketCommand({ Bucket }))).rejects.toMatchObject({ name: "BucketAlreadyOwnedByYou" });
});
