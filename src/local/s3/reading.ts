import type {
  GetObjectOutput,
  GetObjectRequest,
  HeadObjectOutput,
  HeadObjectRequest,
  GetObjectTaggingOutput,
  GetObjectTaggingRequest,
  PutObjectTaggingRequest,
  GetObjectAttributesRequest,
  GetObjectAttributesOutput,
} from "@aws-sdk/client-s3";
import { Readable } from "node:stream";
import { operation } from "../gateway/service.ts";
import type { BlobStore, ByteRange } from "../storage/blobs.ts";
import { invalidRange, methodNotAllowed, noSuchKey, noSuchVersion, notModified, preconditionFailed } from "./errors.ts";
import { describeEncryption, quoted, versionOf } from "./objects.ts";
import type { S3 } from "./service.ts";
import type { Bucket, ObjectVersion } from "./store.ts";

interface ReadRequest {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

/** GetObject, HeadObject, attributes and tags. */
export function readingOperations(s3: S3) {
  return { ...contentOperations(s3), ...attributeOperations(s3) };
}

function contentOperations(s3: S3) {
  const { access } = s3;
  return {
    GetObject: operation<GetObjectRequest, GetObjectOutput & { readonly StatusCode?: number }>({
      access: access.version("GetObject", "GetObjectVersion"),
      async run(input, call) {
        const { bucket, version } = locate(s3, input);
        await s3.decryptFor(version, call);
        const range = parseRange(input.Range, version.size);
        const described = describe(bucket, version, input);
        const body = openVersion(s3.blobs, version, range) as unknown as GetObjectOutput["Body"] & object;
        if (!range) return { ...described, ContentLength: version.size, Body: body };
        return {
          ...described,
          ContentLength: range.end - range.start + 1,
          ContentRange: `bytes ${range.start}-${range.end}/${version.size}`,
          Body: body,
        };
      },
    }),
    HeadObject: operation<HeadObjectRequest, HeadObjectOutput>({
      access: access.version("GetObject", "GetObjectVersion"),
      async run(input, call) {
        const { bucket, version } = locate(s3, input);
        await s3.decryptFor(version, call);
        const range = parseRange(input.Range, version.size);
        return { ...describe(bucket, version, input), ContentLength: range ? range.end - range.start + 1 : version.size };
      },
    }),
  };
}

function attributeOperations(s3: S3) {
  const { store, access } = s3;
  return {
    GetObjectAttributes: operation<GetObjectAttributesRequest, GetObjectAttributesOutput>({
      access: access.version("GetObjectAttributes", "GetObjectVersionAttributes"),
      run(input) {
        const { bucket, version } = locate(s3, input);
        const wanted = new Set<string>(input.ObjectAttributes);
        return {
          LastModified: new Date(version.lastModified),
          ...versionOf(bucket, version),
          ...(wanted.has("ETag") && { ETag: version.etag }),
          ...(wanted.has("ObjectSize") && { ObjectSize: version.size }),
          ...(wanted.has("StorageClass") && { StorageClass: "STANDARD" as const }),
          ...(wanted.has("Checksum") && { Checksum: version.checksums }),
        };
      },
    }),
    GetObjectTagging: operation<GetObjectTaggingRequest, GetObjectTaggingOutput>({
      access: access.version("GetObjectTagging", "GetObjectVersionTagging"),
      run: (input) => ({ TagSet: Object.entries(locate(s3, input).version.tags ?? {}).map(([Key, Value]) => ({ Key, Value })) }),
    }),
    PutObjectTagging: operation<PutObjectTaggingRequest, object>({
      access: access.version("PutObjectTagging", "PutObjectVersionTagging"),
      run(input) {
        const { bucket, version } = locate(s3, input);
        const tags = Object.fromEntries((input.Tagging?.TagSet ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
        const changed: ObjectVersion = { ...version, tags };
        store.transaction(() => {
          if (store.objects.get([bucket.name, version.key])?.order === version.order)
            store.objects.put([bucket.name, version.key], changed);
          if (bucket.versioning) store.versions.put([bucket.name, version.key, version.order], changed);
        });
        return {};
      },
    }),
  };
}

function locate(s3: S3, input: ReadRequest): { readonly bucket: Bucket; readonly version: ObjectVersion } {
  const bucket = s3.store.bucket(input.Bucket);
  const key = input.Key ?? "";
  const version = s3.find(bucket, key, input.VersionId);
  if (!version) throw input.VersionId ? noSuchVersion(key, input.VersionId) : noSuchKey(key);
  if (version.isDeleteMarker) throw input.VersionId ? methodNotAllowed() : noSuchKey(key);
  checkConditions(version, input);
  return { bucket, version };
}

/** Conditional requests, in the order of RFC 9110 section 13.2.2. */
function checkConditions({ etag, lastModified }: ObjectVersion, input: ReadRequest): void {
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  const modified = seconds(new Date(lastModified));
  const matches = (list: string) =>
    list === "*" || list.split(",").some((tag) => tag.trim().replace(/^W\//, "").replaceAll('"', "") === etag);
  if (input.IfMatch !== undefined && !matches(input.IfMatch)) throw preconditionFailed("If-Match");
  if (input.IfMatch === undefined && input.IfUnmodifiedSince && modified > seconds(input.IfUnmodifiedSince))
    throw preconditionFailed("If-Unmodified-Since");
  if (input.IfNoneMatch !== undefined && matches(input.IfNoneMatch)) throw notModified();
  if (input.IfNoneMatch === undefined && input.IfModifiedSince && modified <= seconds(input.IfModifiedSince)) throw notModified();
}

type ResponseOverrides = Partial<
  Record<`Response${"CacheControl" | "ContentDisposition" | "ContentEncoding" | "ContentLanguage" | "ContentType"}`, string | undefined>
>;

function describe(
  bucket: Bucket,
  version: ObjectVersion,
  input: ResponseOverrides & { readonly ChecksumMode?: string | undefined; readonly Range?: string | undefined },
) {
  const overrides = (["CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType"] as const).flatMap(
    (name): [string, string][] => (input[`Response${name}`] ? [[name, input[`Response${name}`] ?? ""]] : []),
  );
  const { StorageClass: _unused, ...headers } = version.headers;
  return {
    AcceptRanges: "bytes",
    ETag: quoted(version.etag),
    LastModified: new Date(version.lastModified),
    Metadata: version.metadata,
    ContentType: "binary/octet-stream",
    ...headers,
    ...Object.fromEntries(overrides),
    // The checksum is of the whole object: sent with a range it would not match what is received.
    ...(input.ChecksumMode === "ENABLED" && input.Range === undefined && version.checksums),
    ...describeEncryption(version),
    ...versionOf(bucket, version),
    ...(version.tags && { TagCount: Object.keys(version.tags).length }),
  };
}

/** One range of bytes; anything else is no range at all, as S3 treats it. @throws AwsError InvalidRange */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size || start > end) throw invalidRange(header ?? "", size);
  return { start, end };
}

/** The bytes of a version as one stream, wherever its parts lie. */
export function openVersion(blobs: BlobStore, { blobs: parts }: ObjectVersion, range?: ByteRange): Readable {
  if (parts.length === 0) return Readable.from([]);
  if (parts.length === 1 && parts[0]) return blobs.open(parts[0].sha256, range);
  return Readable.from(concatenated(), { objectMode: false });

  async function* concatenated(): AsyncGenerator<Buffer> {
    let offset = 0;
    for (const { sha256, size } of parts) {
      const start = Math.max(0, (range?.start ?? 0) - offset);
      const end = Math.min(size - 1, (range?.end ?? Number.MAX_SAFE_INTEGER) - offset);
      offset += size;
      if (start <= end) yield* blobs.open(sha256, { start, end });
    }
  }
}
