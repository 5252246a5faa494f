import { createInterface } from "node:readline";
import { serveHere } from "../../src/local/omics/testing/own-process.ts";

// node bench/omics/server.ts <data folder>: local accounts in a process of their own. Says where they are in one line
// of JSON, then answers each line on stdin with what the process has used.
const accounts = await serveHere(process.argv[2] ?? "");
for await (const _line of createInterface(process.stdin)) {
  const { user, system } = process.cpuUsage();
  process.stdout.write(
    `${JSON.stringify({ cpuMicros: user + system, residentBytes: process.memoryUsage.rss(), heapBytes: process.memoryUsage().heapUsed })}\n`,
  );
}
await accounts.stop();
process.exit(0);
