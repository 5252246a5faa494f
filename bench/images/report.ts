import type { Run } from "./runs.ts";

/** What was measured, by the name of the program. */
export interface Measured {
  readonly cold: Record<string, Run[]>;
  /** omx again, with nothing changed, by the way it brings images. */
  readonly warm: Record<string, Run[]>;
  /** The same with sources pinned by digest. */
  readonly pinned: Record<string, Run[]>;
  readonly memory: readonly { readonly layerMib: number; readonly peakMb: number }[];
}

const OMX = ["omx (pull-through)", "omx (copy)"] as const;

/** Programs that copy images as omx does, and keep their digests. */
const COPIERS = ["skopeo", "crane", "regctl"];

/** Figures to compare, and the same for people. */
export function report(measured: Measured, bytes: number): { readonly summary: Summary; readonly lines: readonly string[] } {
  const summary = summaryOf(measured, bytes);
  return { summary, lines: describe(summary, measured) };
}

/** Ratios are of medians: other work on the machine hits each run alike. */
function summaryOf({ cold, warm, pinned, memory }: Measured, bytes: number) {
  const of = (member: "seconds" | "cpuSeconds") => mapped(cold, (runs) => median(runs.map((run) => run[member])));
  const [seconds, cpu] = [of("seconds"), of("cpuSeconds")];
  const best = (all: Readonly<Record<string, number>>) => Math.min(...COPIERS.map((name) => all[name] ?? Number.POSITIVE_INFINITY));
  const again = (all: Readonly<Record<string, readonly Run[]>>) =>
    mapped(all, (runs) => ({ seconds: rounded(median(runs.map((run) => run.seconds))), requests: runs[0]?.requests }));
  return {
    medianSeconds: mapped(seconds, rounded),
    medianCpuSeconds: mapped(cpu, rounded),
    mibPerSecond: mapped(seconds, (all) => Math.round(bytes / 1024 ** 2 / all)),
    omx: Object.fromEntries(
      OMX.filter((name) => cold[name]).map((name) => [
        name,
        omxFigures({ name, seconds, cpu, best, runs: cold[name] ?? [], bare: cold["bare"] ?? [] }),
      ]),
    ),
    warm: again(warm),
    pinned: again(pinned),
    memory,
  };
}

interface Compared {
  readonly name: string;
  readonly seconds: Readonly<Record<string, number>>;
  readonly cpu: Readonly<Record<string, number>>;
  readonly best: (all: Readonly<Record<string, number>>) => number;
  readonly runs: readonly Run[];
  readonly bare: readonly Run[];
}

function omxFigures({ name, seconds, cpu, best, runs, bare }: Compared) {
  const [own, ownCpu] = [seconds[name] ?? Number.NaN, cpu[name] ?? Number.NaN];
  return {
    timesBest: rounded(best(seconds) / own),
    timesBestByCpu: rounded(best(cpu) / ownCpu),
    ...(seconds["docker"] !== undefined && { timesDocker: rounded(seconds["docker"] / own) }),
    /** omx in each round against the bare copy of the same round. */
    shareOfBare: rounded(median(runs.map((run, round) => (bare[round]?.seconds ?? Number.NaN) / run.seconds))),
    shareOfBareByCpu: rounded((cpu["bare"] ?? Number.NaN) / ownCpu),
    requests: runs[0]?.requests,
    peakMb: peak(runs, "peakMb"),
    registryPeakMb: peak(runs, "registryPeakMb"),
  };
}

type Summary = ReturnType<typeof summaryOf>;

const describe = (summary: Summary, { cold }: Measured): readonly string[] => [
  ...Object.entries(cold).map(
    ([name, runs]) =>
      `${name.padEnd(18)} ${runs.map((run) => run.seconds.toFixed(2)).join("  ")} s   ${summary.mibPerSecond[name]} MiB/s;   CPU ${summary.medianCpuSeconds[name]} s`,
  ),
  ...Object.entries(summary.omx).map(
    ([name, one]) =>
      `${name}: ${Number.isFinite(one.timesBest) ? `${one.timesBest} × as fast as the best of ${COPIERS.filter((copier) => copier in cold).join(", ")} (by CPU ${one.timesBestByCpu} ×)` : "no program to compare with"}${one.timesDocker === undefined ? "" : `, ${one.timesDocker} × docker`}; ${percent(one.shareOfBare)} of the bare copy (by CPU ${percent(one.shareOfBareByCpu)}); ` +
      `${one.requests} requests, peak memory ${one.peakMb} MB, of the registry ${one.registryPeakMb} MB`,
  ),
  ...Object.keys(summary.warm).map(
    (way) =>
      `omx (${way}) warm ${summary.warm[way]?.seconds} s, ${summary.warm[way]?.requests} requests; pinned by digest ${summary.pinned[way]?.seconds} s, ${summary.pinned[way]?.requests} requests`,
  ),
  `omx (copy) peak memory by layer size: ${summary.memory.map(({ layerMib, peakMb }) => `${layerMib} MiB ${peakMb} MB`).join(", ")}`,
];

function median(all: readonly number[]): number {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[Math.floor(index)] ?? Number.NaN;
  return (at((sorted.length - 1) / 2) + at(sorted.length / 2)) / 2;
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

const rounded = (value: number): number => Number(value.toFixed(2));

const peak = (runs: readonly Run[], member: "peakMb" | "registryPeakMb"): number =>
  Math.max(...runs.map((run) => run[member] ?? Number.NaN));

const mapped = <From, To>(all: Readonly<Record<string, From>>, work: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, work(value)]));
