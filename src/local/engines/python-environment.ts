import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { findPython, installRequirements, PYTHONS } from "../children/python.ts";
import { type CommandHost, runCommand } from "../children/run-command.ts";
import { asset, packageRoot } from "./assets.ts";

/** The engines that are Python programs. */
export type PythonEngine = "miniwdl" | "cwltool";

/** What an engine's environment is found or made with. */
export type EnvironmentHost = CommandHost;

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
  return environmentFolders(host)
    .map((folder) => pythonIn(join(folder, name)))
    .find(existsSync);
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
  const [owner, python] = [`engines/${engine}`, await pythonWithVenv(host)];
  const partial = `${target}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  const made = await runCommand(host, { owner, kind: "install", program: python, args: ["-m", "venv", partial] });
  if (made.code !== 0)
    throw new EngineUnavailable(
      `${python} can't make a private environment; on Debian and Ubuntu: apt-get install python3-venv\n${tail(made.text)}`,
    );
  const installed = await installRequirements(host, { owner, python: pythonIn(partial), file: requirements });
  if (installed.code !== 0)
    throw new EngineUnavailable(`pip can't fetch ${engine}; is the package index reachable?\n${tail(installed.text)}`);
  // Another process may have been faster: its environment is as good as ours.
  if (existsSync(target)) rmSync(partial, { recursive: true, force: true });
  else renameSync(partial, target);
  return pythonIn(target);
}

const IS_NEW_ENOUGH = "import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 9) else 1)";

/**
 * The first Python of PATH that can make environments.
 * @throws EngineUnavailable saying what to install
 */
export async function pythonWithVenv(host: EnvironmentHost): Promise<string> {
  const found = await findPython(host, { owner: "engines/python", candidates: PYTHONS, script: IS_NEW_ENOUGH });
  if (found !== undefined) return found.program;
  throw new EngineUnavailable(
    "workflows in WDL and CWL need Python 3.9 or newer with venv: on Debian and Ubuntu apt-get install python3-venv, on macOS brew install python",
  );
}

const tail = (text: string): string => text.trim().split("\n").slice(-8).join("\n");
