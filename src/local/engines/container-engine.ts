import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Containers } from "./engine.ts";
import type { EngineHost } from "./launch.ts";
import { runCommand } from "../children/run-command.ts";
import { workFolder } from "./work-folder.ts";
import { copyDockerSetup, dockerFolder } from "../../oci/client/docker-setup.ts";

const ENGINES = ["docker", "podman"] as const;

// A daemon that is there answers in milliseconds; one that hangs must not hold up every run.
const ANSWER_MS = 5000;

/** The container engine that answers on this machine; `host` where none does. */
export async function findContainerEngine(host: EngineHost): Promise<Containers> {
  for (const program of ENGINES) {
    const { code, text } = await runCommand(host, { owner: `engines/${program}`, program, args: ["info"], timeoutMs: ANSWER_MS });
    // A `docker` that is Podman (podman-docker) takes Podman's options.
    if (code === 0 && !(program === "docker" && text.includes("buildahVersion"))) return program;
  }
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
  const folder = workFolder(host, "pull-");
  try {
    await copyDockerSetup(dockerFolder(host.environment), folder);
    const config = join(folder, "config.json");
    const setup = existsSync(config) ? (JSON.parse(readFileSync(config, "utf8")) as object) : {};
    writeFileSync(config, JSON.stringify({ ...setup, auths: { [registry]: { auth: authorization } } }), { mode: 0o600 });
    const args =
      program === "docker"
        ? ["--config", folder, "pull", "--quiet", reference]
        : ["pull", "--quiet", "--tls-verify=false", "--authfile", config, reference];
    const { code, text } = await runCommand(host, { owner: `engines/${program}`, program, args });
    if (code !== 0) throw new Error(text.trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Removal {
  readonly program: string;
  /** The label of the run's containers. */
  readonly run: string;
  /** Names of containers that may be in the making: nobody said that they ended. */
  readonly awaited: readonly string[];
  readonly signal: AbortSignal;
}

// A container engine on a busy machine takes seconds from the request to the container.
const MAKING_MS = 20_000;
const LOOK_MS = 500;

/** Removes every container of a run, running or not, and those that its dead engine asked for and that come only now. */
export async function removeContainers(host: EngineHost, { program, run, awaited, signal }: Removal): Promise<void> {
  const docker = (...args: readonly string[]) => runCommand(host, { owner: `engines/${program}`, program, args });
  const missing = new Set(awaited);
  for (let waited = 0; ; waited += LOOK_MS) {
    const { text, code } = await docker("ps", "--all", "--filter", `label=omx.run=${run}`, "--format", "{{.Names}}");
    const names = code === 0 ? text.split(/\s+/).filter((name) => name !== "") : [];
    if (names.length > 0) await docker("rm", "--force", "--volumes", ...names);
    for (const name of names) missing.delete(name);
    if (missing.size === 0 || waited >= MAKING_MS || signal.aborted) return;
    await host.clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}
