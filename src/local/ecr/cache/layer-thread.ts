// A thread of the local ECR: brings layers from upstream into files, and hashes them. `layer-threads.ts` starts it.
import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import type { Credentials } from "../../../oci/client/credentials.ts";
import { registryClient, type RegistryClient } from "../../../oci/client/registry-client.ts";
import { transportFor } from "../../../oci/client/transport.ts";
import { DiskFull, hasRoomFor, isDiskFull } from "../../storage/disk-full.ts";
import { writeAtOnce } from "../layers/write-at-once.ts";
import { failureOf, type FromThread, type LayerOrder, type ToThread, UPSTREAM_ATTEMPTS } from "./layer-orders.ts";

const clients = new Map<string, RegistryClient>();
const credentials = new Map<string, Credentials | undefined>();
const running = new Map<number, AbortController>();
const tell = (told: FromThread) => parentPort?.postMessage(told);

parentPort?.on("message", (told: ToThread) => {
  if ("cancelled" in told) running.get(told.id)?.abort();
  else void fetchLayer(told.id, told.order);
});

async function fetchLayer(id: number, order: LayerOrder): Promise<void> {
  const ending = new AbortController();
  running.set(id, ending);
  try {
    tell({ id, sha256: await write(order, ending.signal, (written) => tell({ id, written })) });
  } catch (error) {
    tell({ id, failed: failureOf(isDiskFull(error) ? new DiskFull("there is no room for the layer") : error) });
  } finally {
    running.delete(id);
  }
}

function clientOf({ client: name, upstreams, proxy, credentials: known }: LayerOrder): RegistryClient {
  // A secret may have other credentials than the last time.
  credentials.set(name, known);
  const client =
    clients.get(name) ??
    registryClient({
      transport: transportFor({ upstreams }),
      credentials: () => Promise.resolve(credentials.get(name)),
      retries: { attempts: UPSTREAM_ATTEMPTS },
      ...(proxy && { proxy }),
    });
  clients.set(name, client);
  return client;
}

/** Telling of every chunk would cost more than writing it. */
const TELL_EVERY_BYTES = 512 * 1024;
const LOOK_EVERY_BYTES = 4 * 1024 * 1024;

/**
 * Writes the layer at once as it comes: this thread has nothing else to do meanwhile.
 * @returns the SHA-256 of the bytes, which the client has proved to be those of the layer's digest
 */
async function write(order: LayerOrder, signal: AbortSignal, onWritten: (bytes: number) => void): Promise<string> {
  const { blob, file, registry, repository } = order;
  const source = clientOf(order).repository({ registry, repository }, { signal }).blob(blob);
  // The client hashes by the algorithm of the digest.
  const own = blob.digest.startsWith("sha256:") ? undefined : createHash("sha256");
  const end = openSync(file, "w");
  let [untold, unseen] = [0, LOOK_EVERY_BYTES];
  try {
    for await (const chunk of source.read(0, { isLent: true })) {
      unseen += chunk.byteLength;
      if (unseen > LOOK_EVERY_BYTES) {
        if (!hasRoomFor(file, LOOK_EVERY_BYTES)) throw new DiskFull("there is no room for the layer");
        unseen = 0;
      }
      own?.update(chunk);
      untold += chunk.byteLength;
      writeAtOnce(end, chunk);
      if (untold >= TELL_EVERY_BYTES) {
        onWritten(untold);
        untold = 0;
      }
    }
    onWritten(untold);
  } finally {
    closeSync(end);
  }
  return own?.digest("hex") ?? blob.digest.slice("sha256:".length);
}
