import { systemClock } from "../../../kit/clock.ts";
import { systemRandom } from "../../../kit/random.ts";
import { parseAccountId } from "../../../kit/account-id.ts";
import { type LocalAccounts, startLocalAccounts } from "../../accounts.ts";
import type { Containers } from "../../engines/engine.ts";

/** Starts one account in this process, and says where it is in one line of JSON: {url, accessKeyId, secretAccessKey}. */
export async function serveHere(
  dataDir: string,
  { port = 0, containers = "host" }: { readonly port?: number; readonly containers?: Containers } = {},
): Promise<LocalAccounts> {
  const accounts = await startLocalAccounts({
    settings: {
      host: "127.0.0.1",
      port,
      region: "us-east-1",
      upstreams: {},
      containers,
      accounts: [{ id: parseAccountId("111122223333"), name: "cicd" }],
      environment: { PATH: process.env["PATH"] ?? "", HOME: dataDir },
    },
    dataDir,
    clock: systemClock,
    random: systemRandom,
    log: (line) => process.stderr.write(`${line}\n`),
  });
  const identity = accounts.core.directory.identities().find(({ profile }) => profile === "cicd");
  process.stdout.write(
    `${JSON.stringify({ url: accounts.url, accessKeyId: identity?.accessKeyId, secretAccessKey: identity?.secretAccessKey })}\n`,
  );
  return accounts;
}
