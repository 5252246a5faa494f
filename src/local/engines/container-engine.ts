import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Containers } from "./engine.ts";
import type { EngineHost } from "./launch.ts";

const ENGINES = ["docker", "podman"] as const;

// A daemon that is there answers in milliseconds; one that hangs must not hold up every run.
const ANSWER_MS = 5000;

/** The container engine that answers on this machine; `host` where none does. */
export async function findContainerEngine(host: EngineHost): Promise<Containers> {
  for (const program of ENGINES) if ((await runContainerCommand(host, { program, args: ["info"], timeoutMs: ANSWER_MS })).code === 0) return program;
  return "host";
}

export interface ContainerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly timeoutMs?: number;
}

export interface ContainerAnswer {
  readonly code: number;
  /** What it wrote to both of its outputs. */
  readonly text: string;
}

/** Runs one command of a container engine to its end. */
export async function runContainerCommand(host: EngineHost, { program, args, timeoutMs }: ContainerCommand): Promise<ContainerAnswer> {
  const folder = scratch(host);
  const output = openSync(join(folder, "output"), "w");
  const child = host.children.start({
    owner: `engines/${program}`, kind: "command", command: program, args, cwd: folder, env: host.environment, stdio: ["ignore", output, output],
  });
  closeSync(output);
  const ended = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const stop = new AbortController();
  const limit = timeoutMs === undefined ? ended : host.clock.sleep(timeoutMs, stop.signal).then(() => -1, () => -1);
  const code = await Promise.race([ended, limit]);
  stop.abort();
  if (code === -1) child.kill("SIGKILL");
  const text = readFileSync(join(folder, "output"), "utf8");
  rmSync(folder, { recursive: true, force: true });
  return { code, text };
}

export interface Pull {
  readonly program: string;
  /** `127.0.0.1:PORT/repository@sha256:…` */
  readonly reference: string;
  /** base64 of `user:password`. */
  readonly authorization: string;
}

/**
 * Brings an image into the container engine, unless it has it.
 * @throws Error with the engine's own words
 */
export async function pullImage(host: EngineHost, { program, reference, authorization }: Pull): Promise<void> {
  if ((await runContainerCommand(host, { program, args: ["image", "inspect", reference] })).code === 0) return;
  const registry = reference.split("/")[0] ?? "";
  const folder = scratch(host);
  try {
    writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [registry]: { auth: authorization } } }), { mode: 0o600 });
    const args = program === "docker" ? ["--config", folder, "pull", "--quiet", reference] : ["pull", "--quiet", "--tls-verify=false", "--authfile", join(folder, "config.json"), reference];
    const { code, text } = await runContainerCommand(host, { program, args });
    if (code !== 0) throw new Error(text.trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes every container of a run, running or not. */
export async function removeContainers(host: EngineHost, program: string, run: string): Promise<void> {
  const { text, code } = await runContainerCommand(host, { program, args: ["ps", "--all", "--quiet", "--filter", `label=omx.run=${run}`] });
  const ids = code === 0 ? text.split(/\s+/).filter((id) => id !== "") : [];
  if (ids.length > 0) await runContainerCommand(host, { program, args: ["rm", "--force", "--volumes", ...ids] });
}

function scratch(host: EngineHost): string {
  const parent = join(host.dataDir, "work");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "command-"));
}
