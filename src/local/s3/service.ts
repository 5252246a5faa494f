import type { Readable } from "node:stream";
import type { Call, Core, Service, ServiceFactory } from "../gateway/service.ts";
import type { BlobStore } from "../storage/blobs.ts";
import { accessRules, type AccessRules } from "./access.ts";
import { bucketOperations } from "./buckets.ts";
import { configurationOperations } from "./configurations.ts";
import { decryptFor, encryptFor, type EncryptionInput } from "./encryption.ts";
import { checkOwner } from "./expected-owner.ts";
import { listingOperations } from "./listings.ts";
import { multipartOperations } from "./multipart.ts";
import { deliver } from "./notifications.ts";
import { objectOperations } from "./objects.ts";
import { readingOperations } from "./reading.ts";
import { type Expected, type Received, receiveBody } from "./receive-body.ts";
import { inBucketsRegion } from "./regions.ts";
import { s3Resources } from "./resources.ts";
import { type Bucket, createStore, type ObjectVersion, type Store } from "./store.ts";
import { findVersion, putVersion, type Removed, removeObject, type Writing, type Written } from "./versions.ts";

/** What the operations of S3 share. */
export interface S3 {
  readonly core: Core;
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly access: AccessRules;
  /** The current version, or the one named. */
  find(bucket: Bucket, key: string, versionId?: string): ObjectVersion | undefined;
  /** Writes a version as current, in one transaction with its event. */
  put(bucket: Bucket, written: Written, how: Writing): ObjectVersion;
  /** Deletes an object, or hides it behind a delete marker where the bucket has versions. */
  remove(bucket: Bucket, which: { readonly key: string; readonly versionId?: string | undefined }, call: Call): Removed;
  /** Stores a body and verifies what the client said of it. @throws AwsError BadDigest */
  receive(body: Readable | Uint8Array | string | undefined, expected: Expected): Promise<Received>;
  /** The key that encrypts what is written; asks KMS whether the caller may use it. */
  encryptFor(bucket: Bucket, input: EncryptionInput, call: Call): Promise<{ kmsKeyId?: string }>;
  /** Asks KMS whether the caller may read what that key encrypted. */
  decryptFor(version: ObjectVersion, call: Call): Promise<void>;
}

/** Amazon S3: buckets and objects of every local account, in one namespace. */
export const s3Service: ServiceFactory = (core): Service => {
  const s3 = createS3(core);
  return {
    name: "s3",
    wire: { kind: "sdk", protocol: "rest-xml", model: () => import("@aws-sdk/client-s3") },
    operations: inBucketsRegion(
      s3.store,
      checkOwner(s3.store, {
        ...bucketOperations(s3),
        ...configurationOperations(s3),
        ...listingOperations(s3),
        ...objectOperations(s3),
        ...readingOperations(s3),
        ...multipartOperations(s3),
      }),
    ),
    resources: s3Resources,
    recover: () => core.background("s3 notifications", () => deliver(s3)),
    *blobsInUse() {
      for (const { value } of s3.store.objects.list([])) yield* value.blobs.map((blob) => blob.sha256);
      for (const { value } of s3.store.versions.list([])) yield* value.blobs.map((blob) => blob.sha256);
      for (const { value } of s3.store.parts.list([])) yield value.sha256;
    },
  };
};

function createS3(core: Core): S3 {
  const store = createStore(core);
  const s3: S3 = {
    core,
    store,
    blobs: core.blobs,
    access: accessRules(store),
    find: (bucket, key, versionId) => findVersion(store, bucket, key, versionId),
    put: (bucket, written, how) => putVersion(s3, bucket, written, how),
    remove: (bucket, which, call) => removeObject(s3, bucket, { ...which, call }),
    receive: (body, expected) => receiveBody(core.blobs, body, expected),
    encryptFor: (bucket, input, call) => encryptFor(core, bucket, input, call),
    decryptFor: (version, call) => decryptFor(core, version, call),
  };
  return s3;
}
