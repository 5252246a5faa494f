import type {
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
  ListObjectVersionsOutput,
  ListObjectVersionsRequest,
} from "@aws-sdk/client-s3";
import { operation } from "../gateway/service.ts";
import type { Key } from "../storage/database.ts";
import { invalidArgument } from "./errors.ts";
import { isBefore, listKeys } from "./listing.ts";
import { quoted } from "./objects.ts";
import type { S3 } from "./service.ts";
import type { Bucket, ObjectVersion, Store } from "./store.ts";

const PAGE = 1000;

/** ListObjects, ListObjectsV2 and ListObjectVersions. */
export function listingOperations(s3: S3) {
  return { ListObjectsV2: listObjectsV2(s3), ListObjects: listObjects(s3), ListObjectVersions: listObjectVersions(s3) };
}

function listObjectsV2({ store, access }: S3) {
  return operation<ListObjectsV2Request, ListObjectsV2Output>({
    access: access.list("ListBucket"),
    run(input) {
      const after = input.ContinuationToken ? decodeToken(input.ContinuationToken) : (input.StartAfter ?? "");
      const { shared, write, next } = listObjectsAfter(store, input, after);
      return {
        ...shared,
        KeyCount: shared.Contents.length + shared.CommonPrefixes.length,
        ...(input.ContinuationToken && { ContinuationToken: input.ContinuationToken }),
        ...(input.StartAfter && { StartAfter: write(input.StartAfter) }),
        ...(next !== undefined && { NextContinuationToken: encodeToken(next) }),
      };
    },
  });
}

function listObjects({ store, access }: S3) {
  return operation<ListObjectsRequest, ListObjectsOutput>({
    access: access.list("ListBucket"),
    run(input) {
      const { shared, write, next } = listObjectsAfter(store, input, input.Marker ?? "");
      return { ...shared, Marker: write(input.Marker ?? ""), ...(next !== undefined && { NextMarker: write(next) }) };
    },
  });
}

/** One page behind the key `after`: what both listings of objects answer, how they write keys, and the key to go on from. */
function listObjectsAfter(store: Store, input: ListObjectsRequest | ListObjectsV2Request, after: string) {
  const { name } = store.bucket(input.Bucket);
  const limit = pageSize(input.MaxKeys);
  const page = listKeys(store.objects, { bucket: name, prefix: input.Prefix ?? "", delimiter: input.Delimiter ?? "", after, limit });
  const write = encoder(input.EncodingType);
  const shared = {
    ...echo(input, write),
    Name: name,
    MaxKeys: limit,
    IsTruncated: page.next !== undefined,
    Contents: page.items.map((item) => describe(item, write)),
    CommonPrefixes: page.commonPrefixes.map((Prefix) => ({ Prefix: write(Prefix) })),
  };
  return { shared, write, next: page.next };
}

function listObjectVersions({ store, access }: S3) {
  return operation<ListObjectVersionsRequest, ListObjectVersionsOutput>({
    access: access.list("ListBucketVersions"),
    run(input) {
      const bucket = store.bucket(input.Bucket);
      const limit = pageSize(input.MaxKeys);
      const versions = versionsBehind(store, bucket, input, limit + 1);
      const page = versions.slice(0, limit);
      const last = versions.length > limit ? page.at(-1) : undefined;
      return {
        Name: bucket.name,
        Prefix: input.Prefix ?? "",
        MaxKeys: limit,
        IsTruncated: last !== undefined,
        ...(last && { NextKeyMarker: last.key, NextVersionIdMarker: last.versionId }),
        ...describeVersions(store, bucket, page),
      };
    },
  });
}

/** The first versions behind the markers, of the keys with the prefix; of a bucket that never had versions, its objects. */
function versionsBehind(
  store: Store,
  { name, versioning }: Bucket,
  input: ListObjectVersionsRequest,
  limit: number,
): readonly ObjectVersion[] {
  const { Prefix: prefix = "", KeyMarker: marker = "" } = input;
  if (!versioning) return listKeys(store.objects, { bucket: name, prefix, delimiter: "", after: marker, limit }).items;
  const isBehindPrefix = marker !== "" && !isBefore(marker, prefix);
  const after = isBehindPrefix ? behindMarkers(store, [name, marker], input.VersionIdMarker) : [name, prefix];
  const versions = store.versions.list([name], { after, limit }).map((entry) => entry.value);
  return versions.filter(({ key }) => key.startsWith(prefix));
}

function behindMarkers({ versions }: Store, key: Key, versionId: string | undefined): Key {
  // Behind every version of the key: the last character of all comes after what any of them is stored under.
  if (!versionId) return [...key, "\u{10ffff}"];
  // Whoever deletes what a page lists deletes the version where it ended: what is left of its key is next.
  return versions.list(key).find(({ value }) => value.versionId === versionId)?.key ?? key;
}

/** The versions and the delete markers of a page. */
function describeVersions(
  store: Store,
  { name, versioning }: Bucket,
  page: readonly ObjectVersion[],
): Pick<ListObjectVersionsOutput, "Versions" | "DeleteMarkers"> {
  // The latest version of a key is stored before its others.
  const isLatest = ({ key, order }: ObjectVersion): boolean =>
    !versioning || store.versions.list([name, key], { limit: 1 })[0]?.value.order === order;
  const row = (version: ObjectVersion) => ({
    Key: version.key,
    VersionId: version.versionId,
    IsLatest: isLatest(version),
    LastModified: new Date(version.lastModified),
  });
  return {
    Versions: page
      .filter((version) => !version.isDeleteMarker)
      .map((version) => ({ ...row(version), ETag: quoted(version.etag), Size: version.size, StorageClass: "STANDARD" })),
    DeleteMarkers: page.filter((version) => version.isDeleteMarker).map(row),
  };
}

function pageSize(asked: number | undefined): number {
  if (asked !== undefined && asked < 0) throw invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647");
  return Math.min(asked ?? PAGE, PAGE);
}

const encodeToken = (key: string): string => Buffer.from(key).toString("base64url");
const decodeToken = (token: string): string => Buffer.from(token, "base64url").toString("utf8");

/** `encoding-type=url`: for clients whose XML parser would trip over control characters. */
const encoder =
  (type: string | undefined) =>
  (text: string): string =>
    type === "url" ? encodeURIComponent(text).replaceAll("%2F", "/") : text;

const echo = (
  input: { readonly Prefix?: string | undefined; readonly Delimiter?: string | undefined; readonly EncodingType?: "url" | undefined },
  write: (text: string) => string,
) => ({
  Prefix: write(input.Prefix ?? ""),
  ...(input.Delimiter && { Delimiter: write(input.Delimiter) }),
  ...(input.EncodingType && { EncodingType: input.EncodingType }),
});

const describe = (object: ObjectVersion, write: (text: string) => string) => ({
  Key: write(object.key),
  LastModified: new Date(object.lastModified),
  ETag: quoted(object.etag),
  Size: object.size,
  StorageClass: "STANDARD" as const,
});
