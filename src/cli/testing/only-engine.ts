import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { InProcess } from "./in-process.ts";

/** A PATH on which this engine is the only one that answers. */
export function pathWith(cli: Pick<InProcess, "folder">, engine: string): string {
  const bin = join(cli.folder, `only-${engine}`);
  mkdirSync(bin);
  for (const other of ["docker", "podman", "buildah"])
    if (other === engine) symlinkSync(execFileSync("which", [engine], { encoding: "utf8" }).trim(), join(bin, engine));
    else {
      writeFileSync(join(bin, other), "#!/bin/sh\nexit 1\n");
      chmodSync(join(bin, other), 0o755);
    }
  return `${bin}${delimiter}${process.env["PATH"] ?? ""}`;
}
