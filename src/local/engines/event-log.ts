import { closeSync, constants, fstatSync, openSync, readSync, watch } from "node:fs";
import type { Clock } from "../../kit/clock.ts";
import type { EngineEvent } from "./engine.ts";

/** An event and the position behind it: keep the position with what the event changed, and go on from there. */
export interface LoggedEvent {
  readonly event: EngineEvent;
  readonly position: number;
}

export interface Following {
  readonly file: string;
  /** Position to go on from. */
  readonly from: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  isAlive(): boolean;
}

// A notification may be lost, and not every file system gives any.
const LOOK_MS = 250;

/** The events of a log, in order, as they come; ends when the engine is gone and the log is read. */
export async function* followEvents(following: Following): AsyncGenerator<LoggedEvent> {
  let position = following.from;
  const wake = wakeOnChange(following);
  try {
    while (!following.signal.aborted) {
      // Asked before the log is read: what a dying engine wrote last is read after it was seen dead.
      const isAlive = following.isAlive();
      for (const logged of readEvents(following.file, position)) {
        position = logged.position;
        yield logged;
        // The result is on disk before this is said: what the process still does is its own end.
        if (following.signal.aborted || logged.event.type === "engine.ended") return;
      }
      if (!isAlive) return;
      await wake.next();
    }
  } finally {
    wake.close();
  }
}

/** The whole events behind `from`. A line still being written is left for later. */
export function readEvents(file: string, from: number): readonly LoggedEvent[] {
  const bytes = readFrom(file, from);
  const events: LoggedEvent[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    events.push({ event: JSON.parse(bytes.toString("utf8", start, end)) as EngineEvent, position: from + end + 1 });
    start = end + 1;
  }
  return events;
}

// A task may put a link to anything, or a pipe that nobody writes to, in the place of a file that it has.
const OWN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The bytes of a file behind `from`; empty when there is nothing new. @throws Error for a link */
export function readFrom(file: string, from: number): Buffer {
  const descriptor = openSync(file, OWN_FILE);
  try {
    const size = fstatSync(descriptor).size;
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const read = bytes.length === 0 ? 0 : readSync(descriptor, bytes, 0, bytes.length, from);
    return bytes.subarray(0, read);
  } finally {
    closeSync(descriptor);
  }
}

function wakeOnChange({ file, clock, signal }: Following): { next(): Promise<void>; close(): void } {
  let ring: () => void = () => undefined;
  let hasRung = false;
  const watcher = watch(file, () => {
    hasRung = true;
    ring();
  });
  watcher.on("error", () => undefined); // the looks go on without it
  return {
    close: () => watcher.close(),
    async next() {
      if (!hasRung) {
        const stop = new AbortController();
        const rung = new Promise<void>((resolve) => (ring = resolve));
        const either = AbortSignal.any([signal, stop.signal]);
        await Promise.race([rung, clock.sleep(LOOK_MS, either).catch(() => undefined)]);
        stop.abort();
      }
      hasRung = false;
    },
  };
}
