import type { Gate } from "../client/gate.ts";
import type { BlobSource } from "../client/blob-reader.ts";
import type { Repository } from "../client/registry-client.ts";
import type { Descriptor } from "../manifest.ts";

/** How a blob came to be in the target: sent, or found there, or mounted from a neighbour. */
export interface BlobOutcome {
  readonly movedBytes: number;
  readonly savedBytes: number;
}

/** A blob that the target repository needs. */
export interface BlobJob {
  readonly blob: Descriptor;
  readonly source: Repository;
  readonly target: Repository;
  /** Told of bytes as they are sent. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What is known of one blob in the target registry. */
interface Whereabouts {
  readonly repositories: Map<string, Repository>;
  readonly arriving: Map<string, Promise<BlobOutcome>>;
  /** The one transfer from the source; everybody else waits for it. */
  first?: Promise<unknown> | undefined;
}

/**
 * Brings blobs to one target registry, each from its source once, however many repositories and images need it: the
 * first to ask sends it, the others mount it, or, where the registry does not mount, copy it within the registry.
 */
export class BlobMover {
  readonly #known = new Map<string, Whereabouts>();
  readonly #transfers: Gate;
  /** ECR opens an upload instead of mounting, unless mounting is enabled: then a look comes first. */
  #isMountRefused = false;

  /** @param transfers how many blobs are sent at a time, over all movers that share it */
  constructor(transfers: Gate) {
    this.#transfers = transfers;
  }

  /** Resolves when the target repository has the blob. @throws RegistryError when neither way brings it there */
  async bring(job: BlobJob): Promise<BlobOutcome> {
    const { arriving, repositories } = this.#of(job.blob.digest);
    const key = job.target.repository;
    if (repositories.has(key)) return saved(job);
    // A neighbour's failure may be its source's: with another source it is worth a try of one's own.
    const neighbour = await arriving.get(key)?.then(
      () => saved(job),
      () => undefined,
    );
    if (neighbour) return neighbour;
    const arrival = this.#arrive(job);
    arriving.set(key, arrival);
    try {
      const outcome = await arrival;
      repositories.set(key, job.target);
      return outcome;
    } finally {
      if (arriving.get(key) === arrival) arriving.delete(key);
    }
  }

  #of(digest: string): Whereabouts {
    const known = this.#known.get(digest) ?? {
      repositories: new Map<string, Repository>(),
      arriving: new Map<string, Promise<BlobOutcome>>(),
    };
    this.#known.set(digest, known);
    return known;
  }

  async #arrive(job: BlobJob): Promise<BlobOutcome> {
    const known = this.#of(job.blob.digest);
    for (;;) {
      const [holder] = known.repositories.values();
      if (holder) return this.#fromNeighbour(job, holder);
      if (known.first === undefined) break;
      await known.first.catch(() => undefined);
    }
    const first = this.#fromSource(job);
    known.first = first;
    try {
      const outcome = await first;
      known.repositories.set(job.target.repository, job.target);
      return outcome;
    } finally {
      known.first = undefined;
    }
  }

  async #fromSource(job: BlobJob): Promise<BlobOutcome> {
    const isWorthAsking = job.blob.size > SMALL_BYTES;
    if (isWorthAsking && (await job.target.headBlob(job.blob.digest)) !== undefined) return saved(job);
    return this.#send(job, job.source.blob(job.blob));
  }

  async #fromNeighbour(job: BlobJob, holder: Repository): Promise<BlobOutcome> {
    const { digest } = job.blob;
    if (this.#isMountRefused && (await job.target.headBlob(digest)) !== undefined) return saved(job);
    const session = await job.target.beginUpload({ digest, from: holder.repository });
    if (session === undefined) return saved(job);
    this.#isMountRefused = true;
    return this.#send(job, holder.blob(job.blob), session);
  }

  async #send(job: BlobJob, source: BlobSource, session?: Awaited<ReturnType<Repository["beginUpload"]>>): Promise<BlobOutcome> {
    const movedBytes = await this.#transfers.pass(() => job.target.uploadBlob(observed(source, job.onBytes), session));
    return { movedBytes, savedBytes: 0 };
  }
}

/** To send a configuration takes no longer than to ask whether it is there. */
const SMALL_BYTES = 16 * 1024;

const saved = ({ blob }: BlobJob): BlobOutcome => ({ movedBytes: 0, savedBytes: blob.size });

function observed(source: BlobSource, onBytes: BlobJob["onBytes"]): BlobSource {
  if (!onBytes) return source;
  return {
    blob: source.blob,
    async *read(offset, options) {
      for await (const chunk of source.read(offset, options)) {
        onBytes(chunk.length);
        yield chunk;
      }
    },
  };
}
