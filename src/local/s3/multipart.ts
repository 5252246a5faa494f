import { createHash } from "node:crypto";
import type {
  AbortMultipartUploadRequest,
  CompleteMultipartUploadOutput,
  CompleteMultipartUploadRequest,
  CreateMultipartUploadOutput,
  CreateMultipartUploadRequest,
  ListPartsOutput,
  ListPartsRequest,
  UploadPartCopyOutput,
  UploadPartCopyRequest,
  UploadPartOutput,
  UploadPartRequest,
} from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { operation } from "../gateway/service.ts";
import { entityTooSmall, invalidArgument, invalidPart, invalidPartOrder, malformedXml, noSuchUpload } from "./errors.ts";
import { pageSize } from "./listing.ts";
import { checkedKey, describeEncryption, findSource, keptHeaders, quoted, sourceAccess, tagsOf, versionOf } from "./objects.ts";
import { openVersion, parseRange } from "./reading.ts";
import type { S3 } from "./service.ts";
import type { Upload, UploadedPart } from "./store.ts";
import type { Written } from "./versions.ts";

const MINIMUM_PART_BYTES = 5 * 1024 * 1024;

interface UploadInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
}

/** Uploads in parts: begun, filled, their parts listed, put together or given up. */
export function multipartOperations(s3: S3) {
  return {
    CreateMultipartUpload: createMultipartUpload(s3),
    UploadPart: uploadPart(s3),
    UploadPartCopy: uploadPartCopy(s3),
    CompleteMultipartUpload: completeMultipartUpload(s3),
    AbortMultipartUpload: abortMultipartUpload(s3),
    ListParts: listParts(s3),
  };
}

function createMultipartUpload(s3: S3) {
  const { store, access, core } = s3;
  return operation<CreateMultipartUploadRequest, CreateMultipartUploadOutput>({
    access: access.write,
    async run(input, call) {
      const bucket = store.bucket(input.Bucket);
      const encryption = await s3.encryptFor(bucket, input, call);
      const upload: Upload = {
        uploadId: newUploadId(core),
        bucket: bucket.name,
        key: checkedKey(input.Key),
        initiatedAt: core.clock.now().toISOString(),
        metadata: input.Metadata ?? {},
        headers: keptHeaders(input),
        ...encryption,
        ...tagsOf(input.Tagging),
        ...(input.ChecksumAlgorithm && { checksumAlgorithm: input.ChecksumAlgorithm }),
      };
      store.uploads.put([bucket.name, upload.key, upload.uploadId], upload);
      return {
        Bucket: bucket.name,
        Key: upload.key,
        UploadId: upload.uploadId,
        ...(upload.kmsKeyId && { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: upload.kmsKeyId }),
      };
    },
  });
}

function uploadPart(s3: S3) {
  const { access, core } = s3;
  const { find, keep } = uploadsOf(s3);
  return operation<UploadPartRequest, UploadPartOutput>({
    access: access.object("PutObject"),
    async run(input, call) {
      const upload = find(input);
      const body = input.Body as Readable | Uint8Array | string | undefined;
      const { blob, checksums } = await s3.receive(body, { ...input, http: call.http?.headers });
      const uploadedAt = core.clock.now().toISOString();
      keep(upload, { number: input.PartNumber ?? 0, sha256: blob.sha256, size: blob.size, etag: blob.md5, checksums, uploadedAt });
      return { ETag: quoted(blob.md5), ...checksums };
    },
  });
}

function uploadPartCopy(s3: S3) {
  const { access, core } = s3;
  const { find, keep } = uploadsOf(s3);
  return operation<UploadPartCopyRequest, UploadPartCopyOutput>({
    access: (input) => [...access.object("PutObject")(input), ...sourceAccess(s3, input.CopySource)],
    async run(input, call) {
      const upload = find(input);
      const source = findSource(s3, input.CopySource);
      await s3.decryptFor(source, call);
      const { blob } = await s3.receive(openVersion(s3.blobs, source, parseRange(input.CopySourceRange, source.size)), {});
      const uploadedAt = core.clock.now();
      keep(upload, {
        number: input.PartNumber ?? 0,
        sha256: blob.sha256,
        size: blob.size,
        etag: blob.md5,
        checksums: {},
        uploadedAt: uploadedAt.toISOString(),
      });
      return { CopyPartResult: { ETag: quoted(blob.md5), LastModified: uploadedAt } };
    },
  });
}

function completeMultipartUpload(s3: S3) {
  const { store, access } = s3;
  const { find, forget } = uploadsOf(s3);
  return operation<CompleteMultipartUploadRequest, CompleteMultipartUploadOutput>({
    access: access.object("PutObject"),
    run(input, call) {
      const upload = find(input);
      const bucket = store.bucket(input.Bucket);
      const uploaded = store.parts.list([bucket.name, upload.uploadId]).map((entry) => entry.value);
      const whole = putTogether(upload, chosenParts(input, uploaded));
      const version = store.transaction(() => {
        forget(upload);
        return s3.put(bucket, whole, { event: "ObjectCreated:CompleteMultipartUpload", call, conditions: input });
      });
      return {
        Location: `${call.endpoint}/${bucket.name}/${encodeURIComponent(upload.key).replaceAll("%2F", "/")}`,
        Bucket: bucket.name,
        Key: upload.key,
        ETag: quoted(version.etag),
        ...describeEncryption(version),
        ...versionOf(bucket, version),
      };
    },
  });
}

/** The object that an upload becomes. Its ETag is the MD5 of the parts' MD5s, and their number. */
function putTogether(upload: Upload, parts: readonly UploadedPart[]): Written {
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.etag, "hex")));
  return {
    key: upload.key,
    blobs: parts.map(({ sha256, size }) => ({ sha256, size })),
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${createHash("md5").update(md5s).digest("hex")}-${parts.length}`,
    checksums: {},
    metadata: upload.metadata,
    headers: upload.headers,
    ...(upload.kmsKeyId && { kmsKeyId: upload.kmsKeyId }),
    ...(upload.tags && { tags: upload.tags }),
  };
}

function abortMultipartUpload(s3: S3) {
  const { find, forget } = uploadsOf(s3);
  return operation<AbortMultipartUploadRequest, object>({
    access: s3.access.object("AbortMultipartUpload"),
    run(input) {
      const upload = find(input);
      s3.store.transaction(() => forget(upload));
      return {};
    },
  });
}

function listParts(s3: S3) {
  const { store, access } = s3;
  const { find } = uploadsOf(s3);
  return operation<ListPartsRequest, ListPartsOutput>({
    access: access.object("ListMultipartUploadParts"),
    run(input) {
      const { bucket, key, uploadId } = find(input);
      const limit = pageSize("max-parts", input.MaxParts);
      const marker = input.PartNumberMarker ?? "0";
      const after = [bucket, uploadId, numberInKey(marker)];
      const found = store.parts.list([bucket, uploadId], { after, limit: limit + 1 }).map((entry) => entry.value);
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      return {
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MaxParts: limit,
        PartNumberMarker: marker,
        IsTruncated: last !== undefined,
        ...(last && { NextPartNumberMarker: String(last.number) }),
        Parts: page.map((part) => ({
          PartNumber: part.number,
          ETag: quoted(part.etag),
          Size: part.size,
          LastModified: new Date(part.uploadedAt),
          ...part.checksums,
        })),
      };
    },
  });
}

/** Begins with the time, so that the uploads of one key lie in the order in which they were begun (API page of ListMultipartUploads). */
const newUploadId = ({ clock, random }: S3["core"]): string => `${clock.now().getTime().toString(16).padStart(12, "0")}${random.hex(52)}`;

/** A part's number as its key holds it: five digits sort as the numbers do. */
const numberInKey = (number: number | string): string => String(number).padStart(5, "0");

/** Uploads and their parts, by what a request names. @throws AwsError NoSuchUpload */
function uploadsOf({ store }: S3) {
  const find = (input: UploadInput): Upload => {
    const bucket = store.bucket(input.Bucket);
    const upload = store.uploads.get([bucket.name, input.Key ?? "", input.UploadId ?? ""]);
    if (!upload) throw noSuchUpload(input.UploadId ?? "");
    return upload;
  };
  const keep = (upload: Upload, part: UploadedPart) => {
    if (part.number < 1 || part.number > 10_000) throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive");
    find({ Bucket: upload.bucket, Key: upload.key, UploadId: upload.uploadId });
    store.parts.put([upload.bucket, upload.uploadId, numberInKey(part.number)], part);
  };
  const forget = ({ bucket, key: objectKey, uploadId }: Upload) => {
    for (const { key } of store.parts.list([bucket, uploadId])) store.parts.delete(key);
    store.uploads.delete([bucket, objectKey, uploadId]);
  };
  return { find, keep, forget };
}

/** The parts a client names, verified: there, in order, with the ETags they were given, large enough but the last. */
function chosenParts(input: CompleteMultipartUploadRequest, uploaded: readonly UploadedPart[]): readonly UploadedPart[] {
  const wanted = input.MultipartUpload?.Parts ?? [];
  if (wanted.length === 0) throw malformedXml("at least one part is needed");
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  const parts = wanted.map(({ PartNumber, ETag }, index) => {
    const before = wanted[index - 1]?.PartNumber;
    if (before !== undefined && PartNumber !== undefined && PartNumber <= before) throw invalidPartOrder();
    const part = byNumber.get(PartNumber ?? 0);
    if (!part || part.etag !== ETag?.replaceAll('"', "")) throw invalidPart();
    return part;
  });
  if (parts.slice(0, -1).some((part) => part.size < MINIMUM_PART_BYTES)) throw entityTooSmall();
  return parts;
}
