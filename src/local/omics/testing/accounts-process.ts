import { systemClock } from "../../../kit/clock.ts";
import { systemRandom } from "../../../kit/random.ts";
import { parseAccountId } from "../../../kit/account-id.ts";
import { startLocalAccounts } from "../../accounts.ts";
import type { Containers } from "../../engines/engine.ts";

// Local accounts in a process of their own, for tests that kill it: node accounts-process.ts <data folder> <port> <containers>
const [dataDir = "", port = "0", containers = "host"] = process.argv.slice(2);
const accounts = await startLocalAccounts({
  settings: {
    host: "127.0.0.1", port: Number(port), region: "us-east-1", upstreams: {}, containers: containers as Containers,
    accounts: [{ id: parseAccountId("111122223333"), name: "cicd" }],
    environment: { PATH: process.env["PATH"] ?? "", HOME: dataDir },
  },
  dataDir, clock: systemClock, random: systemRandom,
  log: (line) => process.stderr.write(`${line}\n`),
});
const identity = accounts.core.directory.identities().find(({ profile }) => profile === "cicd");
process.stdout.write(`${JSON.stringify({ url: accounts.url, accessKeyId: identity?.accessKeyId, secretAccessKey: identity?.secretAccessKey })}\n`);
