import type { ImageRef } from "../../kit/image-ref.ts";
import type { ProxySettings } from "../../kit/proxy.ts";
import { systemClock } from "../../kit/clock.ts";
import type { Clock } from "../../kit/clock.ts";
import { systemRandom } from "../../kit/random.ts";
import type { Random } from "../../kit/random.ts";
import type { Descriptor } from "../manifest.ts";
import { DEFAULT_RETRIES } from "./backoff.ts";
import type { RetryPolicy } from "./backoff.ts";
import { awaitBlob, blobSource, headBlob } from "./blob-reader.ts";
import type { BlobSource } from "./blob-reader.ts";
import { uploadBlob } from "./blob-uploads.ts";
import { anonymous } from "./credentials.ts";
import type { CredentialProvider } from "./credentials.ts";
import { Exchange } from "./exchange.ts";
import type { Advice, RequestContext } from "./exchange.ts";
import { listReferrers } from "./listings.ts";
import { deleteManifest, getManifest, headManifest, putManifest } from "./manifests.ts";
import type { ManifestHead, StoredManifest } from "./manifests.ts";
import type { Wait } from "./patience.ts";
import { transportFor } from "./transport.ts";
import type { Transport } from "./transport.ts";
import { beginUpload } from "./upload-sessions.ts";
import type { Mount, UploadSession } from "./upload-sessions.ts";

export interface RegistryClientOptions {
  /** @default - each registry at its own address, Docker Hub and loopback as Docker does */
  readonly transport?: Transport;
  /** @default - without credentials */
  readonly credentials?: CredentialProvider;
  readonly clock?: Clock;
  readonly random?: Random;
  /** @default DEFAULT_RETRIES: 7 tries with growing waits, 11 where it is asked too often, 3 where it is silent for minutes, Retry-After up to two minutes */
  readonly retries?: Partial<RetryPolicy>;
  /** Requests to one registry at a time; reads and writes are counted apart. @default 12 */
  readonly requestsPerRegistry?: number;
  /** ECR allows 10 PutImage a second for each account and region. @default - as often as it goes */
  readonly manifestPutsPerSecond?: number;
  /**
   * Connections over which one large blob is read at the same time, 8 MiB of memory each; more than one is for object
   * stores far away. @default 1
   */
  readonly rangesPerBlob?: number;
  /** Ends the message of an error. @default - the registry's own words are all */
  readonly advice?: Advice;
  /** Told of each wait before a request is tried again, as it begins. */
  readonly onWait?: (wait: Wait) => void;
  /** How the network lets its users out. @default - directly */
  readonly proxy?: ProxySettings;
  /** How long a registry may be silent, in milliseconds; where it may have to fetch or to hash a layer first, five minutes. @default 60000 */
  readonly silenceMs?: number;
}

/** A client of any number of OCI registries. It keeps connections and tokens: one for a run, closed at its end. */
export interface RegistryClient extends AsyncDisposable {
  /** The repository of an image; tag and digest do not matter. `context` is asked and told about every request. */
  repository(at: Pick<ImageRef, "registry" | "repository">, context?: RequestContext): Repository;
  close(): Promise<void>;
}

/** One repository. Every call throws RegistryError when the registry fails or refuses. */
export interface Repository {
  readonly registry: string;
  readonly repository: string;
  /** Where it is read, where that is not the registry's own address. */
  readonly elsewhere: string | undefined;
  /** The digest behind a tag, for one small request; undefined where there is none. */
  headManifest(reference: string): Promise<ManifestHead | undefined>;
  /** The manifest, its bytes proved by its digest; undefined where there is none. */
  getManifest(reference: string): Promise<StoredManifest | undefined>;
  putManifest(reference: string, manifest: Omit<StoredManifest, "digest">): Promise<string>;
  deleteManifest(reference: string): Promise<void>;
  /** The blob's size in bytes; undefined where there is none. */
  headBlob(digest: string): Promise<number | undefined>;
  /** Waits until all of a blob can be read here, as that of a cache that still brings it; false where there is none. */
  awaitBlob(blob: Pick<Descriptor, "digest" | "size">): Promise<boolean>;
  /** A blob to be read here, once or more often; nothing is sent before it is read. */
  blob(blob: Pick<Descriptor, "digest" | "size">): BlobSource;
  /** Opens an upload; undefined when the registry mounted the blob instead. */
  beginUpload(mount?: Mount): Promise<UploadSession | undefined>;
  /** Uploads a blob and returns the number of bytes sent. */
  uploadBlob(source: BlobSource, session?: UploadSession): Promise<number>;
  listReferrers(digest: string): Promise<readonly Descriptor[]>;
}

/** Makes a client. */
export function registryClient(options: RegistryClientOptions = {}): RegistryClient {
  const exchange = new Exchange({
    transport: options.transport ?? transportFor(),
    credentials: options.credentials ?? anonymous,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    retries: {
      ...DEFAULT_RETRIES,
      ...(options.retries?.attempts && { attemptsWhenThrottled: options.retries.attempts }),
      ...options.retries,
    },
    requestsPerRegistry: options.requestsPerRegistry ?? 12,
    manifestPutsPerSecond: options.manifestPutsPerSecond,
    rangesPerBlob: options.rangesPerBlob ?? 1,
    advice: options.advice,
    onWait: options.onWait,
    proxy: options.proxy,
    silenceMs: options.silenceMs ?? 60_000,
  });
  return {
    repository: ({ registry, repository }, context = {}) => repositoryOf({ exchange, registry, repository, context }),
    close: () => exchange.close(),
    [Symbol.asyncDispose]: () => exchange.close(),
  };
}

function repositoryOf(address: Parameters<typeof headManifest>[0]): Repository {
  return {
    registry: address.registry,
    repository: address.repository,
    elsewhere: address.exchange.transport(address.registry).elsewhere,
    headManifest: (reference) => headManifest(address, reference),
    getManifest: (reference) => getManifest(address, reference),
    putManifest: (reference, manifest) => putManifest(address, reference, manifest),
    deleteManifest: (reference) => deleteManifest(address, reference),
    headBlob: (digest) => headBlob(address, digest),
    awaitBlob: (blob) => awaitBlob(address, blob),
    blob: (blob) => blobSource(address, blob),
    beginUpload: (mount) => beginUpload(address, mount),
    uploadBlob: (source, session) => uploadBlob(address, source, session),
    listReferrers: (digest) => listReferrers(address, digest),
  };
}
