import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Containers } from "./engine.ts";
import type { EngineHost } from "./launch.ts";
import { runCommand } from "./run-command.ts";

const ENGINES = ["docker", "podman"] as const;

// A daemon that is there answers in milliseconds; one that hangs must not hold up every run.
const ANSWER_MS = 5000;

/** The container engine that answers on this machine; `host` where none does. */
export async function findContainerEngine(host: EngineHost): Promise<Containers> {
  for (const program of ENGINES) if ((await runCommand(host, { owner: `engines/${program}`, program, args: ["info"], timeoutMs: ANSWER_MS })).code === 0) return program;
  return "host";
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
  if ((await runCommand(host, { owner: `engines/${program}`, program, args: ["image", "inspect", reference] })).code === 0) return;
  const registry = reference.split("/")[0] ?? "";
  const folder = scratch(host);
  try {
    writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [registry]: { auth: authorization } } }), { mode: 0o600 });
    const args = program === "docker" ? ["--config", folder, "pull", "--quiet", reference] : ["pull", "--quiet", "--tls-verify=false", "--authfile", join(folder, "config.json"), reference];
    const { code, text } = await runCommand(host, { owner: `engines/${program}`, program, args });
    if (code !== 0) throw new Error(text.trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Removes every container of a run, running or not. */
export async function removeContainers(host: EngineHost, program: string, run: string): Promise<void> {
  const { text, code } = await runCommand(host, { owner: `engines/${program}`, program, args: ["ps", "--all", "--quiet", "--filter", `label=omx.run=${run}`] });
  const ids = code === 0 ? text.split(/\s+/).filter((id) => id !== "") : [];
  if (ids.length > 0) await runCommand(host, { owner: `engines/${program}`, program, args: ["rm", "--force", "--volumes", ...ids] });
}

function scratch(host: EngineHost): string {
  const parent = join(host.dataDir, "work");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "command-"));
}
