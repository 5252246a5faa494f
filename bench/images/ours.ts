// Copies the images named on stdin as JSON, with the passwords of the Docker configuration that is its argument, and prints results and the peak memory of this process as JSON.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { parseImageRef } from "../../src/kit/image-ref.ts";
import { dockerConfigCredentials } from "../../src/oci/client/docker-config.ts";
import { registryClient } from "../../src/oci/client/registry-client.ts";
import { copyImages } from "../../src/oci/copy.ts";

const plan = JSON.parse(await text(process.stdin)) as readonly { readonly source: string; readonly target: string }[];
await using client = registryClient({ credentials: dockerConfigCredentials(process.argv[2] ?? "") });
const startedAt = performance.now();
const results = await copyImages(
  plan.map(({ source, target }) => ({ source: parseImageRef(source), target: parseImageRef(target) })),
  { sourceClient: client, targetClient: client },
);
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage();
// ru_maxrss would tell of the process that started this one: it outlives exec.
const peakKb = Number(/VmHWM:\s+(\d+)/.exec(await readFile("/proc/self/status", "utf8"))?.[1]);
process.stdout.write(JSON.stringify({ results, seconds, cpuSeconds: (user + system) / 1e6, peakMb: Math.round(peakKb / 1024) }));
