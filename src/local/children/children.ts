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

// The shell waits for one line on descriptor 3 before it becomes the program. We write it after the record is
// committed; if we die before that, the descriptor closes, `read` fails and nothing has run.
const GATE = 'read -r _ <&3 || exit 125; exec 3<&-; exec "$@"';

export function openChildren(database: Database, clock: Clock): Children {
  const records = database.collection<ChildRecord>("children");
  const boot = bootId();
  // The kernel gives no pid anew while a group has it: within a boot a group without its leader is what ours left behind.
  const hasLeft = ({ pid, boot: itsBoot }: ChildRecord): boolean =>
    pid !== undefined && itsBoot !== undefined && itsBoot === boot && startTime(pid) === undefined && groupLives(pid);
  const keyOf = (record: ChildRecord) => [record.owner, record.container ? `container ${record.container.name}` : `pid ${record.pid}`];
  const children: Children = {
    start(spec) {
      const stdio: StdioOptions = [...spec.stdio, "pipe"];
      const child = spawn("/bin/sh", ["-c", GATE, "sh", spec.command, ...spec.args], {
        cwd: spec.cwd,
        env: { ...spec.env },
        stdio,
        detached: true,
      });
      if (child.pid === undefined) return child;
      const record = {
        owner: spec.owner,
        kind: spec.kind,
        pid: child.pid,
        startedAt: startTime(child.pid) ?? "",
        ...(boot !== undefined && { boot }),
      };
      records.put(keyOf(record), record);
      // After an ordered stop the database is closed; the record is found dead at the next start.
      child.once("exit", () => void (database.isOpen() && !hasLeft(record) && records.delete(keyOf(record))));
      const gate = child.stdio[3] as Writable;
      gate.on("error", () => undefined); // the child may have died before reading: its exit code tells
      gate.end("go\n");
      return child;
    },
    recordContainer: (record) => records.put(keyOf(record), record),
    of: (owner) =>
      records
        .list([])
        .map((entry) => entry.value)
        .filter((record) => record.owner === owner || record.owner.startsWith(`${owner}/`)),
    isAlive: (record) => record.pid !== undefined && startTime(record.pid) === record.startedAt,
    async end(record, graceMs = 5000) {
      if (record.container) await removeContainer(record.container);
      else if (record.pid !== undefined && (children.isAlive(record) || hasLeft(record))) await endGroup(record.pid, graceMs, clock);
      records.delete(keyOf(record));
    },
    forget: (record) => void records.delete(keyOf(record)),
  };
  return children;
}

const removeContainer = ({ runtime, name }: { runtime: string; name: string }): Promise<void> =>
  new Promise((resolve) => execFile(runtime, ["rm", "--force", "--volumes", name], () => resolve()));
