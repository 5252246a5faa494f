import type {
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
  ListObjectVersionsOutput,
  ListObjectVersionsRequest,
} from "@aws-sdk/client-s3";
import { operation } from "../gateway/service.ts";
import { invalidArgument } from "./errors.ts";
import { listKeys } from "./listing.ts";
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
      const versions = versionsBehind(store, bucket, input.KeyMarker, limit + 1).filter(({ key }) => key.startsWith(input.Prefix ?? ""));
      const page = wholeKeys(versions, limit);
      const truncated = page.length < versions.length;
      return {
        Name: bucket.name,
        Prefix: input.Prefix ?? "",
        MaxKeys: limit,
        IsTruncated: truncated,
        ...(truncated && { NextKeyMarker: page.at(-1)?.key ?? "", NextVersionIdMarker: page.at(-1)?.versionId ?? "" }),
        ...describeVersions(page),
      };
    },
  });
}

/** The first versions whose keys come after the marker: of a bucket that never had versions, its objects. */
function versionsBehind(
  store: Store,
  { name, versioning }: Bucket,
  keyMarker: string | undefined,
  limit: number,
): readonly ObjectVersion[] {
  // A key's versions are stored under the key: the last character of all skips every one of the marker's.
  const marker = versioning ? [name, keyMarker ?? "", "\u{10ffff}"] : [name, keyMarker ?? ""];
  const stored = versioning ? store.versions : store.objects;
  return stored.list([name], { limit, ...(keyMarker && { after: marker }) }).map((entry) => entry.value);
}

/** The versions and the delete markers of a page; a key's latest version is the first of the key. */
function describeVersions(page: readonly ObjectVersion[]): Pick<ListObjectVersionsOutput, "Versions" | "DeleteMarkers"> {
  const rows = page.map((version, index) => ({
    version,
    row: {
      Key: version.key,
      VersionId: version.versionId,
      IsLatest: page[index - 1]?.key !== version.key,
      LastModified: new Date(version.lastModified),
    },
  }));
  return {
    Versions: rows
      .filter(({ version }) => !version.isDeleteMarker)
      .map(({ version, row }) => ({ ...row, ETag: quoted(version.etag), Size: version.size, StorageClass: "STANDARD" as const })),
    DeleteMarkers: rows.filter(({ version }) => version.isDeleteMarker).map(({ row }) => row),
  };
}

/** Cuts a page between keys, not inside one, unless a single key fills it. */
function wholeKeys(versions: readonly ObjectVersion[], limit: number): readonly ObjectVersion[] {
  if (versions.length <= limit) return versions;
  const next = versions[limit]?.key;
  const cut = versions.findIndex((version) => version.key === next);
  return versions.slice(0, cut > 0 ? cut : limit);
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
