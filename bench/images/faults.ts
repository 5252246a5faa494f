// Copies 40 images with `omx images pull` while the registries fail in every way: each image must arrive or be told as
// failed with a reason, and a second call, with nothing failing any more, must complete. Exit code 1 where it is not so.
// Once by copying, once through ECR's pull-through cache, which is then what meets the failing upstream.
//   node bench/images/faults.ts [--mib 64] [--only WORD] [--way copy|pull-through]
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startDockerRegistry } from "../../src/oci/testing/docker-registry.ts";
import { faultProxy } from "../../src/oci/testing/fault-proxy.ts";
import type { Fault, SeenRequest } from "../../src/oci/testing/fault-proxy.ts";
import { omxPull, repositoryOf } from "./omx-pull.ts";
import { verify, verifyStored } from "./runs.ts";
import type { OmxWay } from "./runs.ts";
import { pushSampleSet } from "./sample-set.ts";
import type { SampleImage } from "./sample-set.ts";
import { startTarget } from "./targets.ts";
import type { Target } from "./targets.ts";

type Decide = (seen: SeenRequest, before: number) => Fault | undefined;

interface Scenario {
  readonly name: string;
  readonly upstream?: Decide;
  readonly target?: Decide;
  /** Whether all images arrive in spite of it. */
  readonly allArrive: boolean;
  /** Megabytes of disk that the target has. */
  readonly diskMb?: number;
}

const {
  mib,
  only,
  way: chosen,
} = parseArgs({
  options: { mib: { type: "string", default: "64" }, only: { type: "string", default: "" }, way: { type: "string", default: "" } },
}).values;
await using upstream = await startDockerRegistry();
const set = await pushSampleSet(upstream.host, { totalBytes: Number(mib) * 1024 * 1024, sharing: "biocontainers" });

const isBlob = ({ method, path }: SeenRequest): boolean => method === "GET" && path.includes("/blobs/sha256");
const isRegistry = ({ path }: SeenRequest): boolean => path.startsWith("/v2/") && path.length > 4;
const answer = (status: number, headers = {}): Fault => ({ kind: "answer", status, headers, body: "try again" });

/** Some fault for one in twenty requests, evenly: 5 %. */
function oneInTwenty(faults: readonly Fault[]): Decide {
  let asked = 0;
  return (seen) => (isRegistry(seen) && (asked += 1) % 20 === 0 ? faults[(asked / 20) % faults.length] : undefined);
}

const WAYS: readonly OmxWay[] = ["copy", "pull-through"];

const SCENARIOS: readonly Scenario[] = [
  { name: "nothing fails", allArrive: true },
  {
    name: "5 % of requests fail, on both sides",
    upstream: oneInTwenty([answer(503), { kind: "reset" }, answer(500)]),
    target: oneInTwenty([answer(503), { kind: "reset" }]),
    allArrive: true,
  },
  {
    name: "5 % of requests are answered 429 with Retry-After",
    upstream: oneInTwenty([answer(429, { "retry-after": "1" })]),
    target: oneInTwenty([answer(429, { "retry-after": "1" })]),
    allArrive: true,
  },
  {
    name: "every download is cut once, every upload of a layer once",
    upstream: (seen, before) => (isBlob(seen) && before === 0 ? { kind: "cut", afterBytes: 70_000 } : undefined),
    target: (seen, before) => (seen.method === "PATCH" && before === 0 ? { kind: "cutUpload", afterBytes: 100_000 } : undefined),
    allArrive: true,
  },
  { name: "a slow upstream", upstream: (seen) => (isBlob(seen) ? { kind: "slow", msPerChunk: 20 } : undefined), allArrive: true },
  {
    name: "an upstream that sends other bytes than the digest, for one blob in ten",
    upstream: (seen) => (isBlob(seen) && /sha256:[0-1]/.test(seen.path) ? { kind: "flip" } : undefined),
    allArrive: false,
  },
  { name: "a full disk", diskMb: Math.round(Number(mib) * 0.6), allArrive: false },
];

let isRight = true;
for (const way of WAYS.filter((one) => one.includes(chosen)))
  for (const scenario of SCENARIOS.filter(({ name }) => name.includes(only))) {
    const said = await tried(scenario, way).catch((error: unknown) => `WRONG: ${(error as Error).message}`);
    if (said.startsWith("WRONG")) isRight = false;
    process.stdout.write(`${way}, ${scenario.name}: ${said}\n`);
  }
process.exitCode = isRight ? 0 : 1;

async function tried(scenario: Scenario, way: OmxWay): Promise<string> {
  const { images } = set;
  await using disk = scenario.diskMb === undefined ? undefined : await smallDisk(scenario.diskMb);
  if (disk && !disk.isMounted) return "NOT RUN: mounting a small disk is not permitted here";
  let isFailing = true;
  await using source = await faultProxy(upstream.url, (seen, before) => (isFailing ? scenario.upstream?.(seen, before) : undefined));
  await using target = await startTarget({
    dataDir: disk?.folder,
    ...(way === "copy" ? { repositories: images.map(repositoryOf) } : { cacheOf: source.url }),
  });
  await using entrance = await faultProxy(target.url, (seen, before) => (isFailing ? scenario.target?.(seen, before) : undefined));
  const configFile = join(target.dockerConfig, "aws-config");
  await writeFile(configFile, (await readFile(target.configFile, "utf8")).replaceAll(target.url, entrance.url));
  const upstreamUrl = way === "copy" ? source.url : undefined;
  // A proxy ends connections whose sender is refused in the middle: only who needs it has it between.
  const first = await omxPull({ upstreamUrl, images, target: scenario.target ? { ...target, configFile } : target });
  const failed = first.results.filter(({ status }) => status === "FAILED");
  await verifyAll(
    images.filter((_, index) => first.results[index]?.status !== "FAILED"),
    target,
    way,
  );
  if (scenario.allArrive && failed.length > 0) return `WRONG: ${failed.length} images failed: ${failed[0]?.reason}`;
  if (!scenario.allArrive && failed.length === 0) return "WRONG: no image failed";
  isFailing = false;
  disk?.grow();
  const second = await omxPull({ upstreamUrl, images, target });
  const left = second.results.find(({ status }) => status === "FAILED");
  if (left) return `WRONG: the second call fails: ${left.reason}`;
  await verifyAll(images, target, way);
  const said = `${images.length - failed.length} arrived, ${failed.length} failed in ${first.seconds.toFixed(1)} s with ${first.requests} requests`;
  return `${said}; a second call completes in ${second.seconds.toFixed(1)} s${failed[0] ? ` (${failed[0].reason})` : ""}`;
}

/** What the cache is said to have brought lies in the store, byte by byte, before anybody asks the registry for it. */
async function verifyAll(images: readonly SampleImage[], target: Target, way: OmxWay): Promise<void> {
  if (way === "pull-through") await verifyStored(images, upstream, target);
  await verify(images, target, true);
}

interface Disk extends AsyncDisposable {
  readonly folder: string;
  readonly isMounted: boolean;
  /** Makes room for everything. */
  grow(): void;
}

async function smallDisk(sizeMb: number): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), "omx-disk-"));
  const mount = (options: string) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
  const isMounted = mount(`size=${sizeMb}m`);
  return {
    folder,
    isMounted,
    grow: () => void mount("remount,size=4g"),
    async [Symbol.asyncDispose]() {
      if (isMounted) spawnSync("umount", [folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
