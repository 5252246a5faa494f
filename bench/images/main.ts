// Copies the same 40 images with omx and with other programs, in turns, each time into an empty registry, and compares.
//   node bench/images/main.ts [--mib 2048] [--runs 3] [--sharing biocontainers|families] [--peers skopeo,crane,regctl,docker]
//                             [--json]
// Programs that are not installed are left out and named. What arrives is checked by digest (docker's: that it is there).
// README.md beside this file says what is measured and what was.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { startDockerRegistry } from "../../src/oci/testing/docker-registry.ts";
import { peersAmong } from "./peers.ts";
import { report } from "./report.ts";
import type { Measured } from "./report.ts";
import { bareCopy, memoryByLayerSize, omx, peer } from "./runs.ts";
import type { Bench, Run } from "./runs.ts";
import { pushSampleSet, SHARINGS } from "./sample-set.ts";
import type { Sharing } from "./sample-set.ts";

const { values } = parseArgs({
  options: {
    mib: { type: "string", default: "2048" },
    runs: { type: "string", default: "3" },
    sharing: { type: "string", default: "biocontainers" },
    peers: { type: "string", default: "skopeo,crane,regctl,docker" },
    json: { type: "boolean", default: false },
  },
});
if (!Object.hasOwn(SHARINGS, values.sharing)) throw new Error(`--sharing is one of ${Object.keys(SHARINGS).join(", ")}`);
const [mib, runs] = [Number(values.mib), Number(values.runs)];

await using upstream = await startDockerRegistry();
const set = await pushSampleSet(upstream.host, { totalBytes: mib * 1024 * 1024, sharing: values.sharing as Sharing });
const bench: Bench = { upstream, set };
say(`${set.images.length} images, ${(set.bytes / 1024 ** 2).toFixed(0)} MiB of different layers, ${runs} rounds`);

const peers = peersAmong(values.peers.split(","));
for (const name of values.peers.split(","))
  if (!peers.some((one) => one.name === name)) say(`NOT RUN: ${name} is not installed or does not answer`);

const measured: Measured = { cold: {}, warm: {}, pinned: {}, memory: await memoryByLayerSize(bench) };
for (let round = 0; round < runs; round += 1) {
  say(`round ${round + 1}, load ${loadavg()[0]?.toFixed(1)}`);
  record("bare", await bareCopy(bench));
  for (const way of ["pull-through", "copy"] as const) {
    const { cold, warm, pinned } = await omx(bench, way);
    record(`omx (${way})`, cold);
    (measured.warm[way] ??= []).push(warm);
    (measured.pinned[way] ??= []).push(pinned);
  }
  for (const one of peers) {
    try {
      record(one.name, await peer(bench, one));
    } catch (error) {
      say(`  ${one.name} failed: ${(error as Error).message}`);
    }
  }
}
const { summary, lines } = report(measured, set.bytes);
for (const line of lines) say(line);
if (values.json) process.stdout.write(`${JSON.stringify({ mib, runs, sharing: values.sharing, ...summary, measured })}\n`);

function record(name: string, run: Run): void {
  (measured.cold[name] ??= []).push(run);
  say(`  ${name.padEnd(18)} ${run.seconds.toFixed(2)} s, CPU ${run.cpuSeconds.toFixed(2)} s`);
}

function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}
