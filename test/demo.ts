import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awsClients, type AwsClients } from "../src/aws/clients.ts";
import { readProfile } from "../src/cli/aws/profiles.ts";
import type { DemoResult } from "../src/cli/demo/demo.ts";

export const root = join(import.meta.dirname, "..");
const omx = join(root, "bin", "omx");

/** Local accounts that went through the demo: two releases, in a folder of their own. */
export interface Demo extends AsyncDisposable {
  readonly result: DemoResult;
  readonly dataDir: string;
  clients(profile: string): AwsClients;
  /** Kills the process of the local accounts as a power cut would, and starts them again on the same port. */
  killAndRestart(): Promise<void>;
}

/** Runs `npm run demo` as a user would, without its set-up. */
export async function runDemoProcess(args: readonly string[]): Promise<Demo> {
  const dataDir = mkdtempSync(join(tmpdir(), "omx-demo-"));
  const run = (command: string, ...rest: string[]) =>
    new Promise<string>((resolve, reject) =>
      execFile(command, rest, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
        error ? reject(new Error(`${rest.slice(0, 3).join(" ")}: ${stderr.slice(-4000)}`)) : resolve(stdout),
      ),
    );
  const stop = async () => {
    await run(process.execPath, omx, "local", "stop", "--data", dataDir).catch(() => undefined);
    rmSync(join(dataDir, "upstream.json"), { force: true });
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const stdout = await run(
    process.execPath,
    "--no-warnings",
    "src/cli/demo/main.ts",
    "--yes",
    "--json",
    "--data",
    dataDir,
    "--port",
    "0",
    ...args,
  ).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const result = JSON.parse(stdout) as DemoResult;
  return {
    result,
    dataDir,
    clients(name) {
      const profile = readProfile(result.configFile, name);
      return awsClients({
        region: "us-east-1",
        endpoint: result.endpoint,
        ...(profile?.credentials && { credentials: profile.credentials }),
      });
    },
    async killAndRestart() {
      const { pid } = JSON.parse(readFileSync(join(dataDir, "process.json"), "utf8")) as { pid: number };
      process.kill(pid, "SIGKILL");
      await run(process.execPath, omx, "local", "start", "--detach", "--json", "--data", dataDir, "--port", new URL(result.endpoint).port);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Whether a container engine answers. */
export const hasDocker = (): boolean => {
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
};
