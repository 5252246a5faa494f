import { type CommandAnswer, type CommandHost, runCommand } from "./run-command.ts";

/** The programs by which a Python may be found, newest last: `python3` is what the machine prefers. */
export const PYTHONS: readonly string[] = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python"];

export interface PythonSearch {
  readonly owner: string;
  readonly candidates: readonly string[];
  /** A script that says yes by its exit code, and prints what the caller wants to know. */
  readonly script: string;
}

/** The first candidate on PATH whose Python the script accepts, with what it printed. */
export async function findPython(
  host: CommandHost,
  { owner, candidates, script }: PythonSearch,
): Promise<{ readonly program: string; readonly says: string } | undefined> {
  for (const program of candidates) {
    const { code, text } = await runCommand(host, { owner, kind: "install", program, args: ["-c", script] });
    if (code === 0) return { program, says: text.trim() };
  }
  return undefined;
}

export interface Requirements {
  readonly owner: string;
  readonly python: string;
  /** A requirements file with the hash of every package. */
  readonly file: string;
  /** A folder of its own instead of the environment that `python` belongs to. */
  readonly target?: string;
}

/** Installs pinned packages from the index that pip is configured for, held to their hashes. */
export function installRequirements(host: CommandHost, { owner, python, file, target }: Requirements): Promise<CommandAnswer> {
  const into = target === undefined ? [] : ["--target", target];
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes", ...into, "-r", file];
  return runCommand(host, { owner, kind: "install", program: python, args });
}
