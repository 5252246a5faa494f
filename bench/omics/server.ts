import { createInterface } from "node:readline";
import { systemClock } from "../../src/kit/clock.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { parseAccountId } from "../../src/kit/account-id.ts";
import { startLocalAccounts } from "../../src/local/accounts.ts";

// node bench/omics/server.ts <data folder>: local accounts in a process of their own. Says where they are in one line
// of JSON, then answers each line on stdin with what the process has used.
const [dataDir = ""] = process.argv.slice(2);
const accounts = await startLocalAccounts({
  settings: {
    host: "127.0.0.1", port: 0, region: "us-east-1", upstreams: {}, containers: "host",
    accounts: [{ id: parseAccountId("111122223333"), name: "cicd" }],
    environment: { PATH: process.env["PATH"] ?? "", HOME: dataDir },
  },
  dataDir, clock: systemClock, random: systemRandom,
  log: (line) => process.stderr.write(`${line}\n`),
});
const identity = accounts.core.directory.identities().find(({ profile }) => profile === "cicd");
process.stdout.write(`${JSON.stringify({ url: accounts.url, accessKeyId: identity?.accessKeyId, secretAccessKey: identity?.secretAccessKey })}\n`);

for await (const _line of createInterface(process.stdin)) {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ cpuMicros: user + system, residentBytes: process.memoryUsage.rss(), heapBytes: process.memoryUsage().heapUsed })}\n`);
}
await accounts.stop();
process.exit(0);
