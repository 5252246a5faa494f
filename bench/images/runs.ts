import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseImageRef } from "../../src/kit/image-ref.ts";
import { dockerConfigCredentials } from "../../src/oci/client/docker-config.ts";
import { registryClient } from "../../src/oci/client/registry-client.ts";
import { blobsOf, readManifest } from "../../src/oci/manifest.ts";
import type { DockerRegistry } from "../../src/oci/testing/docker-registry.ts";
import { omxPull, repositoryOf } from "./omx-pull.ts";
import type { Peer, Way } from "./peers.ts";
import { pushOneLayer } from "./sample-set.ts";
import type { SampleImage, SampleSet } from "./sample-set.ts";
import { startTarget } from "./targets.ts";
import type { Target } from "./targets.ts";

/** What all programs are given. */
export interface Bench {
  readonly upstream: DockerRegistry;
  readonly set: SampleSet;
}

/** One run of a program, and for omx what it tells of itself. */
export interface Run {
  readonly seconds: number;
  /** Of the program, both registries and nothing else: the same however busy the machine is. */
  readonly cpuSeconds: number;
  readonly peakMb?: number;
  readonly requests?: number;
  readonly registryPeakMb?: number;
}

/** Each peer copies this many images at a time. */
const IMAGES_AT_ONCE = 4;

/** How omx brings images: by copying them, or by having ECR's pull-through cache bring them. */
export type OmxWay = "copy" | "pull-through";

/** omx into an empty registry, and then twice again with nothing changed: by tag, and pinned by digest. */
export async function omx({ upstream: registry, set }: Bench, way: OmxWay): Promise<Record<"cold" | "warm" | "pinned", Run>> {
  const { images } = set;
  const isCopy = way === "copy";
  await using target = await startTarget(isCopy ? { repositories: repositoriesOf(images) } : { cacheOf: registry.url });
  const upstream = { pid: registry.pid, ...(isCopy && { url: registry.url }) };
  const cold = await pull({ upstream, images, target });
  if (!isCopy) await verifyStored(images, registry, target);
  await verify(images, target, true);
  const registryPeakMb = await target.peakMb();
  const warm = await pull({ upstream, images, target });
  const pinned = await pull({ upstream, target, images, isPinned: true });
  return { cold: { ...cold, registryPeakMb }, warm, pinned };
}

/** Another program into an empty registry. */
export async function peer({ upstream, set }: Bench, program: Peer): Promise<Run> {
  await using target = await startTarget({ repositories: repositoriesOf(set.images) });
  const ways = waysOf({ upstream, images: set.images, target });
  try {
    const { run } = await timed([upstream.pid, target.pid], () => inTurns(ways, (way) => program.copy(way)));
    await verify(set.images, target, program.keepsDigests);
    return run;
  } finally {
    await program.clean?.(ways);
  }
}

/** How much memory omx needs for one image with a small, and with a large layer. */
export async function memoryByLayerSize({ upstream }: Bench): Promise<readonly { layerMib: number; peakMb: number }[]> {
  const measured: { layerMib: number; peakMb: number }[] = [];
  for (const layerMib of [16, 512]) {
    const image = await pushOneLayer(upstream.host, layerMib * 1024 * 1024);
    await using target = await startTarget({ repositories: [image.repository] });
    const { peakMb = Number.NaN } = await pull({ upstream, images: [image], target });
    await verify([image], target, true);
    measured.push({ layerMib, peakMb });
  }
  return measured;
}

/** What the machine can do: the same bytes over HTTP, hashed once and written to files, with nothing asked or kept. */
export async function bareCopy({ upstream, set }: Bench): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "omx-bare-"));
  const server = spawn(process.execPath, [join(import.meta.dirname, "bare-server.ts"), folder], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const port = await new Promise<string>((resolve) => server.stdout.once("data", (chunk) => resolve(String(chunk).trim())));
    const blobs = await allBlobs(upstream, set.images);
    const { run } = await timed([upstream.pid, server.pid ?? 0], () =>
      child("bare-copy.ts", [upstream.url, `http://127.0.0.1:${port}`], blobs),
    );
    return run;
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

const repositoriesOf = (images: readonly SampleImage[]): readonly string[] => images.map(repositoryOf);

interface From {
  readonly upstream: Pick<DockerRegistry, "pid"> & { readonly url?: string };
  readonly images: readonly SampleImage[];
  readonly target: Target;
}

const waysOf = ({ upstream, images, target: { prefix, dockerConfig } }: From & { readonly upstream: DockerRegistry }): readonly Way[] =>
  images.map((image) => ({
    source: `${upstream.host}/${image.repository}:${image.tag}`,
    target: `${prefix}${repositoryOf(image)}:${image.tag}`,
    dockerConfig,
  }));

/** Compares what is in the target with what is upstream. @throws Error naming the first that differs */
export async function verify(images: readonly SampleImage[], { prefix, dockerConfig }: Target, keepsDigests: boolean): Promise<void> {
  await using client = registryClient({ credentials: dockerConfigCredentials(join(dockerConfig, "config.json")) });
  for (const image of images) {
    const found = await client.repository(parseImageRef(`${prefix}${repositoryOf(image)}`)).getManifest(image.tag);
    if (!found || (keepsDigests && found.digest !== image.digest))
      throw new Error(`${image.repository} has ${found?.digest} and not ${image.digest}`);
  }
}

/** Reads every blob of the images in the store of the accounts itself: a registry that is asked for one would bring it. */
export async function verifyStored(images: readonly SampleImage[], upstream: DockerRegistry, { dataDir }: Target): Promise<void> {
  for (const { digest, size } of await allBlobs(upstream, images)) {
    const sha256 = digest.slice("sha256:".length);
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of createReadStream(join(dataDir, "blobs", sha256.slice(0, 2), sha256)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    if (hash.digest("hex") !== sha256 || bytes !== size) throw new Error(`the store's ${digest} has other bytes`);
  }
}

async function timed<T>(registries: readonly number[], work: () => Promise<T>): Promise<{ readonly run: Run; readonly result: T }> {
  const used = async () =>
    (await Promise.all([cpuOfChildren(), ...registries.map((pid) => cpuOf(pid))])).reduce((sum, one) => sum + one, 0);
  const [startedAt, before] = [performance.now(), await used()];
  const result = await work();
  return { run: { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (await used()) - before }, result };
}

/** Fields 14 to 17 of proc_pid_stat(5), in hundredths of a second: what a process used, and its children that have ended. */
async function cpuTimes(pid: number | "self"): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  return text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map((ticks) => Number(ticks) / 100);
}

const cpuOf = async (pid: number): Promise<number> => (await cpuTimes(pid)).slice(0, 2).reduce((sum, one) => sum + one, 0);

const cpuOfChildren = async (): Promise<number> => (await cpuTimes("self")).slice(2).reduce((sum, one) => sum + one, 0);

async function inTurns(ways: readonly Way[], copy: (way: Way) => Promise<void>): Promise<void> {
  const left = [...ways];
  await Promise.all(
    Array.from({ length: IMAGES_AT_ONCE }, async () => {
      for (let way = left.shift(); way; way = left.shift()) await copy(way);
    }),
  );
}

async function pull(from: From & { readonly isPinned?: boolean }): Promise<Run> {
  const { run, result } = await timed([from.upstream.pid, from.target.pid], () => omxPull({ ...from, upstreamUrl: from.upstream.url }));
  const failed = result.results.find(({ status }) => status === "FAILED");
  if (failed) throw new Error(failed.reason);
  return { ...run, requests: result.requests, peakMb: result.peakMb };
}

interface FoundBlob {
  readonly repository: string;
  readonly digest: string;
  readonly size: number;
}

async function allBlobs(upstream: DockerRegistry, images: readonly SampleImage[]): Promise<readonly FoundBlob[]> {
  await using client = registryClient();
  const blobs = new Map<string, FoundBlob>();
  for (const { repository, tag } of images) {
    const stored = await client.repository({ registry: upstream.host, repository }).getManifest(tag);
    const manifest = stored && readManifest(stored.bytes, stored.mediaType);
    if (manifest?.kind === "image")
      for (const blob of blobsOf(manifest)) blobs.set(blob.digest, { repository, digest: blob.digest, size: blob.size });
  }
  return [...blobs.values()];
}

/** Runs a script of this folder with JSON on stdin and returns the JSON that it prints. */
function child(script: string, args: readonly string[], input: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // A small young generation lets go of the network's buffers sooner, which is most of the memory.
    const started = spawn(process.execPath, ["--max-semi-space-size=2", join(import.meta.dirname, script), ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let output = "";
    started.stdout.on("data", (chunk) => (output += String(chunk)));
    started.on("close", (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`${script} ended with ${code}`))));
    started.stdin.end(JSON.stringify(input));
  });
}
