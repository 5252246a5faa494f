import { parseAccountId } from "../../../kit/account-id.ts";
import { systemClock } from "../../../kit/clock.ts";
import { systemRandom } from "../../../kit/random.ts";
import { startLocalAccounts } from "../../accounts.ts";

// Local accounts in a process of their own, for tests that kill it: `node serve.ts DATA_DIR PORT`. Prints its address.
const [dataDir = "", port = "0"] = process.argv.slice(2);
const accounts = await startLocalAccounts({
  settings: {
    host: "127.0.0.1",
    port: Number(port),
    region: "us-east-1",
    upstreams: {},
    containers: "host",
    accounts: [
      { id: parseAccountId("111122223333"), name: "cicd" },
      { id: parseAccountId("444455556666"), name: "production" },
    ],
    environment: { PATH: process.env["PATH"] ?? "", HOME: dataDir },
  },
  dataDir,
  clock: systemClock,
  random: systemRandom,
  log: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(
  `${JSON.stringify({ url: accounts.url, port: accounts.port, configFile: accounts.configFile, identities: accounts.core.directory.identities() })}\n`,
);
