import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Debian's docker-registry, on a port and in a folder of its own; it ends with the scope that holds it. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: the registry's name in an image's address. */
  readonly host: string;
  readonly url: string;
  readonly pid: number;
  /** Where it keeps its files. */
  readonly folder: string;
}

/** @param users lines of an htpasswd file, bcrypt: who may read and write; everybody without */
export async function startDockerRegistry(users?: string): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "omx-registry-"));
  const port = await freePort();
  const config = join(folder, "config.yml");
  const accounts = join(folder, "htpasswd");
  if (users !== undefined) await writeFile(accounts, users);
  await writeFile(
    config,
    configFor(port, join(folder, "data")) + (users === undefined ? "" : `auth:\n  htpasswd:\n    realm: upstream\n    path: ${accounts}\n`),
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  await answers(url, child.exitCode === null);
  return {
    host: `127.0.0.1:${port}`,
    url,
    pid: child.pid ?? 0,
    folder,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const configFor = (port: number, data: string): string => `version: 0.1
log:
  level: error
storage:
  filesystem:
    rootdirectory: ${data}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
`;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(url: string, isRunning: boolean): Promise<void> {
  for (let round = 0; isRunning && round < 200; round += 1) {
    const ok = await fetch(`${url}/v2/`).then(
      (answer) => answer.ok || answer.status === 401,
      () => false,
    );
    if (ok) return;
    await sleep(25);
  }
  throw new Error(`docker-registry does not answer at ${url}`);
}
