import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "../../../kit/clock.ts";
import { endLeftChildren } from "../../children/end-left.ts";

/** What the server says of itself when it answers. */
export interface Address {
  readonly url: string;
  readonly port: number;
  readonly configFile: string;
  readonly identities: readonly { readonly profile: string; readonly accessKeyId: string; readonly secretAccessKey: string }[];
}

/** Local accounts in a process of their own, which can be killed and started again on the same folder and port. */
export interface ServerProcess extends AsyncDisposable {
  readonly address: Address;
  readonly dataDir: string;
  /** What every SDK client needs as the administrator of the first account. */
  readonly config: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly forcePathStyle: true;
  };
  /** SIGKILL: nothing is put in order. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export async function startServerProcess(): Promise<ServerProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), "omx-accounts-"));
  let child: ChildProcess | undefined;
  let address: Address | undefined;
  const stop = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  };
  const start = async () => {
    child = spawn(process.execPath, ["--no-warnings", join(import.meta.dirname, "serve.ts"), dataDir, String(address?.port ?? 0)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [line] = (await Promise.race([
      once(lines, "line"),
      once(child, "exit").then(() => {
        throw new Error("the local accounts did not start");
      }),
    ])) as [string];
    address = JSON.parse(line) as Address;
  };
  await start();
  const present = () => address as Address;
  return {
    dataDir,
    get address() {
      return present();
    },
    get config() {
      const { accessKeyId, secretAccessKey } = present().identities.find(({ profile }) => profile === "cicd")!;
      return { endpoint: present().url, region: "us-east-1", credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true as const };
    },
    kill: () => stop("SIGKILL"),
    start,
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
      await endLeftChildren(dataDir, systemClock, 0);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
