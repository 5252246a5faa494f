import type { ServerProcess } from "./accounts.ts";
import type { Furnished } from "./furnish.ts";
import { measure } from "./measure.ts";

export interface QueueBench {
  readonly furnished: Furnished;
  readonly queued: number;
  readonly requests: number;
  readonly connections: number;
}

const MIB = 1024 ** 2;

/** Memory of the server and latencies of GetRun before and while so many runs wait for the one that runs in their group. */
export async function measureQueue(server: ServerProcess, { furnished, queued, requests, connections }: QueueBench): Promise<void> {
  const { workflowId, roleArn, groupId, runId } = furnished;
  const getRun = () => server.send("GET", `/run/${runId}`);
  await measure(server, { work: getRun, requests, connections });
  const idle = await server.used();
  const before = await measure(server, { work: getRun, requests, connections });
  const ids: string[] = [];
  const started = performance.now();
  for (let index = 0; index <= queued; index++) {
    const { body } = await server.send("POST", "/run", {
      workflowId,
      roleArn,
      outputUri: "s3://bench-bucket/runs",
      requestId: `queued-${index}`,
      runGroupId: groupId,
      parameters: { seconds: 3600 },
    });
    ids.push((JSON.parse(body) as { id: string }).id);
  }
  const startMs = (performance.now() - started) / (queued + 1);
  const during = await measure(server, { work: getRun, requests, connections });
  const full = await server.used();
  const cpuBefore = (await server.used()).cpuMicros;
  const quietMs = 3000;
  await new Promise((resolve) => setTimeout(resolve, quietMs));
  const quiet = ((await server.used()).cpuMicros - cpuBefore) / (quietMs * 10);
  console.log(`\n${queued} runs queued behind one that runs (StartRun ${startMs.toFixed(1)} ms each, one after the other)`);
  console.log(
    `memory of the server   ${(idle.residentBytes / MIB).toFixed(0)} → ${(full.residentBytes / MIB).toFixed(0)} MiB (heap ${(idle.heapBytes / MIB).toFixed(0)} → ${(full.heapBytes / MIB).toFixed(0)} MiB)`,
  );
  console.log(
    `GetRun                 p99 ${before.p99.toFixed(2)} → ${during.p99.toFixed(2)} ms, CPU ${(before.cpuMicros / 1000).toFixed(3)} → ${(during.cpuMicros / 1000).toFixed(3)} ms a request`,
  );
  console.log(`left alone             ${quiet.toFixed(1)} % of one CPU`);
  for (const id of ids.reverse()) await server.send("POST", `/run/${id}/cancel`);
  for (const id of ids) while (!(await server.send("GET", `/run/${id}`)).body.includes('"CANCELLED"'));
}
