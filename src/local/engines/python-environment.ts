import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, accessSync, constants } from "node:fs";
import { dirname, join } from "node:path";
import type { Children } from "../children/children.ts";
import { asset, packageRoot } from "./assets.ts";

/** The engines that are Python programs. */
export type PythonEngine = "miniwdl" | "cwltool";

export interface EnvironmentHost {
  readonly children: Children;
  /** PATH, HOME and what else a child needs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
}

/** An engine can't be had; the message says what to install. */
export class EngineUnavailable extends Error {
  override readonly name = "EngineUnavailable";
}

const installing = new Map<string, Promise<string>>();

/**
 * The Python of a private environment that holds the engine at its pinned version. Made when first needed (about
 * half a minute, from the package index that pip is configured for), shared by all data folders of this clone.
 * @throws EngineUnavailable when there is no Python 3.9 or newer with venv, or the packages can't be fetched
 */
export function pythonOf(engine: PythonEngine, host: EnvironmentHost): Promise<string> {
  const requirements = asset(`${engine}/requirements.txt`);
  const hash = hashOf(requirements);
  const folders = environmentFolders(host).map((folder) => join(folder, `${engine}-${hash}`));
  const present = presentPython(engine, host);
  if (present !== undefined) return Promise.resolve(present);
  const target = folders.find(canMake) ?? join(host.dataDir, "engines", `${engine}-${hash}`);
  const running = installing.get(target) ?? install({ engine, requirements, target }, host).finally(() => installing.delete(target));
  installing.set(target, running);
  return running;
}

const hashOf = (requirements: string): string => createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);

/** The Python of an engine's environment, if it was made before. */
export function presentPython(engine: PythonEngine, host: Pick<EnvironmentHost, "dataDir">): string | undefined {
  const name = `${engine}-${hashOf(asset(`${engine}/requirements.txt`))}`;
  return environmentFolders(host).map((folder) => pythonIn(join(folder, name))).find(existsSync);
}

const pythonIn = (folder: string): string => join(folder, "bin", "python");

/** The clone's own cache first: `npm ci` and several data folders share it. */
const environmentFolders = (host: Pick<EnvironmentHost, "dataDir">): readonly string[] => [
  join(packageRoot(), "node_modules", ".cache", "omx", "engines"),
  join(host.dataDir, "engines"),
];

function canMake(folder: string): boolean {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    accessSync(dirname(folder), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

interface Installation {
  readonly engine: PythonEngine;
  readonly requirements: string;
  readonly target: string;
}

async function install({ engine, requirements, target }: Installation, host: EnvironmentHost): Promise<string> {
  const python = await findPython(host);
  const partial = `${target}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  const log = `${partial}.log`;
  const run = (command: string, args: readonly string[]) => runLogged({ engine, command, args, log }, host);
  if ((await run(python, ["-m", "venv", partial])) !== 0)
    throw new EngineUnavailable(`${python} can't make a private environment; on Debian and Ubuntu: apt-get install python3-venv\n${tail(log)}`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", "-r", requirements];
  if ((await run(pythonIn(partial), pip)) !== 0)
    throw new EngineUnavailable(`pip can't fetch ${engine}; is the package index reachable?\n${tail(log)}`);
  // Another process may have been faster: its environment is as good as ours.
  if (existsSync(target)) rmSync(partial, { recursive: true, force: true });
  else renameSync(partial, target);
  rmSync(log, { force: true });
  return pythonIn(target);
}

const CANDIDATES = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python"];
const IS_NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 9) else 1)";

/**
 * The first Python of PATH that can make environments.
 * @throws EngineUnavailable saying what to install
 */
export async function findPython(host: EnvironmentHost): Promise<string> {
  for (const candidate of CANDIDATES) {
    const code = await runLogged({ engine: "python", command: candidate, args: ["-c", IS_NEW_ENOUGH] }, host);
    if (code === 0) return candidate;
  }
  throw new EngineUnavailable(
    "workflows in WDL and CWL need Python 3.9 or newer with venv: on Debian and Ubuntu apt-get install python3-venv, on macOS brew install python",
  );
}

interface LoggedCommand {
  readonly engine: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly log?: string;
}

/** The exit code of a command; its output is appended to the log. */
function runLogged({ engine, command, args, log }: LoggedCommand, host: EnvironmentHost): Promise<number> {
  const output = log === undefined ? ("ignore" as const) : openSync(log, "a");
  const child = host.children.start({
    owner: `engines/${engine}`,
    kind: "install",
    command,
    args,
    cwd: host.dataDir,
    env: host.environment,
    stdio: ["ignore", output, output],
  });
  if (typeof output === "number") closeSync(output);
  return new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

const tail = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-8).join("\n") : "");
