import type { Answer, ServerProcess } from "./accounts.ts";

/** Latencies in milliseconds; the server's CPU time a request in microseconds. */
export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMicros: number;
}

export interface Measuring {
  work(): Promise<Answer>;
  readonly requests: number;
  readonly connections: number;
}

/** Sends a request again and again over several connections. @throws Error for an answer that is no success */
export async function measure(server: ServerProcess, { work, requests, connections }: Measuring): Promise<Measured> {
  const times: number[] = [];
  const before = await server.used();
  const started = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next++ < requests) {
      const from = performance.now();
      const { status, body } = await work();
      if (status >= 300) throw new Error(`${status} ${body}`);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - started) / 1000;
  const { cpuMicros } = await server.used();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { perSecond: requests / seconds, p50: at(0.5), p99: at(0.99), cpuMicros: (cpuMicros - before.cpuMicros) / requests };
}
