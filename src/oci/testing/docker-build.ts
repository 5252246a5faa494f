import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import type { BaseImage } from "../image/base-image.ts";
import type { ContainerConfig, ImageConfig } from "../image/built-image.ts";
import { fileBlob } from "../image/layer.ts";

/** Whether a Docker daemon answers here. */
export const hasDocker = ((): boolean => {
  try {
    return execFileSync("docker", ["info", "--format", "{{.ServerVersion}}"], { stdio: ["ignore", "pipe", "ignore"] }).length > 0;
  } catch {
    return false;
  }
})();

export interface DockerBuild {
  readonly args?: readonly string[];
  /** @default - one of its own, which goes with the test */
  readonly tag?: string;
}

/** What `docker build` makes of a folder: its configuration and layers. @throws Error with what Docker says */
export async function dockerBuild(
  context: string,
  { args = [], tag = `omx-differential:${systemRandom.hex(8)}` }: DockerBuild = {},
): Promise<BaseImage> {
  const folder = await mkdtemp(join(tmpdir(), "omx-docker-"));
  onTestFinished(async () => {
    docker("image", "rm", "--force", tag);
    await rm(folder, { recursive: true, force: true });
  });
  docker("build", "--quiet", "--no-cache", "--tag", tag, ...args, context);
  docker("save", "--output", join(folder, "image.tar"), tag);
  execFileSync("tar", ["-xf", join(folder, "image.tar"), "-C", folder]);
  const [saved] = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as [
    { readonly Config: string; readonly Layers: readonly string[] | null },
  ];
  const config = JSON.parse(await readFile(join(folder, saved.Config), "utf8")) as ImageConfig;
  const layers = (saved.Layers ?? []).map((name, index) => {
    const descriptor = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: config.rootfs.diff_ids[index] ?? "", size: 0 };
    return { descriptor, diffId: descriptor.digest, source: fileBlob(join(folder, name), descriptor) };
  });
  return { config, layers };
}

const MEMBERS = [
  "Env",
  "Cmd",
  "Entrypoint",
  "WorkingDir",
  "User",
  "ExposedPorts",
  "Volumes",
  "Labels",
  "StopSignal",
  "Shell",
  "Healthcheck",
  "OnBuild",
] as const satisfies readonly (keyof ContainerConfig)[];

/** What two images have to agree on; nothing, null and an empty list are the same. */
export const settingsOf = ({ config = {}, author }: ImageConfig): object =>
  Object.fromEntries(
    [...MEMBERS.map((name) => [name, config[name]] as const), ["author", author] as const].flatMap(([name, value]) => {
      const isNothing =
        value === undefined || value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
      return isNothing ? [] : [[name, value]];
    }),
  );

function docker(...args: readonly string[]): void {
  execFileSync("docker", args, { stdio: ["ignore", "ignore", "pipe"] });
}
