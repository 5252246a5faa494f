import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const Running = z.object({
  url: z.string(), port: z.number(), pid: z.number(), startedAt: z.string(), dataDir: z.string(), configFile: z.string(),
  accounts: z.array(z.object({ id: z.string(), name: z.string(), profile: z.string() })),
});

/** Local accounts that answer, as their data folder records it. */
export type Running = z.infer<typeof Running>;

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
  const parsed = Running.safeParse(parse(readFileSync(file, "utf8")));
  if (!parsed.success) return undefined;
  return startTimeOf(parsed.data.pid) === parsed.data.startedAt ? parsed.data : undefined;
}

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
    if (process.platform !== "linux") return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim() || undefined;
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

const Kept = z.object({
  region: z.string().optional(),
  upstreams: z.record(z.string(), z.string()).optional(),
  containers: z.enum(["auto", "docker", "podman", "host"]).optional(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).optional(),
});

/** What `omx local start` was told, kept for the next start on the same folder. */
export type KeptOptions = z.infer<typeof Kept>;

const optionsFile = (dataDir: string): string => join(dataDir, "options.json");

/** What earlier starts were told, with what this one is told over it; kept for the next. */
export function keepOptions(dataDir: string, given: KeptOptions): KeptOptions {
  const file = optionsFile(dataDir);
  const before = existsSync(file) ? Kept.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
  const options = { ...before, ...given };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, `${JSON.stringify(options, null, 2)}\n`);
  return options;
}
