import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyDockerSetup, dockerFolder } from "../../../oci/client/docker-setup.ts";
import type { Engine } from "./engine.ts";

/** Where an engine is looked for. */
export interface EngineMachine {
  readonly env: Readonly<Record<string, string>>;
  /** For the engine's logins; the caller removes it. */
  readonly folder: string;
}

/** An engine that is just starting, or hangs, is passed over. */
const ANSWER_MS = 30_000;

/**
 * The first engine that answers. Its logins go to a folder of their own, not into the user's configuration; which daemon the user's
 * Docker talks to, by which proxy, and what plug-ins it has, stays as it is.
 */
export async function findEngine({ env, folder }: EngineMachine): Promise<Pick<Engine, "program" | "env"> | undefined> {
  const own = { ...withoutChoices(env), ...ALWAYS, DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: join(folder, "auth.json") };
  await mkdir(folder, { recursive: true });
  await copyDockerSetup(dockerFolder(env), folder);
  for (const program of ["docker", "podman", "buildah"] as const) {
    const says = await promisify(execFile)(program, ["info"], { env: own, timeout: ANSWER_MS }).then(
      ({ stdout }) => stdout,
      () => undefined,
    );
    // A `docker` that is Podman (podman-docker) takes Podman's options.
    if (says !== undefined && !(program === "docker" && says.includes("buildahVersion"))) return { program, env: own };
  }
  return undefined;
}

/** A note of how it was built makes an index of an image where Docker keeps images in containerd (docs.docker.com/build/metadata/attestations). */
const ALWAYS = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" };

/** Of the user's choices those that would have another image built than was asked for, or leave it where nobody finds it. */
const withoutChoices = ({
  DOCKER_DEFAULT_PLATFORM: _platform,
  BUILDX_BUILDER: _builder,
  BUILDX_CONFIG: _config,
  ...env
}: Readonly<Record<string, string>>) => env;
