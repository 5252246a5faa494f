import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Local accounts that answer, as their data folder records it. */
export interface Running {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** As the system says it: tells the process from a later one with its pid. */
  readonly startedAt: string;
  readonly dataDir: string;
  readonly configFile: string;
  readonly accounts: readonly { readonly id: string; readonly name: string; readonly profile: string }[];
}

const processFile = (dataDir: string): string => join(dataDir, "process.json");

/** The log of accounts that were started with `--detach`. */
export const logFile = (dataDir: string): string => join(dataDir, "local.log");

/** Records the process that serves a data folder. */
export function recordRunning(running: Running): void {
  const file = processFile(running.dataDir);
  writeFileSync(`${file}.new`, JSON.stringify(running));
  renameSync(`${file}.new`, file);
}

export const forgetRunning = (dataDir: string): void => rmSync(processFile(dataDir), { force: true });

/** The process that serves the folder; undefined when there is none, or its pid is somebody else's by now. */
export function findRunning(dataDir: string): Running | undefined {
  const file = processFile(dataDir);
  if (!existsSync(file)) return undefined;
  const found = parse(readFileSync(file, "utf8"));
  return isRunning(found) && startTimeOf(found.pid) === found.startedAt ? found : undefined;
}

/** Whether it is what `recordRunning` writes. By hand: `omx local status` alone would otherwise load zod for it. */
function isRunning(found: unknown): found is Running {
  const { port, pid, accounts, ...rest } = (found ?? {}) as Readonly<Record<string, unknown>>;
  const texts = ["url", "startedAt", "dataDir", "configFile"].map((name) => rest[name]);
  return (
    typeof port === "number" &&
    typeof pid === "number" &&
    areTexts(texts) &&
    Array.isArray(accounts) &&
    accounts.every((account: Readonly<Record<string, unknown>> | null) =>
      areTexts([account?.["id"], account?.["name"], account?.["profile"]]),
    )
  );
}

const areTexts = (values: readonly unknown[]): boolean => values.every((value) => typeof value === "string");

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** When the system says that a process was started; undefined when there is no such process (or it is a zombie). */
export function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform !== "linux")
      return (
        execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim() ||
        undefined
      );
    // proc(5): field 22 counts clock ticks since boot; field 2 may hold blanks and brackets, so read behind the last ")".
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Whether the folder holds the state of local accounts. */
export const hasState = (dataDir: string): boolean => existsSync(join(dataDir, "state.sqlite"));

/** Environments of workflow engines: large, and the same for every state. */
const KEPT = ["engines"];

/** Deletes all state; the engines' environments stay. */
export function clearDataDir(dataDir: string): void {
  for (const name of readdirSync(dataDir)) if (!KEPT.includes(name)) rmSync(join(dataDir, name), { recursive: true, force: true });
}
