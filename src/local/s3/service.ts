import type { Readable } from "node:stream";
import { checksumOf, startChecksum } from "../gateway/checksums.ts";
import type { Call, Core, Service, ServiceFactory } from "../gateway/service.ts";
import type { Blob, BlobStore } from "../storage/blobs.ts";
import { accessRules, type AccessRules } from "./access.ts";
import { bucketOperations } from "./buckets.ts";
import { configurationOperations } from "./configurations.ts";
import { badDigest, noSuchVersion } from "./errors.ts";
import { checkOwner } from "./expected-owner.ts";
import { listingOperations } from "./listings.ts";
import { multipartOperations } from "./multipart.ts";
import { deliver, notify } from "./notifications.ts";
import { checkWriteConditions, objectOperations } from "./objects.ts";
import { readingOperations } from "./reading.ts";
import { inBucketsRegion } from "./regions.ts";
import { s3Resources } from "./resources.ts";
import { type Bucket, createStore, type ObjectVersion, type Store } from "./store.ts";

/** What the operations of S3 share. */
export interface S3 {
  readonly core: Core;
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly access: AccessRules;
  /** The current version, or the one named. */
  find(bucket: Bucket, key: string, versionId?: string): ObjectVersion | undefined;
  /** Writes a version as current, in one transaction with its event. */
  put(
    bucket: Bucket,
    written: Written,
    how: { readonly event: string; readonly call: Call; readonly conditions?: Conditions },
  ): ObjectVersion;
  /** Deletes an object, or hides it behind a delete marker where the bucket has versions. */
  remove(
    bucket: Bucket,
    which: { readonly key: string; readonly versionId?: string | undefined },
    call: Call,
  ): { readonly DeleteMarker?: boolean; readonly VersionId?: string };
  /** Stores a body and verifies what the client said of it. @throws AwsError BadDigest */
  receive(
    body: Readable | Uint8Array | string | undefined,
    expected: Expected,
  ): Promise<{ readonly blob: Blob; readonly checksums: Record<string, string> }>;
  /** The key that encrypts what is written; asks KMS whether the caller may use it. */
  encryptFor(bucket: Bucket, input: EncryptionInput, call: Call): Promise<{ kmsKeyId?: string }>;
  /** Asks KMS whether the caller may read what that key encrypted. */
  decryptFor(version: ObjectVersion, call: Call): Promise<void>;
}

export type Written = Omit<ObjectVersion, "versionId" | "order" | "lastModified">;
type Conditions = { readonly IfNoneMatch?: string | undefined; readonly IfMatch?: string | undefined };
type Expected = { readonly ContentMD5?: string | undefined; readonly http?: Readonly<Record<string, string>> | undefined };
type EncryptionInput = { readonly ServerSideEncryption?: string | undefined; readonly SSEKMSKeyId?: string | undefined };

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
    find(bucket, key, versionId) {
      const current = store.objects.get([bucket.name, key]);
      if (versionId === undefined || current?.versionId === versionId) return current;
      return store.versions
        .list([bucket.name, key])
        .map((entry) => entry.value)
        .find((version) => version.versionId === versionId);
    },
    put(bucket, written, { event, call, conditions }) {
      const now = core.clock.now();
      const versionId = bucket.versioning === "Enabled" ? core.random.hex(32) : "null";
      const version: ObjectVersion = { ...written, versionId, lastModified: now.toISOString(), order: orderOf(now, core.random.hex(6)) };
      store.transaction(() => {
        if (conditions) checkWriteConditions(store.objects.get([bucket.name, written.key]), conditions);
        keepVersion(store, bucket, version);
        store.objects.put([bucket.name, written.key], version);
        notify(s3, bucket, { version, event, call });
      });
      return version;
    },
    remove: (bucket, which, call) => removeObject(s3, bucket, { ...which, call }),
    receive: (body, expected) => receive(core.blobs, body, expected),
    async encryptFor(bucket, input, call) {
      const keyId =
        input.ServerSideEncryption === "aws:kms"
          ? (input.SSEKMSKeyId ?? defaultKey(bucket))
          : input.ServerSideEncryption === undefined
            ? defaultKey(bucket)
            : undefined;
      if (!keyId) return {};
      const { KeyId } = await useKey(core, { operation: "GenerateDataKey", keyId, region: bucket.region, call });
      return { kmsKeyId: KeyId };
    },
    async decryptFor(version, call) {
      if (version.kmsKeyId) await useKey(core, { operation: "Decrypt", keyId: version.kmsKeyId, region: call.region, call });
    },
  };
  return s3;
}

/** Later versions sort first, so that a listing meets the latest one first. */
const orderOf = (now: Date, tie: string): string => `${String(9_999_999_999_999 - now.getTime()).padStart(13, "0")}${tie}`;

function keepVersion(store: Store, bucket: Bucket, version: ObjectVersion): void {
  if (!bucket.versioning) return;
  const before = store.objects.get([bucket.name, version.key]);
  if (before && !store.versions.get([bucket.name, before.key, before.order]))
    store.versions.put([bucket.name, before.key, before.order], before);
  if (version.versionId === "null")
    for (const { key, value } of store.versions.list([bucket.name, version.key]))
      if (value.versionId === "null") store.versions.delete(key);
  store.versions.put([bucket.name, version.key, version.order], version);
}

function removeObject(
  s3: S3,
  bucket: Bucket,
  { key, versionId, call }: { readonly key: string; readonly versionId?: string | undefined; readonly call: Call },
) {
  const { store, core } = s3;
  return store.transaction((): { DeleteMarker?: boolean; VersionId?: string } => {
    if (versionId !== undefined && bucket.versioning) return removeVersion(s3, bucket, { key, versionId });
    if (versionId !== undefined && versionId !== "null") throw noSuchVersion(key, versionId);
    const current = store.objects.get([bucket.name, key]);
    store.objects.delete([bucket.name, key]);
    if (!bucket.versioning) {
      if (current) notify(s3, bucket, { version: current, event: "ObjectRemoved:Delete", call });
      return {};
    }
    const now = core.clock.now();
    if (current && !store.versions.get([bucket.name, key, current.order])) store.versions.put([bucket.name, key, current.order], current);
    const marker: ObjectVersion = {
      key,
      versionId: bucket.versioning === "Enabled" ? core.random.hex(32) : "null",
      isDeleteMarker: true,
      blobs: [],
      size: 0,
      etag: "",
      lastModified: now.toISOString(),
      metadata: {},
      headers: {},
      checksums: {},
      order: orderOf(now, core.random.hex(6)),
    };
    store.versions.put([bucket.name, key, marker.order], marker);
    notify(s3, bucket, { version: marker, event: "ObjectRemoved:DeleteMarkerCreated", call });
    return { DeleteMarker: true, VersionId: marker.versionId };
  });
}

function removeVersion(
  { store }: S3,
  bucket: Bucket,
  { key, versionId }: { readonly key: string; readonly versionId: string },
): { DeleteMarker?: boolean; VersionId?: string } {
  const all = store.versions.list([bucket.name, key]);
  const found = all.find((entry) => entry.value.versionId === versionId);
  const current = store.objects.get([bucket.name, key]);
  if (!found && current?.versionId !== versionId) return { VersionId: versionId };
  if (found) store.versions.delete(found.key);
  if (current?.versionId === versionId || found?.value.isDeleteMarker) {
    const latest = all.find((entry) => entry.value.versionId !== versionId)?.value;
    if (latest && !latest.isDeleteMarker) store.objects.put([bucket.name, key], latest);
    else store.objects.delete([bucket.name, key]);
  }
  return { VersionId: versionId, ...(found?.value.isDeleteMarker && { DeleteMarker: true }) };
}

async function receive(
  blobs: BlobStore,
  body: Readable | Uint8Array | string | undefined,
  expected: Expected,
): Promise<{ blob: Blob; checksums: Record<string, string> }> {
  const checks = Object.entries(expected.http ?? {}).flatMap(([name, value]) => {
    const algorithm = checksumOf(name);
    return algorithm ? [{ algorithm, value, state: startChecksum(algorithm) }] : [];
  });
  const bytes = body ?? new Uint8Array();
  const source = typeof bytes === "string" || bytes instanceof Uint8Array ? [Buffer.from(bytes)] : (bytes as AsyncIterable<Buffer>);
  async function* checked(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      for (const { state } of checks) state.update(chunk);
      yield chunk;
    }
    for (const { state, value } of checks) if ((await state.digest()).toString("base64") !== value) throw badDigest();
  }
  const blob = await blobs.write(checked());
  if (expected.ContentMD5 !== undefined && Buffer.from(expected.ContentMD5, "base64").toString("hex") !== blob.md5) throw badDigest();
  return { blob, checksums: Object.fromEntries(checks.map(({ algorithm, value }) => [`Checksum${algorithm.toUpperCase()}`, value])) };
}

function defaultKey(bucket: Bucket): string | undefined {
  const configured = bucket.configurations["Encryption"] as
    { Rules?: { ApplyServerSideEncryptionByDefault?: { SSEAlgorithm?: string; KMSMasterKeyID?: string } }[] } | undefined;
  const rule = configured?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  return rule?.SSEAlgorithm === "aws:kms" ? rule.KMSMasterKeyID : undefined;
}

async function useKey(
  core: Core,
  { operation, keyId, region, call }: { readonly operation: string; readonly keyId: string; readonly region: string; readonly call: Call },
): Promise<{ KeyId: string }> {
  if (operation === "Decrypt" && call.caller.kind === "anonymous") return { KeyId: keyId };
  // S3 asks KMS as the caller, which key policies recognise by kms:ViaService. Bytes are not encrypted (behaviour.md).
  return core.dispatcher.call<{ KeyId: string }>({
    service: "kms",
    operation: "DescribeKeyUse",
    input: { KeyId: keyId, Action: operation },
    as: call.caller,
    account: call.account,
    region,
    context: { "kms:ViaService": `s3.${region}.amazonaws.com`, "kms:CallerAccount": call.account },
  });
}
