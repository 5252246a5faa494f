// Copies the same 40 images with omx and with other programs, each several times into an empty registry, and compares.
//   node bench/images/main.ts [--mib 256] [--runs 3] [--peers skopeo,crane,regctl,docker] [--target ecr|docker-registry] [--json]
// Programs that are not installed are left out and named. Every result is checked by digest (docker's: that it is there).
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseImageRef } from "../../src/kit/image-ref.ts";
import { registryClient } from "../../src/oci/client/registry-client.ts";
import { dockerConfigCredentials } from "../../src/oci/client/docker-config.ts";
import { blobsOf, readManifest } from "../../src/oci/manifest.ts";
import { startDockerRegistry } from "../../src/oci/testing/docker-registry.ts";
import { peersAmong } from "./peers.ts";
import type { Way } from "./peers.ts";
import { pushSampleSet } from "./sample-set.ts";
import type { SampleImage } from "./sample-set.ts";
import { startTarget } from "./targets.ts";
import type { Target, TargetKind } from "./targets.ts";

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "256" },
    runs: { type: "string", default: "3" },
    peers: { type: "string", default: "skopeo,crane,regctl,docker" },
    target: { type: "string", default: "ecr" },
    json: { type: "boolean", default: false },
  },
});
const IMAGES_AT_ONCE = 4;
const kind: TargetKind = values.target === "docker-registry" ? "docker-registry" : "ecr";
const [mib, runs] = [Number(values.mib), Number(values.runs)];

/** Seconds of one run, and for omx what it tells of itself. */
interface Run {
  readonly seconds: number;
  readonly peakMb?: number;
  readonly requests?: number;
  readonly registryPeakMb?: number;
}

await using upstream = await startDockerRegistry();
const { images, bytes } = await pushSampleSet(upstream.host, mib * 1024 * 1024);
say(`${images.length} images, ${(bytes / 1024 ** 2).toFixed(0)} MiB of different layers, ${runs} runs each`);

const peers = peersAmong(values.peers.split(","));
for (const name of values.peers.split(","))
  if (!peers.some((peer) => peer.name === name)) say(`not run: ${name} is not installed or does not answer`);
const cold: Record<string, readonly Run[]> = {
  bare: await times(() => bareCopy()),
  omx: await times(() => intoEmpty(ours)),
};
const warm = await times(() => intoEmpty(async (ways) => (await ours(ways), ours(ways))));
for (const peer of peers)
  cold[peer.name] = await times(() =>
    intoEmpty(async (ways) => {
      const run = await timed(() => inTurns(ways, (way) => peer.copy(way)));
      await peer.clean?.(ways);
      return run;
    }, peer.keepsDigests),
  );
report();

async function times(work: () => Promise<Run>): Promise<readonly Run[]> {
  const all: Run[] = [];
  for (let round = 0; round < runs; round += 1) all.push(await work());
  return all;
}

async function intoEmpty(work: (ways: readonly Way[]) => Promise<Run>, keepsDigests = true): Promise<Run> {
  const repositories = images.map(({ repository }) => repository);
  await using target = await startTarget(kind, repositories);
  const { dockerConfig } = target;
  const source = `${upstream.host}/`;
  const run = await work(images.map((image) => ({ source: nameAt(source, image), target: nameAt(target.prefix, image), dockerConfig })));
  const registryPeakMb = await target.peakMb();
  await verify(target, keepsDigests);
  return { ...run, ...(registryPeakMb === undefined ? {} : { registryPeakMb }) };
}

function nameAt(prefix: string, { repository, tag }: SampleImage): string {
  return `${prefix}${repository}:${tag}`;
}

async function verify({ prefix, dockerConfig }: Target, keepsDigests: boolean): Promise<void> {
  await using client = registryClient({ credentials: dockerConfigCredentials(join(dockerConfig, "config.json")) });
  for (const image of images) {
    const found = await client.repository(parseImageRef(nameAt(prefix, image))).getManifest(image.tag);
    if (!found || (keepsDigests && found.digest !== image.digest))
      throw new Error(`${image.repository} has ${found?.digest} and not ${image.digest}`);
  }
}

async function timed(work: () => Promise<unknown>): Promise<Run> {
  const startedAt = performance.now();
  await work();
  return { seconds: (performance.now() - startedAt) / 1000 };
}

async function inTurns(ways: readonly Way[], copy: (way: Way) => Promise<void>): Promise<void> {
  const left = [...ways];
  await Promise.all(
    Array.from({ length: IMAGES_AT_ONCE }, async () => {
      for (let way = left.shift(); way; way = left.shift()) await copy(way);
    }),
  );
}

/** omx as a process of its own, its start counted. */
async function ours(ways: readonly Way[]): Promise<Run> {
  const startedAt = performance.now();
  const { results, peakMb } = (await child("ours.ts", [join(ways[0]?.dockerConfig ?? "", "config.json")], ways)) as {
    results: readonly { status: string; reason: string; requests: number }[];
    peakMb: number;
  };
  const failed = results.find(({ status }) => status === "FAILED");
  if (failed) throw new Error(failed.reason);
  return {
    seconds: (performance.now() - startedAt) / 1000,
    peakMb,
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
  };
}

async function bareCopy(): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "omx-bare-"));
  const server = spawn(process.execPath, [join(import.meta.dirname, "bare-server.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await new Promise<string>((resolve) => server.stdout.once("data", (chunk) => resolve(String(chunk).trim())));
    const { seconds } = (await child("bare-copy.ts", [upstream.url, `http://127.0.0.1:${port}`], await allBlobs())) as Run;
    return { seconds };
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

async function allBlobs(): Promise<readonly object[]> {
  await using client = registryClient();
  const blobs = new Map<string, object>();
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
    // A small young generation: buffers of the network are let go sooner, which is most of the memory.
    const started = spawn(process.execPath, ["--max-semi-space-size=2", join(import.meta.dirname, script), ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let output = "";
    started.stdout.on("data", (chunk) => (output += String(chunk)));
    started.on("close", (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`${script} ended with ${code}`))));
    started.stdin.end(JSON.stringify(input));
  });
}

function report(): void {
  const best = Object.fromEntries(Object.entries(cold).map(([name, all]) => [name, Math.min(...all.map(({ seconds }) => seconds))]));
  const omx = best["omx"] ?? Number.NaN;
  const summary = {
    mib,
    runs,
    cold,
    warm,
    mibPerSecond: Object.fromEntries(Object.entries(best).map(([name, seconds]) => [name, Math.round(bytes / 1024 ** 2 / seconds)])),
    timesOmx: Object.fromEntries(Object.entries(best).map(([name, seconds]) => [name, Number((seconds / omx).toFixed(2))])),
    warmSeconds: Math.min(...warm.map(({ seconds }) => seconds)),
    warmRequestsPerTag: (warm[0]?.requests ?? 0) / images.length,
    peakMb: Math.max(...(cold["omx"] ?? []).map(({ peakMb = 0 }) => peakMb)),
    registryPeakMb: Math.max(...(cold["omx"] ?? []).map(({ registryPeakMb = 0 }) => registryPeakMb)),
  };
  if (values.json) return void process.stdout.write(`${JSON.stringify(summary)}\n`);
  for (const [name, all] of Object.entries(cold))
    say(
      `${name.padEnd(8)} ${all.map(({ seconds }) => seconds.toFixed(2)).join("  ")} s   best ${summary.mibPerSecond[name]} MiB/s   ${summary.timesOmx[name]} × omx`,
    );
  say(`omx warm ${summary.warmSeconds.toFixed(2)} s, ${summary.warmRequestsPerTag} requests a tag; peak memory ${summary.peakMb} MB`);
}

function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}
