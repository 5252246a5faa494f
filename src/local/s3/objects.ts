import type {
  CopyObjectOutput,
  CopyObjectRequest,
  DeleteObjectOutput,
  DeleteObjectRequest,
  DeleteObjectsOutput,
  DeleteObjectsRequest,
  PutObjectOutput,
  PutObjectRequest,
} from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { operation } from "../gateway/service.ts";
import { keyTooLong, malformedXml, noSuchKey, noSuchVersion, preconditionFailed } from "./errors.ts";
import type { S3 } from "./service.ts";
import type { Bucket, ObjectVersion } from "./store.ts";
import type { Written } from "./versions.ts";

/** The members of a write that are kept with the object and come back as headers. */
const KEPT_HEADERS = [
  "CacheControl",
  "ContentDisposition",
  "ContentEncoding",
  "ContentLanguage",
  "ContentType",
  "StorageClass",
  "WebsiteRedirectLocation",
] as const;
type Kept = Partial<Record<(typeof KEPT_HEADERS)[number], string | undefined>>;

/** Picks what is kept. `aws-chunked` describes the transfer, not the object. */
export function keptHeaders(input: Kept): Record<string, string> {
  const pairs = KEPT_HEADERS.flatMap((name): [string, string][] => {
    const text = input[name]
      ?.split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "aws-chunked")
      .join(",");
    return text ? [[name, text]] : [];
  });
  return Object.fromEntries(pairs);
}

export const quoted = (etag: string): string => `"${etag}"`;
const unquoted = (etag: string): string => etag.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");

/** PutObject, CopyObject, DeleteObject and DeleteObjects. */
export function objectOperations(s3: S3) {
  return { PutObject: putObject(s3), CopyObject: copyObject(s3), DeleteObject: deleteObject(s3), DeleteObjects: deleteObjects(s3) };
}

function putObject(s3: S3) {
  const { store, access } = s3;
  return operation<PutObjectRequest, PutObjectOutput>({
    access: access.write,
    async run(input, call) {
      const bucket = store.bucket(input.Bucket);
      const key = checkedKey(input.Key);
      checkWriteConditions(store.objects.get([bucket.name, key]), input);
      const encryption = await s3.encryptFor(bucket, input, call);
      const body = input.Body as Readable | Uint8Array | string | undefined;
      const { blob, checksums } = await s3.receive(body, { ...input, http: call.http?.headers });
      const written: Written = {
        key,
        blobs: [{ sha256: blob.sha256, size: blob.size }],
        size: blob.size,
        etag: blob.md5,
        checksums,
        metadata: input.Metadata ?? {},
        headers: keptHeaders(input),
        ...encryption,
        ...tagsOf(input.Tagging),
      };
      const version = s3.put(bucket, written, { event: "ObjectCreated:Put", call, conditions: input });
      return { ETag: quoted(version.etag), ...checksums, ...describeEncryption(version), ...versionOf(bucket, version) };
    },
  });
}

function copyObject(s3: S3) {
  const { store, access } = s3;
  return operation<CopyObjectRequest, CopyObjectOutput>({
    access: (input, call) => [...access.write(input, call), ...sourceAccess(s3, input.CopySource)],
    async run(input, call) {
      const bucket = store.bucket(input.Bucket);
      const source = findSource(s3, input.CopySource);
      const encryption = await s3.encryptFor(bucket, input, call);
      await s3.decryptFor(source, call);
      const written: Written = {
        key: checkedKey(input.Key),
        blobs: source.blobs,
        size: source.size,
        etag: source.etag,
        checksums: source.checksums,
        ...copiedDescription(source, input),
        ...encryption,
      };
      const version = s3.put(bucket, written, { event: "ObjectCreated:Copy", call });
      return {
        CopyObjectResult: { ETag: quoted(version.etag), LastModified: new Date(version.lastModified) },
        ...describeEncryption(version),
        ...versionOf(bucket, version),
      };
    },
  });
}

/** What a copy is told of itself: all as its source was, but for what the request replaces. */
function copiedDescription(source: ObjectVersion, input: CopyObjectRequest): Pick<Written, "metadata" | "headers" | "tags"> {
  const { metadata, headers } =
    input.MetadataDirective === "REPLACE" ? { metadata: input.Metadata ?? {}, headers: keptHeaders(input) } : source;
  const tags = input.TaggingDirective === "REPLACE" ? tagsOf(input.Tagging).tags : source.tags;
  return { metadata, headers, ...(tags && { tags }) };
}

function deleteObject(s3: S3) {
  return operation<DeleteObjectRequest, DeleteObjectOutput>({
    access: s3.access.version("DeleteObject", "DeleteObjectVersion"),
    run: (input, call) => s3.remove(s3.store.bucket(input.Bucket), { key: input.Key ?? "", versionId: input.VersionId }, call),
  });
}

function deleteObjects(s3: S3) {
  const mayDelete = s3.access.version("DeleteObject", "DeleteObjectVersion");
  return operation<DeleteObjectsRequest, DeleteObjectsOutput>({
    access: ({ Bucket, Delete }) => (Delete?.Objects ?? []).flatMap(({ Key, VersionId }) => mayDelete({ Bucket, Key, VersionId })),
    run(input, call) {
      const bucket = s3.store.bucket(input.Bucket);
      const objects = input.Delete?.Objects ?? [];
      if (objects.length === 0 || objects.length > 1000) throw malformedXml("between 1 and 1000 objects are needed");
      const Deleted = objects.map(({ Key = "", VersionId }) => {
        const { DeleteMarker, VersionId: marker } = s3.remove(bucket, { key: Key, versionId: VersionId }, call);
        return {
          Key,
          ...(VersionId && { VersionId }),
          ...(DeleteMarker && { DeleteMarker }),
          ...(DeleteMarker && marker && { DeleteMarkerVersionId: marker }),
        };
      });
      return input.Delete?.Quiet ? {} : { Deleted };
    },
  });
}

export function checkedKey(key: string | undefined): string {
  if (!key || Buffer.byteLength(key) > 1024) throw keyTooLong();
  return key;
}

/** What a client makes its write depend on. */
export interface WriteConditions {
  readonly IfNoneMatch?: string | undefined;
  readonly IfMatch?: string | undefined;
}

/** `If-None-Match: *` creates only; `If-Match` replaces only what is expected. */
export function checkWriteConditions(current: ObjectVersion | undefined, { IfNoneMatch, IfMatch }: WriteConditions): void {
  if (IfNoneMatch === "*" && current) throw preconditionFailed("If-None-Match");
  if (IfMatch !== undefined && !current) throw noSuchKey("");
  if (IfMatch !== undefined && current && unquoted(IfMatch) !== current.etag) throw preconditionFailed("If-Match");
}

export const tagsOf = (tagging: string | undefined): { tags?: Record<string, string> } =>
  tagging === undefined ? {} : { tags: Object.fromEntries(new URLSearchParams(tagging)) };

export const describeEncryption = ({ kmsKeyId }: ObjectVersion) =>
  kmsKeyId ? ({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyId } as const) : ({ ServerSideEncryption: "AES256" } as const);

export const versionOf = (bucket: Bucket, version: ObjectVersion) => (bucket.versioning ? { VersionId: version.versionId } : {});

/** `bucket/key?versionId=x`, percent-encoded, with or without a slash in front. */
export function parseCopySource(text: string | undefined): { readonly bucket: string; readonly key: string; readonly versionId?: string } {
  const [path = "", versionId] = (text ?? "").replace(/^\//, "").split("?versionId=");
  const decoded = decodeURIComponent(path);
  const cut = decoded.indexOf("/");
  return { bucket: decoded.slice(0, cut), key: decoded.slice(cut + 1), ...(versionId && { versionId }) };
}

export function sourceAccess(s3: S3, source: string | undefined): ReturnType<S3["access"]["on"]> {
  const { bucket, key, versionId } = parseCopySource(source);
  return s3.access.on(versionId ? "GetObjectVersion" : "GetObject", bucket, key);
}

/** The object to copy from. @throws AwsError NoSuchKey, NoSuchVersion, NoSuchBucket */
export function findSource(s3: S3, source: string | undefined): ObjectVersion {
  const { bucket, key, versionId } = parseCopySource(source);
  const found = s3.find(s3.store.bucket(bucket), key, versionId);
  if (!found || found.isDeleteMarker) throw versionId ? noSuchVersion(key, versionId) : noSuchKey(key);
  return found;
}
