import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../kit/clock.ts";
import { endLeftChildren } from "../../children/end-left.ts";
import type { ClientConfig } from "../../testing/accounts.ts";

/** Local accounts in a process of their own, which can be killed at any moment and started again on the same folder and port. */
export interface KillableAccounts extends AsyncDisposable {
  readonly dataDir: string;
  config(): ClientConfig;
  /** SIGKILL: no handler runs. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL("./accounts-process.ts", import.meta.url));

export async function startKillable(containers: "host" | "docker" = "host"): Promise<KillableAccounts> {
  const dataDir = mkdtempSync(join(tmpdir(), "omx-killable-"));
  let child: ChildProcess | undefined;
  let said = { url: "", accessKeyId: "", secretAccessKey: "" };
  const accounts: KillableAccounts = {
    dataDir,
    config: () => ({
      endpoint: said.url,
      region: "us-east-1",
      credentials: { accessKeyId: said.accessKeyId, secretAccessKey: said.secretAccessKey },
      forcePathStyle: true,
      disableHostPrefix: true,
      maxAttempts: 1,
    }),
    async kill() {
      child?.kill("SIGKILL");
      if (child) await once(child, "exit");
    },
    async start() {
      const port = said.url === "" ? "0" : new URL(said.url).port;
      const started = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", SCRIPT, dataDir, port, containers], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      child = started;
      const [line] = (await once(createInterface(started.stdout), "line")) as [string];
      said = JSON.parse(line) as typeof said;
    },
    async [Symbol.asyncDispose]() {
      await accounts.kill();
      await endLeftChildren(dataDir, systemClock, 0);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  await accounts.start();
  return accounts;
}
