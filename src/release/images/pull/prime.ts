import { formatImageRef, type ImageRef, referenceOf } from "../../../kit/image-ref.ts";
import type { RequestContext } from "../../../oci/client/exchange.ts";
import type { StoredManifest } from "../../../oci/client/manifests.ts";
import type { RegistryClient, Repository } from "../../../oci/client/registry-client.ts";
import { RegistryError } from "../../../oci/errors.ts";
import { blobsHeld, type Descriptor, readManifest } from "../../../oci/manifest.ts";
import { LARGEST_CONFIG_BYTES } from "../../../oci/copy/platform.ts";
import { platformRemark } from "../platform-remark.ts";

/** An image that ECR's pull-through cache is to bring. */
export interface Priming {
  readonly source: ImageRef;
  readonly target: ImageRef;
  readonly client: RegistryClient;
  /**
   * Finds out the digest that upstream has under the tag now; undefined where that can't be known. Asked together with ECR.
   * @default - what the cache takes the tag for, which compares once a day
   */
  readonly wanted?: () => Promise<string | undefined>;
  /** The digest that a repository of ECR has under a tag or digest before anything is brought. @default - unknown: what comes counts as new */
  readonly present?: (repository: string, reference: string) => Promise<string | undefined>;
  /** Whether the image is known to be there with all its layers. @default - it is looked at */
  readonly isWhole?: (digest: string) => boolean;
  readonly context?: RequestContext;
}

/** An image that ECR has, all of it. */
export interface Primed {
  readonly digest: string;
  /** Whether ECR has brought it for this call, as far as is known. */
  readonly isNew: boolean;
  /** Bytes of its configuration and layers, of all its platforms. */
  readonly sizeBytes: number;
  readonly reason: string;
}

/** The cache does not bring the image at all: its rule can't be used, or upstream keeps ECR out. Copying may work. */
export class CacheRefusal extends Error {
  override readonly name = "CacheRefusal";
  readonly failure: RegistryError;
  constructor(failure: RegistryError) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

/**
 * Has ECR bring an image, by one request for its manifest, and waits until the last byte of each layer is there: the cache
 * works on behind that answer. A layer is asked for by its last byte, which no registry has before the others.
 * @throws CacheRefusal where nothing came; RegistryError where layers do not come or upstream does not have the image
 */
export async function primeImage({ source, target, client, wanted: ask, present, isWhole, context = {} }: Priming): Promise<Primed> {
  const repository = client.repository(target, context);
  const bring = async (reference: string): Promise<Brought> => {
    const before = await present?.(target.repository, reference);
    const manifest = await brought(repository, target, reference);
    return { manifest, isNew: manifest.digest !== before };
  };
  const [upstream, cached] = await Promise.allSettled([source.digest ?? ask?.(), bring(target.tag ?? referenceOf(target))]);
  const [wanted, tagged] = [valueOf(upstream), valueOf(cached)];
  const isOlder = wanted !== undefined && tagged.manifest.digest !== wanted;
  const { manifest, isNew } = isOlder ? await bring(wanted) : tagged;
  const reason = isOlder
    ? `upstream has moved the tag, and this is what it means there; ECR's cache takes it for ${tagged.manifest.digest} until it compares again, once a day: name the image by its digest, or delete the tag in ECR`
    : "ECR's pull-through cache has it";
  const isKnown = isWhole?.(manifest.digest) === true;
  const [blobs, remark] = isKnown
    ? [blobsIn(manifest), await platformRemark(manifest)]
    : await Promise.all([awaitLayers(repository, manifest, isReadBy(manifest)), platformRemark(manifest, repository)]);
  return {
    digest: manifest.digest,
    isNew: isNew && !isKnown,
    sizeBytes: blobs.reduce((sum, { size }) => sum + size, 0),
    reason: [reason, remark ?? []].flat().join("; "),
  };
}

interface Brought {
  readonly manifest: StoredManifest;
  /** Whether ECR did not have it before. */
  readonly isNew: boolean;
}

function valueOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

/**
 * Waits until the repository has the last byte of every blob of an image, or of all images of an index.
 * @param isRead of blobs that somebody reads whole: they need not be asked for once more. @default - none
 * @returns all blobs
 * @throws RegistryError
 */
export async function awaitLayers(
  repository: Repository,
  manifest: StoredManifest,
  isRead: (blob: Descriptor) => boolean = () => false,
): Promise<readonly Descriptor[]> {
  const blobs = await blobsBelow(repository, manifest);
  await Promise.all(blobs.filter((blob) => !isRead(blob)).map((blob) => present(repository, blob)));
  return blobs;
}

/** An image's own configuration, which says its platform. */
function isReadBy({ bytes, mediaType }: StoredManifest): (blob: Descriptor) => boolean {
  const manifest = readManifest(bytes, mediaType);
  return ({ digest, size }) => manifest.kind === "image" && digest === manifest.config.digest && size <= LARGEST_CONFIG_BYTES;
}

async function brought(repository: Repository, target: ImageRef, reference: string): Promise<StoredManifest> {
  try {
    const manifest = await repository.getManifest(reference);
    if (manifest) return manifest;
  } catch (error) {
    throw error instanceof RegistryError ? new CacheRefusal(error) : error;
  }
  throw new CacheRefusal(
    new RegistryError({
      kind: "missing",
      registry: target.registry,
      doing: `have ${formatImageRef(target)} cached`,
      says: "the rule of its prefix does not bring it, or you may not use it",
    }),
  );
}

/** The blobs that a manifest names itself: of an index none. */
function blobsIn({ bytes, mediaType }: StoredManifest): readonly Descriptor[] {
  const manifest = readManifest(bytes, mediaType);
  return manifest.kind === "image" ? blobsHeld(manifest) : [];
}

/** The cache brings the manifests of all platforms with that of their index. */
async function blobsBelow(repository: Repository, stored: StoredManifest): Promise<readonly Descriptor[]> {
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind === "image") return blobsIn(stored);
  const children = await Promise.all(
    manifest.manifests.map(async ({ digest }) => {
      const child = await repository.getManifest(digest);
      return child ? blobsBelow(repository, child) : [];
    }),
  );
  return [...new Map(children.flat().map((blob) => [blob.digest, blob])).values()];
}

async function present(repository: Repository, blob: Descriptor): Promise<void> {
  if (await repository.awaitBlob(blob)) return;
  throw new RegistryError({
    kind: "missing",
    registry: repository.registry,
    doing: `wait for ${repository.repository}@${blob.digest}`,
    says: "ECR's pull-through cache took the image and has not this layer of it",
  });
}
