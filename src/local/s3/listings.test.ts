import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type EncodingType,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsOutput,
  ListObjectsCommand,
  type ListObjectsOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsOutput,
  ListPartsCommand,
  type ListPartsOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pythonWithBoto3 } from "../omics/testing/boto.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import type { Upload } from "./store.ts";

let accounts: TestAccounts;
let s3: S3Client;
let count = 0;
beforeAll(async () => {
  accounts = await startAccounts();
  s3 = new S3Client(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

const KEYS = ["a", "a/1", "a/2", "a/2", "b", "b", "c/x/1", "c/y", "d e(1)+~é", "z/"];

async function newBucket(): Promise<string> {
  const Bucket = `listed-${process.pid}-${count++}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
}

async function bucketOfVersions(isVersioned = true): Promise<string> {
  const Bucket = await newBucket();
  if (isVersioned) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  for (const Key of KEYS) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return Bucket;
}

async function bucketOfUploads(): Promise<string> {
  const Bucket = await newBucket();
  for (const Key of KEYS.toReversed()) await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  return Bucket;
}

/** All pages of a listing, `[rows, common prefixes]` of each. */
async function pagesOf<Page>(
  ask: (before: Page | undefined) => Promise<Page>,
  show: (page: Page) => {
    readonly rows: readonly (string | undefined)[];
    readonly prefixes: ListObjectsOutput["CommonPrefixes"];
    more?: boolean | undefined;
  },
): Promise<(readonly [readonly (string | undefined)[], readonly (string | undefined)[]])[]> {
  const pages = [];
  let page: Page | undefined;
  do {
    page = await ask(page);
    const { rows, prefixes = [] } = show(page);
    pages.push([rows, prefixes.map(({ Prefix }) => Prefix)] as const);
  } while (show(page).more);
  return pages;
}

interface Asked {
  readonly Bucket: string;
  readonly Prefix?: string;
  readonly Delimiter?: string;
}

const versionPages = (asked: Asked, MaxKeys: number) =>
  pagesOf<ListObjectVersionsOutput>(
    (before) =>
      s3.send(
        new ListObjectVersionsCommand({
          ...asked,
          MaxKeys,
          KeyMarker: before?.NextKeyMarker,
          VersionIdMarker: before?.NextVersionIdMarker,
        }),
      ),
    (page) => ({ rows: (page.Versions ?? []).map(({ Key }) => Key), prefixes: page.CommonPrefixes, more: page.IsTruncated }),
  );

const uploadPages = (asked: Asked, MaxUploads: number) =>
  pagesOf<ListMultipartUploadsOutput>(
    (before) =>
      s3.send(
        new ListMultipartUploadsCommand({
          ...asked,
          MaxUploads,
          KeyMarker: before?.NextKeyMarker,
          UploadIdMarker: before?.NextUploadIdMarker,
        }),
      ),
    (page) => ({ rows: (page.Uploads ?? []).map(({ Key }) => Key), prefixes: page.CommonPrefixes, more: page.IsTruncated }),
  );

const objectPages = (asked: Asked, MaxKeys: number) =>
  pagesOf<ListObjectsOutput>(
    (before) => s3.send(new ListObjectsCommand({ ...asked, MaxKeys, Marker: before?.NextMarker })),
    (page) => ({ rows: (page.Contents ?? []).map(({ Key }) => Key), prefixes: page.CommonPrefixes, more: page.IsTruncated }),
  );

/** What the API says a listing is: keys with the prefix in order, in the place of those that go on behind a delimiter their common prefix. */
function expected(keys: readonly string[], { Prefix = "", Delimiter = "" }: Asked): [string[], string[]] {
  const [rows, prefixes]: [string[], Set<string>] = [[], new Set()];
  for (const key of keys.filter((one) => one.startsWith(Prefix))) {
    const cut = Delimiter === "" ? -1 : key.indexOf(Delimiter, Prefix.length);
    if (cut < 0) rows.push(key);
    else prefixes.add(key.slice(0, cut + Delimiter.length));
  }
  return [rows, [...prefixes]];
}

test.each([
  { what: "objects", open: () => bucketOfVersions(false), pages: objectPages, keys: [...new Set(KEYS)] },
  { what: "versions", open: () => bucketOfVersions(), pages: versionPages, keys: KEYS },
  { what: "versions of a bucket without any", open: () => bucketOfVersions(false), pages: versionPages, keys: [...new Set(KEYS)] },
  { what: "uploads in parts", open: bucketOfUploads, pages: uploadPages, keys: KEYS },
])("$what are listed whole page by page, with a prefix, grouped by a delimiter", async ({ open, pages, keys }) => {
  const Bucket = await open();
  for (const asked of [
    { Bucket },
    { Bucket, Delimiter: "/" },
    { Bucket, Prefix: "a" },
    { Bucket, Prefix: "a", Delimiter: "/" },
    { Bucket, Prefix: "a/", Delimiter: "/" },
    { Bucket, Prefix: "c/", Delimiter: "/" },
    { Bucket, Delimiter: "/x/" },
    { Bucket, Prefix: "none" },
  ])
    for (const size of [1, 2, 3, 1000]) {
      const found = await pages(asked, size);
      const [rows, prefixes] = expected(keys, asked);
      expect([found.flatMap(([some]) => some), found.flatMap(([, some]) => some)], JSON.stringify({ asked, size })).toEqual([
        rows,
        prefixes,
      ]);
      const sizes = found.map(([some, others]) => some.length + others.length);
      expect(sizes.slice(0, -1).every((one) => one === size)).toBe(true);
      expect(sizes).toHaveLength(Math.max(1, Math.ceil((rows.length + prefixes.length) / size)));
    }
});

test("a marker passes by what shares its common prefix, and is no key that has to be there", async () => {
  const [Bucket, Uploads] = [await bucketOfVersions(), await bucketOfUploads()];
  for (const KeyMarker of ["a/", "a/1", "aa"]) {
    const versions = await s3.send(new ListObjectVersionsCommand({ Bucket, Delimiter: "/", KeyMarker }));
    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket: Uploads, Delimiter: "/", KeyMarker }));
    for (const page of [versions, uploads]) {
      expect(page.CommonPrefixes).toEqual([{ Prefix: "c/" }, { Prefix: "z/" }]);
      expect(page).toMatchObject({ KeyMarker, Delimiter: "/", IsTruncated: false });
    }
    expect(versions.Versions?.map(({ Key }) => Key)).toEqual(["b", "b", "d e(1)+~é"]);
    expect(uploads.Uploads?.map(({ Key }) => Key)).toEqual(["b", "b", "d e(1)+~é"]);
  }
});

test("uploads of one key are listed as they were begun, behind the id of one that may have ended", async () => {
  const Bucket = await newBucket();
  const ids: (string | undefined)[] = [];
  for (let index = 0; index < 5; index++) {
    const before = Date.now();
    while (Date.now() === before); // the order is that of milliseconds
    ids.push((await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "k" }))).UploadId);
  }
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "later" }));
  const list = async (rest: object) => (await s3.send(new ListMultipartUploadsCommand({ Bucket, ...rest }))).Uploads ?? [];
  expect((await list({ Prefix: "k" })).map(({ UploadId }) => UploadId)).toEqual(ids);
  const [first, second] = ids;
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: "k", UploadId: second }));
  expect((await list({ KeyMarker: "k", UploadIdMarker: second, MaxUploads: 3 })).map(({ UploadId }) => UploadId)).toEqual(ids.slice(2));
  expect((await list({ UploadIdMarker: ids[3], MaxUploads: 1 })).map(({ UploadId }) => UploadId)).toEqual([first]);
  expect((await list({ KeyMarker: "k" })).map(({ Key }) => Key)).toEqual(["later"]);
  expect(await list({ MaxUploads: 0 })).toEqual([]);
  await expect(list({ MaxUploads: -1 })).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("keys come URL-encoded where that is asked", async () => {
  const Bucket = await bucketOfVersions();
  for (const Key of KEYS) await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const asked = { Bucket, EncodingType: "url" as EncodingType, Prefix: "d e", Delimiter: "~" };
  const written = { EncodingType: "url", Prefix: "d+e", Delimiter: "%7E", CommonPrefixes: [{ Prefix: "d+e%281%29%2B%7E" }] };
  const after = { KeyMarker: "d (" };
  expect(await s3.send(new ListObjectsV2Command(asked))).toMatchObject(written);
  for (const command of [new ListObjectVersionsCommand({ ...asked, ...after }), new ListMultipartUploadsCommand({ ...asked, ...after })])
    expect(await s3.send(command as ListObjectVersionsCommand)).toMatchObject({ ...written, KeyMarker: "d+%28" });
  const last = { Bucket, EncodingType: "url" as EncodingType, KeyMarker: "c/y" };
  const row = { Key: "d+e%281%29%2B%7E%C3%A9" };
  const next = { NextKeyMarker: row.Key, IsTruncated: true };
  expect(await s3.send(new ListObjectVersionsCommand({ ...last, MaxKeys: 1 }))).toMatchObject({ Versions: [row], ...next });
  expect(await s3.send(new ListMultipartUploadsCommand({ ...last, MaxUploads: 1 }))).toMatchObject({ Uploads: [row], ...next });
});

test("a key that XML cannot hold is listed where it is asked URL-encoded", async () => {
  const [Bucket, Key] = [await newBucket(), "\u0001/x"];
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
  await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const asked = { Bucket, EncodingType: "url" as EncodingType };
  expect((await s3.send(new ListObjectsV2Command(asked))).Contents).toMatchObject([{ Key: "%01/x" }]);
  expect((await s3.send(new ListObjectVersionsCommand(asked))).Versions).toMatchObject([{ Key: "%01/x" }]);
  expect((await s3.send(new ListMultipartUploadsCommand(asked))).Uploads).toMatchObject([{ Key: "%01/x" }]);
});

test("a page that ends with a common prefix names it as the marker to go on from", async () => {
  const [Bucket, Uploads] = [await bucketOfVersions(), await bucketOfUploads()];
  expect(await s3.send(new ListObjectsCommand({ Bucket, Delimiter: "/", MaxKeys: 2 }))).toMatchObject({ NextMarker: "a/" });
  const versions = await s3.send(new ListObjectVersionsCommand({ Bucket, Delimiter: "/", MaxKeys: 2 }));
  const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket: Uploads, Delimiter: "/", MaxUploads: 2 }));
  expect([versions.NextKeyMarker, versions.NextVersionIdMarker]).toEqual(["a/", undefined]);
  expect([uploads.NextKeyMarker, uploads.NextUploadIdMarker]).toEqual(["a/", undefined]);
});

test("parts are listed page by page", async () => {
  const Bucket = await newBucket();
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "k" }));
  for (const PartNumber of [1, 2, 10]) await s3.send(new UploadPartCommand({ Bucket, Key: "k", UploadId, PartNumber, Body: "x" }));
  const list = (rest: object): Promise<ListPartsOutput> => s3.send(new ListPartsCommand({ Bucket, Key: "k", UploadId, ...rest }));
  expect(await list({ MaxParts: 2 })).toMatchObject({ IsTruncated: true, PartNumberMarker: "0", NextPartNumberMarker: "2" });
  expect(await list({ PartNumberMarker: "2" })).toMatchObject({ IsTruncated: false, PartNumberMarker: "2", Parts: [{ PartNumber: 10 }] });
  expect(await list({ MaxParts: 0 })).not.toHaveProperty("NextPartNumberMarker");
  await expect(list({ MaxParts: -1 })).rejects.toMatchObject({ name: "InvalidArgument" });
});

test("an upload that an earlier omx began is listed and given up", async () => {
  await using own = await startAccounts();
  const [Bucket, Key] = ["earlier", "k"];
  const client = new S3Client(own.config());
  await client.send(new CreateBucketCommand({ Bucket }));
  const { UploadId = "" } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const kept = own.accounts.core.database.collection<Upload>("s3.upload");
  const upload = kept.get([Bucket, Key, UploadId]);
  if (!upload) throw new Error("no upload");
  kept.delete([Bucket, Key, UploadId]);
  kept.put([Bucket, UploadId], upload);
  await own.restart();
  const again = new S3Client(own.config());
  expect((await again.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toMatchObject([{ Key, UploadId }]);
  await again.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  expect((await again.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined();
});

const python = pythonWithBoto3();

const PAGINATE = `
import boto3, json, sys
config, versions, uploads = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
s3 = boto3.client("s3", endpoint_url=config["endpoint"], region_name=config["region"],
    aws_access_key_id=config["credentials"]["accessKeyId"], aws_secret_access_key=config["credentials"]["secretAccessKey"])
def keys(operation, member, bucket):
    pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}))
    return [[row["Key"] for page in pages for row in page.get(member, [])], [row["Prefix"] for page in pages for row in page.get("CommonPrefixes", [])]]
print(json.dumps([keys("list_object_versions", "Versions", versions), keys("list_multipart_uploads", "Uploads", uploads)]))
`;

test.runIf(python)("boto3's paginators see every version and upload once", async () => {
  const [versions, uploads] = [await bucketOfVersions(), await bucketOfUploads()];
  const words = ["-c", PAGINATE, JSON.stringify(accounts.config()), versions, uploads];
  const { stdout } = await promisify(execFile)(python ?? "", words, { timeout: 60_000 });
  const whole = expected(KEYS, { Bucket: versions, Delimiter: "/" });
  expect(JSON.parse(stdout)).toEqual([whole, whole]);
});
