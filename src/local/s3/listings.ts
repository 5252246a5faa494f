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
import type { ObjectVersion } from "./store.ts";

const PAGE = 1000;

/** ListObjects, ListObjectsV2 and ListObjectVersions. */
export function listingOperations(s3: S3) {
  return { ...objectListings(s3), ...versionListing(s3) };
}

function objectListings({ store, access }: S3) {
  return {
    ListObjectsV2: operation<ListObjectsV2Request, ListObjectsV2Output>({
      access: access.list("ListBucket"),
      run(input) {
        const { name } = store.bucket(input.Bucket);
        const limit = pageSize(input.MaxKeys);
        const after = input.ContinuationToken ? decodeToken(input.ContinuationToken) : (input.StartAfter ?? "");
        const page = listKeys(store.objects, { bucket: name, prefix: input.Prefix ?? "", delimiter: input.Delimiter ?? "", after, limit });
        const write = encoder(input.EncodingType);
        return {
          ...echo(input, write),
          Name: name,
          MaxKeys: limit,
          KeyCount: page.items.length + page.commonPrefixes.length,
          IsTruncated: page.next !== undefined,
          Contents: page.items.map((item) => describe(item, write)),
          CommonPrefixes: page.commonPrefixes.map((Prefix) => ({ Prefix: write(Prefix) })),
          ...(input.ContinuationToken && { ContinuationToken: input.ContinuationToken }),
          ...(input.StartAfter && { StartAfter: write(input.StartAfter) }),
          ...(page.next !== undefined && { NextContinuationToken: encodeToken(page.next) }),
        };
      },
    }),
    ListObjects: operation<ListObjectsRequest, ListObjectsOutput>({
      access: access.list("ListBucket"),
      run(input) {
        const { name } = store.bucket(input.Bucket);
        const limit = pageSize(input.MaxKeys);
        const page = listKeys(store.objects, {
          bucket: name,
          prefix: input.Prefix ?? "",
          delimiter: input.Delimiter ?? "",
          after: input.Marker ?? "",
          limit,
        });
        const write = encoder(input.EncodingType);
        return {
          ...echo(input, write),
          Name: name,
          MaxKeys: limit,
          Marker: write(input.Marker ?? ""),
          IsTruncated: page.next !== undefined,
          Contents: page.items.map((item) => describe(item, write)),
          CommonPrefixes: page.commonPrefixes.map((Prefix) => ({ Prefix: write(Prefix) })),
          ...(page.next !== undefined && { NextMarker: write(page.next) }),
        };
      },
    }),
  };
}

function versionListing({ store, access }: S3) {
  return {
    ListObjectVersions: operation<ListObjectVersionsRequest, ListObjectVersionsOutput>({
      access: access.list("ListBucketVersions"),
      run(input) {
        const bucket = store.bucket(input.Bucket);
        const limit = pageSize(input.MaxKeys);
        const all = bucket.versioning
          ? store.versions.list(
              [bucket.name],
              input.KeyMarker ? { after: [bucket.name, input.KeyMarker, "\u{10ffff}"], limit: limit + 1 } : { limit: limit + 1 },
            )
          : store.objects.list(
              [bucket.name],
              input.KeyMarker ? { after: [bucket.name, input.KeyMarker], limit: limit + 1 } : { limit: limit + 1 },
            );
        const versions = all.map((entry) => entry.value).filter((version) => version.key.startsWith(input.Prefix ?? ""));
        const page = wholeKeys(versions, limit);
        const latest = new Set(page.filter((version, index) => page[index - 1]?.key !== version.key).map((version) => version.order));
        const row = (version: ObjectVersion) => ({
          Key: version.key,
          VersionId: version.versionId,
          IsLatest: latest.has(version.order),
          LastModified: new Date(version.lastModified),
        });
        const truncated = page.length < versions.length;
        return {
          Name: bucket.name,
          Prefix: input.Prefix ?? "",
          MaxKeys: limit,
          IsTruncated: truncated,
          ...(truncated && { NextKeyMarker: page.at(-1)?.key ?? "", NextVersionIdMarker: page.at(-1)?.versionId ?? "" }),
          Versions: page
            .filter((version) => !version.isDeleteMarker)
            .map((version) => ({ ...row(version), ETag: quoted(version.etag), Size: version.size, StorageClass: "STANDARD" })),
          DeleteMarkers: page.filter((version) => version.isDeleteMarker).map(row),
        };
      },
    }),
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
