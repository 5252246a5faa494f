import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A source of an image that holds this machine's bash and its libraries and nothing else: the smallest in which a RUN works. */
export function writeBashSource(folder: string, more = ""): void {
  const libraries = execFileSync("ldd", ["/bin/bash"], { encoding: "utf8" }).match(/\/\S+(?= \(0x)/g) ?? [];
  for (const path of ["/bin/bash", ...libraries]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(path, join(folder, path));
  }
  writeFileSync(join(folder, ".dockerignore"), "Dockerfile\n.dockerignore\n");
  writeFileSync(join(folder, "Dockerfile"), `FROM scratch\nCOPY . /\nSHELL ["/bin/bash", "-c"]\n${more}`);
}

/** The engines that answer on this machine. */
export const enginesHere = (): readonly string[] =>
  ["docker", "podman", "buildah"].filter((program) => {
    try {
      return execFileSync(program, ["info"], { stdio: ["ignore", "pipe", "ignore"] }).length > 0;
    } catch {
      return false;
    }
  });
