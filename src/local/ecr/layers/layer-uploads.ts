import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { AwsError } from "../../gateway/aws-error.ts";
import type { Core } from "../../gateway/service.ts";
import { DiskFull, hasRoomFor } from "../../storage/disk-full.ts";
import { digestOfFile } from "./digests.ts";
import { emptyUpload, invalidLayer, repositoryNotFound, uploadBusy, uploadNotFound } from "../errors.ts";
import { type HashedFiles, hashedFiles } from "./hashed-files.ts";
import { keepLayer } from "./layer-uses.ts";
import { keyOf, type Layer, type Place, type Store, type Upload } from "../store.ts";

const DAY_MS = 86_400_000;

/** Uploads of layers: each has a file that grows, and becomes a layer in one step. */
export interface Uploads {
  begin(place: Place): Upload;
  /** @throws AwsError UploadNotFoundException */
  find(place: Place, id: string): Upload;
  /** Bytes received so far. */
  received(upload: Upload): number;
  /**
   * Adds bytes, each chunk once `check` has let it pass, and tells how many there are now.
   * @throws AwsError UploadBusy while another part arrives or the layer is made, UploadNotFoundException when it was cancelled meanwhile
   * @throws DiskFull before the reserve is touched; what came before is kept
   */
  append(
    upload: Upload,
    bytes: Readable,
    options?: { readonly sizeBytes?: number; readonly check?: (chunk: Uint8Array) => void },
  ): Promise<number>;
  /** @throws AwsError InvalidLayerException when the digest is another, UploadBusy, UploadNotFoundException */
  complete(upload: Upload, digest: string, options?: { readonly refuseEmpty?: boolean }): Promise<Layer>;
  cancel(upload: Upload): void;
  /** Forgets uploads that nobody has continued for a day. */
  dropOld(): void;
}

export function createUploads(core: Core, store: Store): Uploads {
  const folder = join(core.dataDir, "work", "ecr-uploads");
  mkdirSync(folder, { recursive: true });
  const fileOf = ({ id }: Pick<Upload, "id">) => join(folder, id);
  const files = hashedFiles();
  const received = (upload: Upload) => {
    const found = statSync(fileOf(upload), { throwIfNoEntry: false });
    if (!found) throw uploadNotFound(upload.id);
    return found.size;
  };
  const cancel = (upload: Upload) => {
    store.uploads.delete([upload.id]);
    files.remove(fileOf(upload));
  };
  return {
    received,
    cancel,
    ...growth({ core, store, files, fileOf, received }),
    begin({ account, region, name }) {
      const upload: Upload = { account, region, name, id: core.random.uuid(), startedAt: core.clock.now().toISOString() };
      files.begin(fileOf(upload));
      store.uploads.put([upload.id], upload);
      return upload;
    },
    find(place, id) {
      const found = store.uploads.get([id]);
      if (!found || !isIn(place, found) || !existsSync(fileOf(found))) throw uploadNotFound(id);
      return found;
    },
    dropOld() {
      const before = core.clock.now().getTime() - DAY_MS;
      for (const { value } of store.uploads.list([]))
        if (!existsSync(fileOf(value)) || statSync(fileOf(value)).mtimeMs < before) cancel(value);
    },
  };
}

interface Growing {
  readonly core: Core;
  readonly store: Store;
  readonly files: HashedFiles;
  fileOf(upload: Upload): string;
  received(upload: Upload): number;
}

/** How an upload grows and ends, one step at a time. */
function growth({ core, store, files, fileOf, received }: Growing): Pick<Uploads, "append" | "complete"> {
  const alone = exclusive(fileOf);
  return {
    append: (upload, bytes, { sizeBytes = 0, check } = {}) =>
      alone(upload, async () => {
        const file = fileOf(upload);
        if (!hasRoomFor(file, sizeBytes)) throw new DiskFull(`there is no room for ${sizeBytes} bytes`);
        const checkRoom = roomCheck(file);
        await files.append(file, bytes, (chunk) => {
          check?.(chunk);
          checkRoom(chunk);
        });
        return received(upload);
      }),
    // No part may come meanwhile: the layer's file is this one.
    complete: (upload, digest, options) =>
      alone(upload, async () => {
        if (options?.refuseEmpty && received(upload) === 0) throw emptyUpload();
        const layer = await adopt(core, { file: fileOf(upload), files, digest });
        store.transaction(() => keepUploaded(core, store, { upload, layer }));
        files.remove(fileOf(upload));
        return layer;
      }),
  };
}

const LOOK_EVERY_BYTES = 4 * 1024 * 1024;

/** Looks at the disk while a file grows. @throws DiskFull before the reserve is touched */
function roomCheck(file: string): (chunk: Uint8Array) => void {
  let unseen = LOOK_EVERY_BYTES;
  return ({ byteLength }) => {
    unseen += byteLength;
    if (unseen <= LOOK_EVERY_BYTES) return;
    if (!hasRoomFor(file, LOOK_EVERY_BYTES)) throw new DiskFull("there is no room for the layer");
    unseen = 0;
  };
}

interface Adoption {
  readonly file: string;
  readonly files: HashedFiles;
  readonly digest: string;
}

/** Two parts at once would mix in the file. Whose file goes meanwhile was cancelled. */
function exclusive(fileOf: (upload: Upload) => string): <T>(upload: Upload, work: () => Promise<T>) => Promise<T> {
  const busy = new Set<string>();
  return async (upload, work) => {
    if (busy.has(upload.id)) throw uploadBusy(upload.id);
    busy.add(upload.id);
    try {
      return await work();
    } catch (error) {
      throw existsSync(fileOf(upload)) || error instanceof AwsError ? error : uploadNotFound(upload.id);
    } finally {
      busy.delete(upload.id);
    }
  };
}

const isIn = ({ account, region, name }: Place, upload: Upload): boolean =>
  upload.account === account && upload.region === region && upload.name === name;

function keepUploaded(core: Core, store: Store, { upload, layer }: { readonly upload: Upload; readonly layer: Layer }): void {
  // The repository may have gone while the bytes were read.
  if (!store.repositories.get(keyOf(upload))) throw repositoryNotFound(upload.name, upload.account);
  keepLayer(core, store, { place: upload, layer });
  store.uploads.delete([upload.id]);
}

/** The store of bytes names blobs by SHA-256, which is known of the file; only another algorithm has it read. */
async function adopt(core: Core, { file, files, digest }: Adoption): Promise<Layer> {
  const sha256 = await files.sha256(file);
  const found = digest.startsWith("sha256:") ? `sha256:${sha256}` : await digestOfFile(file, digest);
  if (found !== digest) throw invalidLayer(`Layer digest ${digest} does not match the digest of the bytes received, ${found}`);
  const { size } = statSync(file);
  await core.blobs.adopt(file, sha256);
  return { digest, sha256, size };
}
