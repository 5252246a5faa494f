import type { Run } from "./runs.ts";

/** What was measured, by the name of the program. */
export interface Measured {
  readonly cold: Record<string, Run[]>;
  /** omx again, with nothing changed. */
  readonly warm: Run[];
  /** The same with sources pinned by digest. */
  readonly pinned: Run[];
  readonly memory: readonly { readonly layerMib: number; readonly peakMb: number }[];
}

/** Figures to compare, and the same for people. */
export function report(measured: Measured, bytes: number): { readonly summary: Summary; readonly lines: readonly string[] } {
  const summary = summaryOf(measured, bytes);
  return { summary, lines: describe(summary, measured.cold) };
}

/** Ratios are of medians: other work on the machine hits each run alike. */
function summaryOf({ cold, warm, pinned, memory }: Measured, bytes: number) {
  const seconds = Object.fromEntries(Object.entries(cold).map(([name, runs]) => [name, median(runs.map((run) => run.seconds))]));
  const cpu = Object.fromEntries(Object.entries(cold).map(([name, runs]) => [name, median(runs.map((run) => run.cpuSeconds))]));
  const omx = seconds["omx"] ?? Number.NaN;
  return {
    medianSeconds: seconds,
    mibPerSecond: mapped(seconds, (all) => Math.round(bytes / 1024 ** 2 / all)),
    timesOmx: mapped(seconds, (all) => rounded(all / omx)),
    medianCpuSeconds: mapped(cpu, rounded),
    cpuTimesOmx: mapped(cpu, (all) => rounded(all / (cpu["omx"] ?? Number.NaN))),
    /** omx in each round against the bare copy of the same round. */
    shareOfBare: rounded(median((cold["omx"] ?? []).map((run, round) => (cold["bare"]?.[round]?.seconds ?? Number.NaN) / run.seconds))),
    requests: cold["omx"]?.[0]?.requests,
    warmSeconds: median(warm.map((run) => run.seconds)),
    warmRequests: warm[0]?.requests,
    pinnedSeconds: median(pinned.map((run) => run.seconds)),
    pinnedRequests: pinned[0]?.requests,
    peakMb: peak(cold["omx"] ?? [], "peakMb"),
    registryPeakMb: peak(cold["omx"] ?? [], "registryPeakMb"),
    memory,
  };
}

type Summary = ReturnType<typeof summaryOf>;

const describe = (summary: Summary, cold: Measured["cold"]): readonly string[] => [
  ...Object.entries(cold).map(
    ([name, runs]) =>
      `${name.padEnd(8)} ${runs.map((run) => run.seconds.toFixed(2)).join("  ")} s   ${summary.mibPerSecond[name]} MiB/s   ${summary.timesOmx[name]} × omx;   CPU ${summary.medianCpuSeconds[name]} s, ${summary.cpuTimesOmx[name]} × omx`,
  ),
  `omx reaches ${(summary.shareOfBare * 100).toFixed(0)} % of the bare copy (by CPU ${((summary.cpuTimesOmx["bare"] ?? Number.NaN) * 100).toFixed(0)} %), with ${summary.requests} requests; ` +
    `peak memory ${summary.peakMb} MB, of the registry ${summary.registryPeakMb ?? "unknown"} MB`,
  `omx warm ${summary.warmSeconds.toFixed(2)} s, ${summary.warmRequests} requests; pinned by digest ${summary.pinnedSeconds.toFixed(2)} s, ${summary.pinnedRequests} requests`,
  `omx peak memory by layer size: ${summary.memory.map(({ layerMib, peakMb }) => `${layerMib} MiB ${peakMb} MB`).join(", ")}`,
];

function median(all: readonly number[]): number {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[Math.floor(index)] ?? Number.NaN;
  return (at((sorted.length - 1) / 2) + at(sorted.length / 2)) / 2;
}

const rounded = (value: number): number => Number(value.toFixed(2));

const peak = (runs: readonly Run[], member: "peakMb" | "registryPeakMb"): number => Math.max(...runs.map((run) => run[member] ?? Number.NaN));

const mapped = (all: Readonly<Record<string, number>>, work: (value: number) => number): Record<string, number> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, work(value)]));
