import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Core } from "../gateway/service.ts";
import { digestMismatch, emptyUpload, imageExists, imageReferenced, invalidLayer, invalidParameter, invalidTag, layersNotFound, referencedImagesNotFound, repositoryNotFound, tagImmutable, uploadBusy, uploadNotFound } from "./errors.ts";
import { emitImageAction } from "./events.ts";
import { readManifest } from "./manifest.ts";
import { type Image, keyOf, type Layer, type Place, type Repository, type Store, type Upload } from "./store.ts";

const DAY_MS = 86_400_000;

/** Blobs and manifests of repositories: what the API and the registry protocol both do. */
export interface Contents {
  readonly core: Core;
  readonly store: Store;
  /** @throws AwsError RepositoryNotFoundException */
  repository(place: Place): Repository;
  layer(place: Place, digest: string): Layer | undefined;
  /** The manifest behind a tag or digest. */
  image(place: Place, reference: string): Image | undefined;
  manifestBytes(image: Image): Promise<Buffer>;
  openLayer(layer: Layer, range?: { readonly start: number; readonly end: number }): Readable;
  beginUpload(place: Place): Upload;
  upload(place: Place, id: string): Upload;
  /** Bytes received so far. */
  uploadedBytes(upload: Upload): number;
  append(upload: Upload, bytes: Readable): Promise<number>;
  /** @throws AwsError InvalidLayerException when the digest is another */
  complete(upload: Upload, digest: string, options?: { readonly refuseEmpty?: boolean }): Promise<Layer>;
  cancel(upload: Upload): void;
  /** Takes a blob of another repository of the same account. */
  mount(place: Place, from: string, digest: string): Layer | undefined;
  putImage(place: Place, manifest: Buffer, options: PutOptions): Promise<Image>;
  deleteImage(place: Place, reference: string): Image | undefined;
  /** Forgets uploads that nobody has continued for a day. */
  dropOldUploads(): void;
  tagsOf(place: Place, digest: string): readonly string[];
}

export interface PutOptions {
  readonly mediaType?: string;
  readonly tag?: string;
  readonly digest?: string;
  /** The API refuses the same image under the same tag; the registry protocol does not. */
  readonly refuseSame?: boolean;
}

export function createContents(core: Core, store: Store): Contents {
  const folder = join(core.dataDir, "work", "ecr-uploads");
  mkdirSync(folder, { recursive: true });
  const fileOf = ({ id }: Upload) => join(folder, id);
  const busy = new Set<string>();
  const tagsOf: Contents["tagsOf"] = (place, digest) => store.imageTags.list(keyOf(place)).filter(({ value }) => value.digest === digest).map(({ key }) => key[3] ?? "");
  const image: Contents["image"] = (place, reference) => {
    const digest = reference.includes(":") ? reference : store.imageTags.get([...keyOf(place), reference])?.digest;
    return digest === undefined ? undefined : store.images.get([...keyOf(place), digest]);
  };
  const contents: Contents = {
    core, store, tagsOf, image,
    repository(place) {
      const found = store.repositories.get(keyOf(place));
      if (!found) throw repositoryNotFound(place.name, place.account);
      return found;
    },
    layer: (place, digest) => store.layers.get([...keyOf(place), digest]),
    manifestBytes: ({ sha256 }) => readFile(core.blobs.path(sha256)),
    openLayer: ({ sha256 }, range) => core.blobs.open(sha256, range),
    beginUpload({ account, region, name }) {
      const upload: Upload = { account, region, name, id: core.random.uuid(), startedAt: core.clock.now().toISOString() };
      writeFileSync(fileOf(upload), "");
      store.uploads.put([upload.id], upload);
      return upload;
    },
    upload(place, id) {
      const found = store.uploads.get([id]);
      if (!found || found.name !== place.name || found.account !== place.account || !existsSync(fileOf(found))) throw uploadNotFound(id);
      return found;
    },
    uploadedBytes: (upload) => statSync(fileOf(upload)).size,
    async append(upload, bytes) {
      // Two parts at once would mix in the file.
      if (busy.has(upload.id)) throw uploadBusy(upload.id);
      busy.add(upload.id);
      try {
        await pipeline(bytes, createWriteStream(fileOf(upload), { flags: "a" }));
      } finally {
        busy.delete(upload.id);
      }
      return statSync(fileOf(upload)).size;
    },
    async complete(upload, digest, options) {
      if (options?.refuseEmpty && contents.uploadedBytes(upload) === 0) throw emptyUpload();
      const found = await digestOfFile(fileOf(upload), digest);
      if (found !== digest) throw invalidLayer(`Layer digest ${digest} does not match the digest of the bytes received, ${found}`);
      const { sha256, size } = await core.blobs.adopt(fileOf(upload));
      const layer = { digest, sha256, size };
      store.transaction(() => {
        store.layers.put([...keyOf(upload), digest], layer);
        store.uploads.delete([upload.id]);
      });
      rmSync(fileOf(upload), { force: true });
      return layer;
    },
    dropOldUploads() {
      const before = core.clock.now().getTime() - DAY_MS;
      for (const { value } of store.uploads.list([])) if (!existsSync(fileOf(value)) || statSync(fileOf(value)).mtimeMs < before) contents.cancel(value);
    },
    cancel(upload) {
      store.uploads.delete([upload.id]);
      rmSync(fileOf(upload), { force: true });
    },
    mount(place, from, digest) {
      const found = store.layers.get([place.account, place.region, from, digest]);
      if (found) store.layers.put([...keyOf(place), digest], found);
      return found;
    },
    putImage: (place, manifest, options) => putImage(contents, { place, manifest, options }),
    deleteImage: (place, reference) => deleteImage(contents, place, reference),
  };
  return contents;
}

async function putImage(contents: Contents, { place, manifest, options }: { readonly place: Place; readonly manifest: Buffer; readonly options: PutOptions }): Promise<Image> {
  const { core, store } = contents;
  if (options.tag !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(options.tag)) throw invalidTag(options.tag);
  const digest = digestOf(manifest, options.digest);
  if (options.digest !== undefined && options.digest !== digest) throw digestMismatch(options.digest, digest);
  const read = readManifest(manifest, options.mediaType);
  const missingLayers = read.layers.filter((layer) => !store.layers.get([...keyOf(place), layer.digest]));
  if (missingLayers.length > 0) throw layersNotFound(missingLayers.map((layer) => layer.digest));
  const missingImages = read.manifests.filter((entry) => !store.images.get([...keyOf(place), entry.digest]));
  if (missingImages.length > 0) throw referencedImagesNotFound(missingImages.map((entry) => entry.digest));
  const { sha256 } = await core.blobs.write(manifest);
  return store.transaction(() => {
    // Read here: the repository may have been changed or deleted while the bytes were written.
    const repository = contents.repository(place);
    const before = options.tag === undefined ? undefined : store.imageTags.get([...keyOf(place), options.tag])?.digest;
    if (before !== undefined && before !== digest && isImmutable(repository, options.tag ?? "")) throw tagImmutable(options.tag ?? "", place.name);
    const known = store.images.get([...keyOf(place), digest]);
    if (options.refuseSame && known && (options.tag === undefined || before === digest)) throw imageExists(place.name);
    const image: Image = known ?? {
      digest, sha256, mediaType: read.mediaType, manifestSize: manifest.byteLength, contentSize: read.layers.reduce((sum, layer) => sum + layer.size, 0), pushedAt: core.clock.now().toISOString(),
      references: [...read.layers, ...read.manifests].map((entry) => entry.digest),
      ...(read.artifactType && { artifactType: read.artifactType }), ...(read.subject && { subject: read.subject }), ...(read.annotations && { annotations: read.annotations }),
    };
    store.images.put([...keyOf(place), digest], image);
    if (options.tag !== undefined) store.imageTags.put([...keyOf(place), options.tag], { digest });
    emitImageAction(core, place, { action: "PUSH", image, ...(options.tag !== undefined && { tag: options.tag }) });
    return image;
  });
}

/**
 * By digest the image goes with all its tags; by tag the tag alone, and the image when no tag is left.
 * @throws AwsError ImageReferencedByManifestList for the manifest of an index that is still there
 */
function deleteImage({ store, core, tagsOf, image }: Contents, place: Place, reference: string): Image | undefined {
  return store.transaction(() => {
    const found = image(place, reference);
    if (!found) return undefined;
    const tags = reference.includes(":") ? tagsOf(place, found.digest) : [reference];
    const indexes = store.images.list(keyOf(place)).map((entry) => entry.value).filter(({ references }) => references.includes(found.digest)).map(({ digest }) => digest);
    if (indexes.length > 0 && tagsOf(place, found.digest).length === tags.length) throw imageReferenced(found.digest, indexes);
    for (const tag of tags) store.imageTags.delete([...keyOf(place), tag]);
    if (tagsOf(place, found.digest).length === 0) store.images.delete([...keyOf(place), found.digest]);
    emitImageAction(core, place, { action: "DELETE", image: found, ...(tags[0] && { tag: tags[0] }) });
    return found;
  });
}

const isImmutable = ({ mutability, exclusions = [] }: Repository, tag: string): boolean => {
  const excluded = exclusions.some((pattern) => new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.\\]/g, "\\$&")).join(".*")}$`).test(tag));
  return mutability.startsWith("IMMUTABLE") ? !excluded : mutability === "MUTABLE_WITH_EXCLUSION" && excluded;
};

/** The digest of bytes, by the algorithm of the one that is expected. */
export const digestOf = (bytes: Buffer, expected?: string): string => {
  const algorithm = algorithmOf(expected ?? "sha256:");
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
};

async function digestOfFile(file: string, expected: string): Promise<string> {
  const algorithm = algorithmOf(expected);
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `${algorithm}:${hash.digest("hex")}`;
}

function algorithmOf(digest: string): "sha256" | "sha512" {
  if (digest.startsWith("sha256:")) return "sha256";
  if (digest.startsWith("sha512:")) return "sha512";
  throw invalidParameter(`'digest': ${digest} is no digest this registry knows (sha256, sha512)`);
}
