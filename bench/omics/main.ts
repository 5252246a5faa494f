import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer, type ServerProcess } from "./accounts.ts";
import { furnish, type Furnished } from "./furnish.ts";
import { measure, type Measured } from "./measure.ts";
import { measureQueue } from "./queue.ts";
import { storeMany } from "./seed.ts";

// node bench/omics/main.ts [--stored 100,10000] [--requests 2000] [--connections 8] [--queued 200] [--only NAME] [--profile FOLDER]
// Requests per second, latencies and the server's own CPU time of HealthOmics's API with so many workflows and runs
// stored; then memory and latencies with so many runs queued. The server is a process of its own; this is the client.
const { values } = parseArgs({
  options: {
    stored: { type: "string", default: "100,10000" },
    requests: { type: "string", default: "2000" },
    connections: { type: "string", default: "8" },
    queued: { type: "string", default: "200" },
    only: { type: "string", default: "" },
    profile: { type: "string" },
  },
});
const [requests, connections, queued] = [Number(values.requests), Number(values.connections), Number(values.queued)];

const operationsOf = ({
  workflowId,
  runId,
  groupId,
  taskId,
}: Furnished): Readonly<Record<string, (server: ServerProcess) => ReturnType<ServerProcess["send"]>>> => ({
  GetRun: (server) => server.send("GET", `/run/${runId}`),
  "ListRuns, 100 items": (server) => server.send("GET", "/run"),
  "ListRuns, 10 items": (server) => server.send("GET", "/run?maxResults=10"),
  "ListRuns, status, 10": (server) => server.send("GET", "/run?maxResults=10&status=FAILED"),
  "ListRuns, name, 10": (server) => server.send("GET", "/run?maxResults=10&name=run-7"),
  "ListRuns, group, 10": (server) => server.send("GET", `/run?maxResults=10&runGroupId=${groupId}`),
  ListRunTasks: (server) => server.send("GET", `/run/${runId}/task`),
  GetRunTask: (server) => server.send("GET", `/run/${runId}/task/${taskId}`),
  GetWorkflow: (server) => server.send("GET", `/workflow/${workflowId}`),
  "ListWorkflows, 100 items": (server) => server.send("GET", "/workflow"),
  "ListWorkflows, name, 10": (server) => server.send("GET", "/workflow?maxResults=10&name=workflow-7"),
  GetWorkflowVersion: (server) => server.send("GET", `/workflow/${workflowId}/version/1.0.0`),
  ListWorkflowVersions: (server) => server.send("GET", `/workflow/${workflowId}/version`),
  GetRunGroup: (server) => server.send("GET", `/runGroup/${groupId}`),
  TagResource: (server) =>
    server.send("POST", `/tags/${encodeURIComponent(`arn:aws:omics:us-east-1:111122223333:run/${runId}`)}`, { tags: { a: "b" } }),
  UpdateRunGroup: (server) => server.send("POST", `/runGroup/${groupId}`, { maxRuns: 3 }),
});

const cell = (text: string | number, width: number): string => String(text).padStart(width);
const row = (name: string, { perSecond, p50, p99, cpuMicros }: Measured): string =>
  `${name.padEnd(26)}${cell(perSecond.toFixed(0), 9)}${cell(p50.toFixed(2), 9)}${cell(p99.toFixed(2), 9)}${cell((cpuMicros / 1000).toFixed(3), 13)}`;

const dataDir = mkdtempSync(join(tmpdir(), "omx-bench-omics-"));
writeFileSync(join(dataDir, "healthomics.json"), JSON.stringify({ quotas: { workflows: 1_000_000 } }));
const open = (profileTo?: string) => startServer({ dataDir, connections, profileTo });
let furnished: Furnished;
{
  await using server = await open();
  furnished = await furnish(server);
}
for (const count of values.stored.split(",").map(Number)) {
  storeMany(dataDir, { ...furnished, stored: { workflows: count, runs: count } });
  const from = performance.now();
  await using server = await open(values.profile);
  console.log(
    `\nstarted in ${((performance.now() - from) / 1000).toFixed(2)} s (CPU ${((await server.used()).cpuMicros / 1e6).toFixed(2)} s)`,
  );
  console.log(
    `${count} workflows and ${count} runs stored, ${connections} connections, ${requests} requests each\n${"".padEnd(26)}${cell("req/s", 9)}${cell("p50 ms", 9)}${cell("p99 ms", 9)}${cell("CPU ms/req", 13)}`,
  );
  for (const [name, operation] of Object.entries(operationsOf(furnished)).filter(([each]) => each.startsWith(values.only))) {
    const work = () => operation(server);
    await measure(server, { work, requests: Math.min(200, requests), connections });
    console.log(row(name, await measure(server, { work, requests, connections })));
  }
}
if (queued > 0) {
  await using server = await open();
  await measureQueue(server, { furnished, queued, requests, connections });
}
rmSync(dataDir, { recursive: true, force: true });
