import { type ChildProcess, execFile, spawn, type StdioOptions } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Writable } from "node:stream";
import type { Clock } from "../../kit/clock.ts";
import type { Database } from "../storage/database.ts";

/** A process or container that works for a resource, recorded before it does anything. */
export interface ChildRecord {
  /** The resource it works for: `codebuild/<arn>`, `omics/run/123`. */
  readonly owner: string;
  /** `build`, `engine`, `function`, `task`. */
  readonly kind: string;
  /** Set for processes. The process leads a group of its own. */
  readonly pid?: number;
  /** When the kernel says it started: a pid alone may be somebody else's by now. */
  readonly startedAt?: string;
  /** Set for containers. */
  readonly container?: { readonly runtime: string; readonly name: string };
}

export interface ChildSpec {
  readonly owner: string;
  readonly kind: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** File descriptors 0, 1 and 2. */
  readonly stdio: readonly ["ignore" | "pipe" | number, "ignore" | "pipe" | number, "ignore" | "pipe" | number];
}

/** Every child of the local accounts: adopted or ended on the next start, never orphaned, never started twice. */
export interface Children {
  /** Starts a process; it does its first work only after its record is on disk. */
  start(spec: ChildSpec): ChildProcess;
  /** Records a container by the name it will be started with, before it is. */
  recordContainer(record: Required<Pick<ChildRecord, "owner" | "kind" | "container">>): void;
  /** Records of one owner (or whose owner starts with `owner/`). */
  of(owner: string): readonly ChildRecord[];
  isAlive(record: ChildRecord): boolean;
  /** Ends it with its whole process group: asks first, insists after `graceMs` (5 s by default). Then forgets it. */
  end(record: ChildRecord, graceMs?: number): Promise<void>;
  /** Call when it has ended by itself. */
  forget(record: ChildRecord): void;
}

// The shell waits for one line on descriptor 3 before it becomes the program. We write it after the record is
// committed; if we die before that, the descriptor closes, `read` fails and nothing has run.
const GATE = 'read -r _ <&3 || exit 125; exec 3<&-; exec "$@"';

export function openChildren(database: Database, clock: Clock): Children {
  const records = database.collection<ChildRecord>("children");
  const keyOf = (record: ChildRecord) => [record.owner, record.container ? `container ${record.container.name}` : `pid ${record.pid}`];
  const children: Children = {
    start(spec) {
      const stdio: StdioOptions = [...spec.stdio, "pipe"];
      const child = spawn("/bin/sh", ["-c", GATE, "sh", spec.command, ...spec.args], {
        cwd: spec.cwd, env: { ...spec.env }, stdio, detached: true,
      });
      if (child.pid === undefined) return child;
      const record = { owner: spec.owner, kind: spec.kind, pid: child.pid, startedAt: startTime(child.pid) ?? "" };
      records.put(keyOf(record), record);
      // After an ordered stop the database is closed; the record is found dead at the next start.
      child.once("exit", () => void (database.isOpen() && records.delete(keyOf(record))));
      const gate = child.stdio[3] as Writable;
      gate.on("error", () => undefined); // the child may have died before reading: its exit code tells
      gate.end("go\n");
      return child;
    },
    recordContainer: (record) => records.put(keyOf(record), record),
    of: (owner) => records.list([]).map((entry) => entry.value).filter((record) => record.owner === owner || record.owner.startsWith(`${owner}/`)),
    isAlive: (record) => record.pid !== undefined && startTime(record.pid) === record.startedAt,
    async end(record, graceMs = 5000) {
      if (record.container) await removeContainer(record.container);
      else if (record.pid !== undefined && children.isAlive(record)) await endGroup(record.pid, graceMs, clock);
      records.delete(keyOf(record));
    },
    forget: (record) => void records.delete(keyOf(record)),
  };
  return children;
}

/** The kernel's start time of a process, as text; undefined when there is no such process (or it is a zombie). */
function startTime(pid: number): string | undefined {
  try {
    // proc(5): field 22 counts clock ticks since boot; field 2 may hold blanks and brackets, so read behind the last ")".
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return process.platform === "linux" ? undefined : withoutProc(pid);
  }
}

/** Where there is no /proc (macOS), existence is all that can be asked without a child process. */
function withoutProc(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return "running";
  } catch {
    return undefined;
  }
}

async function endGroup(pid: number, graceMs: number, clock: Clock): Promise<void> {
  signalGroup(pid, "SIGTERM");
  for (let waited = 0; waited < graceMs && groupExists(pid); waited += 50) await clock.sleep(50);
  if (groupExists(pid)) signalGroup(pid, "SIGKILL");
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return startTime(pid) !== undefined;
  } catch {
    return false;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group ended between the question and the signal: what was wanted.
  }
}

const removeContainer = ({ runtime, name }: { runtime: string; name: string }): Promise<void> =>
  new Promise((resolve) => execFile(runtime, ["rm", "--force", "--volumes", name], () => resolve()));
