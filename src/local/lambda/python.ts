import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Core } from "../gateway/service.ts";
import { runtimeFile } from "./runtime-files.ts";

/** A Python to run functions with. */
export interface Python {
  readonly command: string;
  /** `3.11` */
  readonly version: string;
  /** A folder with boto3 at its pinned version; undefined when it could not be fetched. */
  readonly packages: string | undefined;
}

const found = new Map<string, Promise<Python>>();

/**
 * The Python of a runtime: that very version where the machine has it, else `python3`. AWS's runtimes hold boto3, so it is
 * fetched once, from the package index that pip is configured for.
 * @throws an Error that says what to install
 */
export function pythonFor(core: Core, runtime: string): Promise<Python> {
  const known = found.get(runtime);
  if (known !== undefined) return known;
  const finding = find(core, runtime);
  found.set(runtime, finding);
  finding.catch(() => found.delete(runtime));
  return finding;
}

async function find(core: Core, runtime: string): Promise<Python> {
  for (const command of [runtime, "python3"]) {
    const { code, output } = await run(core, [command, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    const version = output.trim();
    if (code === 0 && /^3\.(9|\d\d)$/.test(version)) return { command, version, packages: await packagesFor(core, { command, version }) };
  }
  throw new Error(`functions in Python need Python 3.9 or newer: on Debian and Ubuntu apt-get install python3-pip, on macOS brew install python`);
}

const REQUIREMENTS = "python/requirements.txt";

async function packagesFor(core: Core, { command, version }: Pick<Python, "command" | "version">): Promise<string | undefined> {
  const hash = createHash("sha256").update(readFileSync(runtimeFile(REQUIREMENTS))).digest("hex").slice(0, 12);
  const target = join(core.dataDir, "work", "lambda", "python", `${version}-${hash}`);
  if (existsSync(target)) return target;
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  const pip = [command, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "--target", partial, "-r", runtimeFile(REQUIREMENTS)];
  const { code, output } = await run(core, pip);
  if (code !== 0) {
    core.log("lambda", `pip can't fetch boto3, so functions in Python have only what the machine's Python has: ${output.trim().split("\n").at(-1)}`);
    return undefined;
  }
  renameSync(partial, target);
  return target;
}

/** Runs a command to its end. */
async function run(core: Core, [command = "", ...args]: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = core.children.start({
    owner: "lambda/python", kind: "install", command, args, cwd: core.dataDir, env: core.settings.environment, stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const [output, errors] = await Promise.all([child.stdout, child.stderr].map((stream) => (stream === null ? "" : text(stream))));
  return { code: await exited, output: `${output}${errors}` };
}
