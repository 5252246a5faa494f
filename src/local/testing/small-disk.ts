import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Mounts a disk of so many MiB on a folder. @throws Error for who may not */
export const mountSmallDisk = (folder: string, mib: number): void =>
  void execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", folder], { stdio: "ignore" });

/** Whether this user may mount a small disk: root on Linux, in most containers too. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "omx-mount-"));
  try {
    mountSmallDisk(folder, 1);
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
