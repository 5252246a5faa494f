import { type ChildProcess, execFile, spawn, type StdioOptions } from "node:child_process";
import type { Writable } from "node:stream";
import type { Clock } from "../../kit/clock.ts";
import type { Database } from "../storage/database.ts";
import { bootId, endGroup, groupLives, startTime } from "./process-group.ts";

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
  /** The boot of the machine that the pid belongs to. */
  readonly boot?: string;
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
  /** Starts a process; it does its first work only after its record is on disk. The record stays while anything of its group lives. */
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

/** Opens the records of children: those of this start, and what earlier ones left behind. */
export function openChildren(database: Database, clock: Clock): Children {
  const records = database.collection<ChildRecord>("children");
  const boot = bootId();
  const isAlive = (record: ChildRecord): boolean => record.pid !== undefined && startTime(record.pid) === record.startedAt;
  // The kernel gives no pid anew while a group has it: within a boot a group without its leader is what ours left behind.
  const hasLeft = ({ pid, boot: itsBoot }: ChildRecord): boolean =>
    pid !== undefined && itsBoot !== undefined && itsBoot === boot && startTime(pid) === undefined && groupLives(pid);
  return {
    start(spec) {
      const child = spawnWaiting(spec);
      const { pid } = child;
      if (pid === undefined) return child;
      const record = { owner: spec.owner, kind: spec.kind, pid, startedAt: startTime(pid) ?? "", ...(boot !== undefined && { boot }) };
      records.put(keyOf(record), record);
      child.once("exit", () => {
        // After an ordered stop the database is closed; the record is found dead at the next start.
        if (database.isOpen() && !hasLeft(record)) records.delete(keyOf(record));
      });
      letWork(child);
      return child;
    },
    recordContainer: (record) => records.put(keyOf(record), record),
    of(owner) {
      const all = records.list([]).map((entry) => entry.value);
      return all.filter((record) => record.owner === owner || record.owner.startsWith(`${owner}/`));
    },
    isAlive,
    async end(record, graceMs = 5000) {
      if (record.container) await removeContainer(record.container);
      else if (record.pid !== undefined && (isAlive(record) || hasLeft(record))) await endGroup(record.pid, graceMs, clock);
      records.delete(keyOf(record));
    },
    forget(record) {
      records.delete(keyOf(record));
    },
  };
}

const keyOf = ({ owner, pid, container }: ChildRecord) => [owner, container ? `container ${container.name}` : `pid ${pid}`];

// The shell waits for one line on descriptor 3 before it becomes the program. We write it after the record is
// committed; if we die before that, the descriptor closes, `read` fails and nothing has run.
const GATE = 'read -r _ <&3 || exit 125; exec 3<&-; exec "$@"';

function spawnWaiting({ command, args, cwd, env, stdio }: ChildSpec): ChildProcess {
  const withGate: StdioOptions = [...stdio, "pipe"];
  return spawn("/bin/sh", ["-c", GATE, "sh", command, ...args], { cwd, env: { ...env }, stdio: withGate, detached: true });
}

function letWork(child: ChildProcess): void {
  const gate = child.stdio[3] as Writable;
  gate.on("error", () => undefined); // the child may have died before reading: its exit code tells
  gate.end("go\n");
}

const removeContainer = ({ runtime, name }: { runtime: string; name: string }): Promise<void> =>
  new Promise((resolve) => execFile(runtime, ["rm", "--force", "--volumes", name], () => resolve()));
