import { createHash } from "node:crypto";
import type {
  AbortMultipartUploadRequest,
  CompleteMultipartUploadOutput,
  CompleteMultipartUploadRequest,
  CreateMultipartUploadOutput,
  CreateMultipartUploadRequest,
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
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
import { checkedKey, describeEncryption, findSource, keptHeaders, quoted, sourceAccess, tagsOf, versionOf } from "./objects.ts";
import { openVersion, parseRange } from "./reading.ts";
import type { S3 } from "./service.ts";
import type { Upload, UploadedPart } from "./store.ts";

const MINIMUM_PART_BYTES = 5 * 1024 * 1024;

interface UploadInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
}

/** Uploads in parts. */
export function multipartOperations(s3: S3) {
  return { ...startingOperations(s3), ...partOperations(s3), ...endingOperations(s3), ...listingOperations(s3) };
}

function startingOperations(s3: S3) {
  const { store, access, core } = s3;
  return {
    CreateMultipartUpload: operation<CreateMultipartUploadRequest, CreateMultipartUploadOutput>({
      access: access.write,
      async run(input, call) {
        const bucket = store.bucket(input.Bucket);
        const encryption = await s3.encryptFor(bucket, input, call);
        const upload: Upload = {
          uploadId: core.random.hex(64),
          bucket: bucket.name,
          key: checkedKey(input.Key),
          initiatedAt: core.clock.now().toISOString(),
          metadata: input.Metadata ?? {},
          headers: keptHeaders(input),
          ...encryption,
          ...tagsOf(input.Tagging),
          ...(input.ChecksumAlgorithm && { checksumAlgorithm: input.ChecksumAlgorithm }),
        };
        store.uploads.put([bucket.name, upload.uploadId], upload);
        return {
          Bucket: bucket.name,
          Key: upload.key,
          UploadId: upload.uploadId,
          ...(upload.kmsKeyId && { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: upload.kmsKeyId }),
        };
      },
    }),
  };
}

function partOperations(s3: S3) {
  const { access, core } = s3;
  const { find, keep } = uploadsOf(s3);
  return {
    UploadPart: operation<UploadPartRequest, UploadPartOutput>({
      access: access.object("PutObject"),
      async run(input, call) {
        const upload = find(input);
        const { blob, checksums } = await s3.receive(input.Body as Readable | Uint8Array | string | undefined, {
          ...input,
          http: call.http?.headers,
        });
        keep(upload, {
          number: input.PartNumber ?? 0,
          sha256: blob.sha256,
          size: blob.size,
          etag: blob.md5,
          checksums,
          uploadedAt: core.clock.now().toISOString(),
        });
        return { ETag: quoted(blob.md5), ...checksums };
      },
    }),
    UploadPartCopy: operation<UploadPartCopyRequest, UploadPartCopyOutput>({
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
    }),
  };
}

function endingOperations(s3: S3) {
  const { store, access } = s3;
  const { find, forget } = uploadsOf(s3);
  return {
    CompleteMultipartUpload: operation<CompleteMultipartUploadRequest, CompleteMultipartUploadOutput>({
      access: access.object("PutObject"),
      run(input, call) {
        const upload = find(input);
        const bucket = store.bucket(input.Bucket);
        const parts = chosenParts(
          input,
          store.parts.list([bucket.name, upload.uploadId]).map((entry) => entry.value),
        );
        const etag = `${createHash("md5")
          .update(Buffer.concat(parts.map((part) => Buffer.from(part.etag, "hex"))))
          .digest("hex")}-${parts.length}`;
        const version = store.transaction(() => {
          forget(upload);
          return s3.put(
            bucket,
            {
              key: upload.key,
              blobs: parts.map(({ sha256, size }) => ({ sha256, size })),
              size: parts.reduce((sum, part) => sum + part.size, 0),
              etag,
              checksums: {},
              metadata: upload.metadata,
              headers: upload.headers,
              ...(upload.kmsKeyId && { kmsKeyId: upload.kmsKeyId }),
              ...(upload.tags && { tags: upload.tags }),
            },
            { event: "ObjectCreated:CompleteMultipartUpload", call, conditions: input },
          );
        });
        return {
          Location: `${call.endpoint}/${bucket.name}/${encodeURIComponent(upload.key).replaceAll("%2F", "/")}`,
          Bucket: bucket.name,
          Key: upload.key,
          ETag: quoted(etag),
          ...describeEncryption(version),
          ...versionOf(bucket, version),
        };
      },
    }),
    AbortMultipartUpload: operation<AbortMultipartUploadRequest, object>({
      access: access.object("AbortMultipartUpload"),
      run(input) {
        const upload = find(input);
        store.transaction(() => forget(upload));
        return {};
      },
    }),
  };
}

function listingOperations(s3: S3) {
  const { store, access } = s3;
  const { find } = uploadsOf(s3);
  return {
    ListParts: operation<ListPartsRequest, ListPartsOutput>({
      access: access.object("ListMultipartUploadParts"),
      run(input) {
        const upload = find(input);
        const limit = Math.min(input.MaxParts ?? 1000, 1000);
        const after = String(input.PartNumberMarker ?? "0").padStart(5, "0");
        const found = store.parts
          .list([upload.bucket, upload.uploadId], { after: [upload.bucket, upload.uploadId, after], limit: limit + 1 })
          .map((entry) => entry.value);
        const page = found.slice(0, limit);
        return {
          Bucket: upload.bucket,
          Key: upload.key,
          UploadId: upload.uploadId,
          MaxParts: limit,
          IsTruncated: found.length > limit,
          ...(found.length > limit && { NextPartNumberMarker: String(page.at(-1)?.number) }),
          Parts: page.map((part) => ({
            PartNumber: part.number,
            ETag: quoted(part.etag),
            Size: part.size,
            LastModified: new Date(part.uploadedAt),
            ...part.checksums,
          })),
        };
      },
    }),
    ListMultipartUploads: operation<ListMultipartUploadsRequest, ListMultipartUploadsOutput>({
      access: access.bucket("ListBucketMultipartUploads"),
      run(input) {
        const bucket = store.bucket(input.Bucket);
        const uploads = store.uploads
          .list([bucket.name])
          .map((entry) => entry.value)
          .filter((upload) => upload.key.startsWith(input.Prefix ?? ""));
        uploads.sort((a, b) => (a.key < b.key ? -1 : 1));
        return {
          Bucket: bucket.name,
          IsTruncated: false,
          MaxUploads: 1000,
          Uploads: uploads.map(({ key, uploadId, initiatedAt }) => ({ Key: key, UploadId: uploadId, Initiated: new Date(initiatedAt) })),
        };
      },
    }),
  };
}

/** Uploads and their parts, by what a request names. @throws AwsError NoSuchUpload */
function uploadsOf({ store }: S3) {
  const find = (input: UploadInput): Upload => {
    const bucket = store.bucket(input.Bucket);
    const upload = store.uploads.get([bucket.name, input.UploadId ?? ""]);
    if (!upload || upload.key !== input.Key) throw noSuchUpload(input.UploadId ?? "");
    return upload;
  };
  const keep = (upload: Upload, part: UploadedPart) => {
    if (part.number < 1 || part.number > 10_000) throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive");
    find({ Bucket: upload.bucket, Key: upload.key, UploadId: upload.uploadId });
    store.parts.put([upload.bucket, upload.uploadId, String(part.number).padStart(5, "0")], part);
  };
  const forget = ({ bucket, uploadId }: Upload) => {
    for (const { key } of store.parts.list([bucket, uploadId])) store.parts.delete(key);
    store.uploads.delete([bucket, uploadId]);
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
