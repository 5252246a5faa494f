import type { Clock } from "../../../kit/clock.ts";
import { StateFailed, StatesError } from "./errors.ts";
import { HISTORY_LIMIT, type HistoryEvent, type NewEvent } from "./history.ts";
import type { Json } from "./json.ts";

/**
 * One line of an execution's journal. `key` says deterministically which step of the execution it belongs to;
 * `event` is what the history shows, `memo` what only a resumed execution needs.
 */
export interface JournalEntry {
  readonly key: string;
  readonly event?: HistoryEvent;
  readonly memo?: Json;
}

/** A journal entry that has an event. */
export interface EventEntry extends JournalEntry {
  readonly event: HistoryEvent & { readonly id: number; readonly timestamp: Date };
}

const TERMINAL = new Set(["ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"]);

/**
 * What an execution has done so far. A step that is in the journal is not done again: its recorded event and memo answer instead,
 * which is how an execution whose process was killed goes on from any prefix of its journal.
 */
export class Journal {
  readonly #entries = new Map<string, JournalEntry>();
  readonly #clock: Clock;
  readonly #write: (entry: JournalEntry) => void;
  #lastEventId = 0;
  #isClosed = false;

  constructor(past: readonly JournalEntry[], clock: Clock, write: (entry: JournalEntry) => void) {
    this.#clock = clock;
    this.#write = write;
    for (const entry of past) this.#learn(entry);
  }

  /** The id of the newest event. */
  get lastEventId(): number {
    return this.#lastEventId;
  }

  find(key: string): JournalEntry | undefined {
    return this.#entries.get(key);
  }

  findEvent(key: string): EventEntry | undefined {
    const entry = this.#entries.get(key);
    return entry?.event === undefined ? undefined : (entry as EventEntry);
  }

  /**
   * The event of the step `key`: the recorded one, or a new one that follows `previousEventId`.
   * @throws StateFailed when the history is full
   */
  event(key: string, previousEventId: number, event: NewEvent, memo?: Json): EventEntry {
    const known = this.findEvent(key);
    if (known !== undefined) return known;
    const id = this.#lastEventId + 1;
    if (id >= HISTORY_LIMIT && !TERMINAL.has(event.type ?? "")) throw historyIsFull();
    const placed = { ...event, id, previousEventId, timestamp: this.#clock.now() };
    return this.#append({ key, event: placed, ...(memo === undefined ? {} : { memo }) }) as EventEntry;
  }

  /** What was recorded for the step `key`, or the outcome of `decide`, recorded now. */
  async once<T extends Json>(key: string, decide: () => T | Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known.memo as T;
    const memo = await decide();
    this.#append({ key, memo });
    return memo;
  }

  /** After this nothing is written: what a cancelled task still does leaves no trace. */
  close(): void {
    this.#isClosed = true;
  }

  #append(entry: JournalEntry): JournalEntry {
    if (this.#isClosed) throw new Error(`the execution has ended; "${entry.key}" comes too late`);
    this.#write(entry);
    this.#learn(entry);
    return entry;
  }

  #learn(entry: JournalEntry): void {
    this.#entries.set(entry.key, entry);
    if (entry.event?.id !== undefined) this.#lastEventId = Math.max(this.#lastEventId, entry.event.id);
  }
}

const historyIsFull = () =>
  new StateFailed({
    error: StatesError.runtime,
    cause: `The execution reached the maximum number of history events (${HISTORY_LIMIT}).`,
    isTerminal: true,
  });
