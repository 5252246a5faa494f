import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import type { AwsEvent } from "../gateway/service.ts";
import type { Collection, Database } from "../storage/database.ts";

/** An event that waits for its delivery to the bus. */
export interface PendingEvent extends AwsEvent {
  readonly id: string;
  /** ISO time of its making. */
  readonly time: string;
}

/** Events on their way to EventBridge: durable with the transaction that emits them, delivered at least once. */
export interface Outbox {
  /** Gives the event's id. Its time is now unless given (ISO). */
  put(event: AwsEvent & { readonly time?: string }): string;
  /** Calls the listener after each `put`; the event service drains the collection then. */
  subscribe(listener: () => void): void;
  readonly pending: Collection<PendingEvent>;
}

export function createOutbox({
  database,
  clock,
  random,
}: {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
}): Outbox {
  const pending = database.collection<PendingEvent>("events.outbox");
  const listeners = new Set<() => void>();
  let count = 0;
  return {
    pending,
    put(event) {
      const now = clock.now();
      // The key keeps the order of emission: time first, then a counter of this process.
      const key = `${String(now.getTime()).padStart(15, "0")}-${String(count++).padStart(9, "0")}`;
      const id = random.uuid();
      pending.put([key], { ...event, id, time: event.time ?? now.toISOString() });
      for (const listener of listeners) queueMicrotask(listener);
      return id;
    },
    subscribe(listener) {
      listeners.add(listener);
    },
  };
}
