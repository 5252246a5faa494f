import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startDockerRegistry } from "../../src/oci/testing/docker-registry.ts";

/** An empty registry to copy into. */
export interface Target extends AsyncDisposable {
  /** What stands before a repository's name: `127.0.0.1:5001/`. */
  readonly prefix: string;
  /** Docker's configuration with the password, for programs that ask for one. */
  readonly dockerConfig: string;
  /** The most memory that the registry has used, in MB, where it is a process that can be asked. */
  peakMb(): Promise<number | undefined>;
}

export type TargetKind = "ecr" | "docker-registry";

/** Starts a registry with these repositories, empty. */
export async function startTarget(kind: TargetKind, repositories: readonly string[]): Promise<Target> {
  const dockerConfig = await mkdtemp(join(tmpdir(), "omx-bench-"));
  const removed = () => rm(dockerConfig, { recursive: true, force: true });
  if (kind === "ecr") return localEcr(repositories, { dockerConfig, removed });
  await writeFile(join(dockerConfig, "config.json"), "{}");
  const registry = await startDockerRegistry();
  return {
    prefix: `${registry.host}/`,
    dockerConfig,
    peakMb: () => Promise.resolve(undefined),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await removed();
    },
  };
}

interface Settings {
  readonly dockerConfig: string;
  readonly removed: () => Promise<void>;
}

async function localEcr(repositories: readonly string[], { dockerConfig, removed }: Settings): Promise<Target> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "local-ecr.ts")], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(repositories));
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { host, prefix, username, password } = JSON.parse(line) as Record<"host" | "prefix" | "username" | "password", string>;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  await writeFile(join(dockerConfig, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
  return {
    prefix,
    dockerConfig,
    peakMb: async () => Math.round(Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024),
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "close");
      await removed();
    },
  };
}
