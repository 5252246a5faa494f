import { execFileSync } from "node:child_process";

/** Whether Nextflow can be had here: by itself, or by Maven. */
export const hasNextflow = (): boolean =>
  ["nextflow", "mvn"].some((program) => {
    try {
      execFileSync(program, ["-v"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
