import type { Call } from "../gateway/service.ts";
import { noSuchVersion } from "./errors.ts";
import { notify } from "./notifications.ts";
import { checkWriteConditions, type WriteConditions } from "./objects.ts";
import type { S3 } from "./service.ts";
import type { Bucket, ObjectVersion, Store } from "./store.ts";
import { orderAfter } from "./version-order.ts";

/** An object as an operation writes it; its version is numbered and dated here. */
export type Written = Omit<ObjectVersion, "versionId" | "order" | "lastModified">;

/** How a version comes to be. */
export interface Writing {
  /** Announced with it: `ObjectCreated:Put`. */
  readonly event: string;
  readonly call: Call;
  /** Looked at again in the transaction: the body took its time to arrive. */
  readonly conditions?: WriteConditions;
}

/** What DeleteObject answers. */
export interface Removed {
  readonly DeleteMarker?: boolean;
  readonly VersionId?: string;
}

/** The current version, or the one named. */
export function findVersion(store: Store, bucket: Bucket, key: string, versionId?: string): ObjectVersion | undefined {
  const current = store.objects.get([bucket.name, key]);
  if (versionId === undefined || current?.versionId === versionId) return current;
  const versions = store.versions.list([bucket.name, key]).map((entry) => entry.value);
  return versions.find((version) => version.versionId === versionId);
}

/** Writes a version as current, in one transaction with its event. @throws AwsError PreconditionFailed, NoSuchKey */
export function putVersion(s3: S3, bucket: Bucket, written: Written, { event, call, conditions }: Writing): ObjectVersion {
  const { store } = s3;
  return store.transaction((): ObjectVersion => {
    if (conditions) checkWriteConditions(store.objects.get([bucket.name, written.key]), conditions);
    const version: ObjectVersion = { ...written, ...stampOf(s3, bucket, written.key) };
    keepVersion(store, bucket, version);
    store.objects.put([bucket.name, written.key], version);
    notify(s3, bucket, { version, event, call });
    return version;
  });
}

/** What sets a version written now apart from those before it. */
function stampOf(
  { core, store }: S3,
  { name, versioning }: Bucket,
  key: string,
): Pick<ObjectVersion, "versionId" | "order" | "lastModified"> {
  const now = core.clock.now();
  const versionId = versioning === "Enabled" ? core.random.hex(32) : "null";
  const before = store.versions.list([name, key], { limit: 1 })[0]?.value ?? store.objects.get([name, key]);
  return { versionId, order: orderAfter(before?.order, now), lastModified: now.toISOString() };
}

function keepVersion(store: Store, bucket: Bucket, version: ObjectVersion): void {
  if (!bucket.versioning) return;
  keepCurrent(store, bucket, store.objects.get([bucket.name, version.key]));
  if (version.versionId === "null")
    for (const { key, value } of store.versions.list([bucket.name, version.key]))
      if (value.versionId === "null") store.versions.delete(key);
  store.versions.put([bucket.name, version.key, version.order], version);
}

/** From now on a bucket keeps versions, or keeps no new ones; what it held before it had any is each object's first. */
export function setVersioning(store: Store, bucket: Bucket, versioning: "Enabled" | "Suspended"): void {
  store.transaction(() => {
    if (!bucket.versioning) for (const { value } of store.objects.list([bucket.name])) keepCurrent(store, bucket, value);
    store.buckets.put([bucket.name], { ...bucket, versioning });
  });
}

/** An object that a data folder of an earlier omx holds may not be among the versions yet. */
function keepCurrent(store: Store, { name }: Bucket, current: ObjectVersion | undefined): void {
  if (current && !store.versions.get([name, current.key, current.order])) store.versions.put([name, current.key, current.order], current);
}

/**
 * Deletes an object or one version of it, or hides the object behind a delete marker where the bucket has versions.
 * @throws AwsError NoSuchVersion
 */
export function removeObject(
  s3: S3,
  bucket: Bucket,
  { key, versionId, call }: { readonly key: string; readonly versionId?: string | undefined; readonly call: Call },
): Removed {
  const { store } = s3;
  return store.transaction((): Removed => {
    if (versionId !== undefined && bucket.versioning) return removeVersion(s3, bucket, { key, versionId, call });
    if (versionId !== undefined && versionId !== "null") throw noSuchVersion(key, versionId);
    const current = store.objects.get([bucket.name, key]);
    const removed = current && { ...current, ...stampOf(s3, bucket, key) };
    store.objects.delete([bucket.name, key]);
    if (bucket.versioning) {
      keepCurrent(store, bucket, current);
      return hide(s3, bucket, { key, call });
    }
    if (removed) notify(s3, bucket, { version: removed, event: "ObjectRemoved:Delete", call });
    return {};
  });
}

function hide(s3: S3, bucket: Bucket, { key, call }: { readonly key: string; readonly call: Call }): Removed {
  const marker: ObjectVersion = {
    key,
    isDeleteMarker: true,
    blobs: [],
    size: 0,
    etag: "",
    metadata: {},
    headers: {},
    checksums: {},
    ...stampOf(s3, bucket, key),
  };
  s3.store.versions.put([bucket.name, key, marker.order], marker);
  notify(s3, bucket, { version: marker, event: "ObjectRemoved:DeleteMarkerCreated", call });
  return { DeleteMarker: true, VersionId: marker.versionId };
}

function removeVersion(
  s3: S3,
  bucket: Bucket,
  { key, versionId, call }: { readonly key: string; readonly versionId: string; readonly call: Call },
): Removed {
  const { store } = s3;
  const all = store.versions.list([bucket.name, key]);
  const found = all.find((entry) => entry.value.versionId === versionId);
  const current = store.objects.get([bucket.name, key]);
  if (!found && current?.versionId !== versionId) return { VersionId: versionId };
  const { order, lastModified } = stampOf(s3, bucket, key);
  if (found) store.versions.delete(found.key);
  const gone = found?.value ?? current;
  if (gone && !gone.isDeleteMarker) notify(s3, bucket, { version: { ...gone, order, lastModified }, event: "ObjectRemoved:Delete", call });
  if (current?.versionId === versionId || found?.value.isDeleteMarker) {
    const latest = all.find((entry) => entry.value.versionId !== versionId)?.value;
    if (latest && !latest.isDeleteMarker) store.objects.put([bucket.name, key], latest);
    else store.objects.delete([bucket.name, key]);
  }
  return { VersionId: versionId, ...(found?.value.isDeleteMarker && { DeleteMarker: true }) };
}
