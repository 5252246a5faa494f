import type {
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
  ListObjectVersionsOutput,
  ListObjectVersionsRequest,
} from "@aws-sdk/client-s3";
import { operation } from "../gateway/service.ts";
import type { Key } from "../storage/database.ts";
import { behind, type Listing, listKeys, pageSize } from "./listing.ts";
import { quoted } from "./objects.ts";
import type { S3 } from "./service.ts";
import type { Bucket, ObjectVersion, Store } from "./store.ts";

/** What lists keys of a bucket, with a prefix, grouped by a delimiter: objects, their versions, uploads in parts. */
export function listingOperations(s3: S3) {
  return {
    ListObjectsV2: listObjectsV2(s3),
    ListObjects: listObjects(s3),
    ListObjectVersions: listObjectVersions(s3),
    ListMultipartUploads: listMultipartUploads(s3),
  };
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
  const limit = pageSize("maxKeys", input.MaxKeys);
  const page = listKeys(store.objects, { ...selection(input), bucket: name, after: [after], limit });
  const write = encoder(input.EncodingType);
  const shared = {
    ...describePage(page, input, write),
    Name: name,
    MaxKeys: limit,
    Contents: page.items.map((item) => describe(item, write)),
  };
  return { shared, write, next: page.last?.key };
}

function listObjectVersions({ store, access }: S3) {
  return operation<ListObjectVersionsRequest, ListObjectVersionsOutput>({
    access: access.list("ListBucketVersions"),
    run(input) {
      const bucket = store.bucket(input.Bucket);
      const limit = pageSize("maxKeys", input.MaxKeys);
      const page = versionsBehind(store, bucket, input, limit);
      const write = encoder(input.EncodingType);
      return {
        ...describePage(page, input, write),
        Name: bucket.name,
        MaxKeys: limit,
        KeyMarker: write(input.KeyMarker ?? ""),
        VersionIdMarker: input.VersionIdMarker ?? "",
        ...(page.last && { NextKeyMarker: write(page.last.key) }),
        ...(page.last?.item && { NextVersionIdMarker: page.last.item.versionId }),
        ...describeVersions(store, bucket, page.items, write),
      };
    },
  });
}

/** The first versions behind the markers; of a bucket that never had versions, its objects. */
function versionsBehind(
  store: Store,
  { name, versioning }: Bucket,
  input: ListObjectVersionsRequest,
  limit: number,
): Listing<ObjectVersion> {
  const marker = input.KeyMarker ?? "";
  const request = { ...selection(input), bucket: name, limit };
  if (!versioning) return listKeys(store.objects, { ...request, after: [marker] });
  return listKeys(store.versions, { ...request, after: behindMarkers(store, [name, marker], input.VersionIdMarker) });
}

function behindMarkers({ versions }: Store, [bucket = "", key = ""]: Key, versionId: string | undefined): Key {
  if (!versionId) return behind(key);
  // Whoever deletes what a page lists deletes the version where it ended: what is left of its key is next.
  const ended = versions.list([bucket, key]).find(({ value }) => value.versionId === versionId);
  return ended ? [key, ended.value.order] : [key];
}

function listMultipartUploads({ store, access }: S3) {
  return operation<ListMultipartUploadsRequest, ListMultipartUploadsOutput>({
    access: access.bucket("ListBucketMultipartUploads"),
    run(input) {
      const bucket = store.bucket(input.Bucket);
      const limit = pageSize("max-uploads", input.MaxUploads);
      const { KeyMarker: marker = "", UploadIdMarker: idMarker = "" } = input;
      const after = behind(marker, idMarker || undefined);
      const page = listKeys(store.uploads, { ...selection(input), bucket: bucket.name, after, limit });
      const write = encoder(input.EncodingType);
      return {
        ...describePage(page, input, write),
        Bucket: bucket.name,
        MaxUploads: limit,
        KeyMarker: write(marker),
        UploadIdMarker: idMarker,
        ...(page.last && { NextKeyMarker: write(page.last.key) }),
        ...(page.last?.item && { NextUploadIdMarker: page.last.item.uploadId }),
        Uploads: page.items.map(({ key, uploadId, initiatedAt }) => ({
          Key: write(key),
          UploadId: uploadId,
          Initiated: new Date(initiatedAt),
          StorageClass: "STANDARD",
        })),
      };
    },
  });
}

/** The versions and the delete markers of a page. */
function describeVersions(
  store: Store,
  { name, versioning }: Bucket,
  page: readonly ObjectVersion[],
  write: Writer,
): Pick<ListObjectVersionsOutput, "Versions" | "DeleteMarkers"> {
  // The latest version of a key is stored before its others.
  const isLatest = ({ key, order }: ObjectVersion): boolean =>
    !versioning || store.versions.list([name, key], { limit: 1 })[0]?.value.order === order;
  const row = (version: ObjectVersion) => ({
    Key: write(version.key),
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

const encodeToken = (key: string): string => Buffer.from(key).toString("base64url");
const decodeToken = (token: string): string => Buffer.from(token, "base64url").toString("utf8");

/** How an answer writes a key. */
type Writer = (text: string) => string;

/**
 * `encoding-type=url`: for clients whose XML parser would trip over control characters. Parentheses are encoded too (the API page's
 * example), and a space is a plus sign, as botocore's decode_list_object reads it.
 */
const encoder =
  (type: string | undefined): Writer =>
  (text) =>
    type === "url" ? encodeURIComponent(text).replaceAll(/%2F|%20|[!'()~]/g, encodedAsInForms) : text;

const encodedAsInForms = (found: string): string => {
  if (found === "%2F") return "/";
  return found === "%20" ? "+" : `%${Buffer.from(found).toString("hex").toUpperCase()}`;
};

interface SelectingInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: "url" | undefined;
}

const selection = ({ Prefix: prefix = "", Delimiter: delimiter = "" }: SelectingInput) => ({ prefix, delimiter });

/** What every listing of keys answers. */
const describePage = ({ last, commonPrefixes }: Listing<unknown>, input: SelectingInput, write: Writer) => ({
  Prefix: write(input.Prefix ?? ""),
  ...(input.Delimiter && { Delimiter: write(input.Delimiter) }),
  ...(input.EncodingType && { EncodingType: input.EncodingType }),
  IsTruncated: last !== undefined,
  CommonPrefixes: commonPrefixes.map((Prefix) => ({ Prefix: write(Prefix) })),
});

const describe = (object: ObjectVersion, write: Writer) => ({
  Key: write(object.key),
  LastModified: new Date(object.lastModified),
  ETag: quoted(object.etag),
  Size: object.size,
  StorageClass: "STANDARD" as const,
});
