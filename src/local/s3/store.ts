import type { Core } from "../gateway/service.ts";
import type { Collection } from "../storage/database.ts";
import { noSuchBucket } from "./errors.ts";

/** A bucket. Its configurations are kept as the API takes them, so that they come back as they were put. */
export interface Bucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** ISO time. */
  readonly createdAt: string;
  readonly versioning?: "Enabled" | "Suspended";
  readonly policy?: string;
  /** Encryption, lifecycle, notification, public access block, …: by the name in the API. */
  readonly configurations: Readonly<Record<string, unknown>>;
  readonly tags?: readonly { readonly Key: string; readonly Value: string }[];
}

/** One version of an object (the only one, in a bucket without versioning). */
export interface ObjectVersion {
  readonly key: string;
  /** `null` where the bucket had no versioning when it was written. */
  readonly versionId: string;
  readonly isDeleteMarker?: boolean;
  /** Where the bytes lie; several for a multipart upload. */
  readonly blobs: readonly { readonly sha256: string; readonly size: number }[];
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** ISO time. */
  readonly lastModified: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Content-Type, Cache-Control, … by the member's name in the API. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksums: Readonly<Record<string, string>>;
  readonly kmsKeyId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  /** Order of writing: the latest sorts first. */
  readonly order: string;
}

export interface Upload {
  readonly uploadId: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiatedAt: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly kmsKeyId?: string;
  readonly checksumAlgorithm?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface UploadedPart {
  readonly number: number;
  readonly sha256: string;
  readonly size: number;
  readonly etag: string;
  readonly uploadedAt: string;
  readonly checksums: Readonly<Record<string, string>>;
}

/** A notification on its way to a function. */
export interface Delivery {
  readonly account: string;
  readonly region: string;
  readonly sourceArn: string;
  readonly functionArn: string;
  readonly payload: string;
}

/** Where S3 remembers. */
export function createStore({ database }: Core) {
  const buckets = database.collection<Bucket>("s3.bucket", { account: (bucket) => bucket.account });
  return {
    buckets,
    /** The current version of each object: key bucket, key. */
    objects: database.collection<ObjectVersion>("s3.object"),
    /** All versions of buckets that have or had versioning: key bucket, key, order. */
    versions: database.collection<ObjectVersion>("s3.version"),
    /** Key bucket, key, upload id. */
    uploads: openUploads(database),
    /** Key bucket, upload id, five digits of the part's number. */
    parts: database.collection<UploadedPart>("s3.part"),
    deliveries: database.collection<Delivery>("s3.delivery"),
    transaction: <R>(work: () => R): R => database.transaction(work),
    /** @throws AwsError NoSuchBucket */
    bucket(name: string | undefined): Bucket {
      const found = buckets.get([name ?? ""]);
      if (!found) throw noSuchBucket(name ?? "");
      return found;
    },
  };
}

/** A data folder of an earlier omx has uploads under the bucket and their id alone. */
function openUploads(database: Core["database"]): Collection<Upload> {
  const uploads = database.collection<Upload>("s3.upload");
  database.transaction(() => {
    for (const { key, value } of uploads.list([]).filter((entry) => entry.key.length === 2)) {
      uploads.delete(key);
      uploads.put([value.bucket, value.key, value.uploadId], value);
    }
  });
  return uploads;
}

export type Store = ReturnType<typeof createStore>;
