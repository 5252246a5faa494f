import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { asset } from "./assets.ts";
import type { EngineHost } from "./launch.ts";
import { workFolder } from "./work-folder.ts";
import { pythonOf } from "./python-environment.ts";

/** What an engine says of a definition before anything runs. */
export interface EngineCheck {
  readonly isSound: boolean;
  /** The engine's own words: an outline with warnings, or the error. May have many lines. */
  readonly message: string;
}

export interface CheckedDefinition {
  /** Whose child the checker is. */
  readonly owner: string;
  readonly folder: string;
  readonly main: string;
  readonly isLenient: boolean;
}

/**
 * Checks a WDL definition with miniwdl: what HealthOmics's own linter does when a workflow is created.
 * @throws EngineUnavailable when miniwdl can't be had on this machine
 */
export async function checkWdl(definition: CheckedDefinition, host: EngineHost): Promise<EngineCheck> {
  const python = await pythonOf("miniwdl", host);
  const files = workFolder(host, "check-");
  const [stdout, stderr] = [join(files, "out"), join(files, "err")];
  try {
    const code = await run({ ...definition, python, files, stdout, stderr }, host);
    const isSound = code === 0;
    return { isSound, message: readFileSync(isSound ? stdout : stderr, "utf8").trimEnd() };
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
}

interface CheckRun extends CheckedDefinition {
  readonly python: string;
  /** Also its temporary folder. */
  readonly files: string;
  readonly stdout: string;
  readonly stderr: string;
}

function run({ owner, folder, main, isLenient, python, files, stdout, stderr }: CheckRun, host: EngineHost): Promise<number> {
  const [out, err] = [openSync(stdout, "w"), openSync(stderr, "w")];
  const child = host.children.start({
    owner,
    kind: "check",
    command: python,
    args: ["-m", "omx_engine.wdl_check", main, ...(isLenient ? ["--lenient"] : [])],
    cwd: folder,
    env: {
      PATH: host.environment["PATH"] ?? "/usr/bin:/bin",
      TMPDIR: files,
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      PYTHONPATH: asset("python"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdio: ["ignore", out, err],
  });
  closeSync(out);
  closeSync(err);
  return new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
