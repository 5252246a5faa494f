import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { findPython, installRequirements } from "../children/python.ts";
import type { CommandHost } from "../children/run-command.ts";
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
  const python = await findPython(hostOf(core), { owner: OWNER, candidates: [runtime, "python3"], script: SAY_VERSION });
  if (python === undefined)
    throw new Error(
      "functions in Python need Python 3.9 or newer: on Debian and Ubuntu apt-get install python3-pip, on macOS brew install python",
    );
  const { program: command, says: version } = python;
  return { command, version, packages: await packagesFor(core, { command, version }) };
}

const OWNER = "lambda/python";
const SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2]); sys.exit(0 if sys.version_info >= (3, 9) else 1)";

const hostOf = ({ children, settings, dataDir, clock }: Core): CommandHost => ({
  children,
  environment: settings.environment,
  dataDir,
  clock,
});

const REQUIREMENTS = "python/requirements.txt";

const fetching = new Map<string, Promise<string | undefined>>();

/** Two runtimes may have the same Python: what one is fetching the other waits for. */
function packagesFor(core: Core, { command, version }: Pick<Python, "command" | "version">): Promise<string | undefined> {
  const hash = createHash("sha256")
    .update(readFileSync(runtimeFile(REQUIREMENTS)))
    .digest("hex")
    .slice(0, 12);
  const target = join(core.dataDir, "work", "lambda", "python", `${version}-${hash}`);
  const running = fetching.get(target) ?? fetchPackages(core, command, target).finally(() => fetching.delete(target));
  fetching.set(target, running);
  return running;
}

async function fetchPackages(core: Core, command: string, target: string): Promise<string | undefined> {
  if (existsSync(target)) return target;
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  const { code, text } = await installRequirements(hostOf(core), {
    owner: OWNER,
    python: command,
    file: runtimeFile(REQUIREMENTS),
    target: partial,
  });
  if (code !== 0) {
    core.log(
      "lambda",
      `pip can't fetch boto3, so functions in Python have only what the machine's Python has: ${text.trim().split("\n").at(-1)}`,
    );
    return undefined;
  }
  renameSync(partial, target);
  return target;
}
