import { rmSync } from "node:fs";
import { join } from "node:path";
import { assembleHostImage, HostImageUnavailable } from "../../oci/image/host-image.ts";
import type { EngineHost } from "./launch.ts";
import { runCommand } from "../children/run-command.ts";
import { workFolder } from "./work-folder.ts";

const making = new Map<string, Promise<string>>();

/**
 * The image for tasks that name none, as HealthOmics has one of its own: this machine's bash, coreutils, ps, find and
 * python3. Made once for each container engine.
 * @throws Error where this machine can't be made an image
 */
export function serviceImage(host: EngineHost, program: string): Promise<string> {
  const known = making.get(program);
  if (known !== undefined) return known;
  const made = make(host, program).catch((error: unknown) => {
    making.delete(program);
    throw error instanceof HostImageUnavailable ? new Error(`there is no image for tasks that name none: ${error.message}`) : error;
  });
  making.set(program, made);
  return made;
}

async function make(host: EngineHost, program: string): Promise<string> {
  const folder = workFolder(host, "service-image-");
  try {
    const image = await assembleHostImage({ folder, compression: "none" });
    const reference = `omx/service-image:${image.digest.slice("sha256:".length, "sha256:".length + 12)}`;
    if ((await docker(host, program, ["image", "inspect", reference])).code === 0) return reference;
    const layer = join(folder, (image.layers[0]?.descriptor.digest ?? "").replace(":", "-"));
    const { code, text } = await docker(host, program, [
      "import",
      "--change",
      "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      layer,
      reference,
    ]);
    if (code !== 0) throw new Error(`${program} import failed: ${text.trim()}`);
    return reference;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const docker = (host: EngineHost, program: string, args: readonly string[]) =>
  runCommand(host, { owner: `engines/${program}`, program, args });
