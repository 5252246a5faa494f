import type { Core } from "../gateway/service.ts";
import type { PendingEvent } from "./outbox.ts";
import { deliver } from "./deliver.ts";
import { isDiskFull } from "../storage/disk-full.ts";
import { compilePattern, type Matcher } from "./pattern.ts";
import type { Delivery, Rule, Store } from "./store.ts";
import type { BusEvent } from "./target-input.ts";

const MATCHERS_KEPT = 1_000;
const WAIT_FOR_ROOM_MS = 5_000;

/**
 * The default bus of every account: takes events from the outbox, finds the rules they fit, and hands them to the rules' targets
 * at least once. An event is gone from the outbox only when all of its deliveries are kept.
 */
export class Bus {
  readonly #core: Core;
  readonly #store: Store;
  readonly #matchers = new Map<string, Matcher>();
  #isDraining = false;

  constructor(core: Core, store: Store) {
    this.#core = core;
    this.#store = store;
    core.outbox.subscribe(() => this.drain());
  }

  /** Goes on with deliveries and events that were there when the process ended. */
  resume(): void {
    for (const { key, value } of this.#store.deliveries.list([])) this.#launch(key, value);
    this.drain();
  }

  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let batch = this.#next(); batch.length > 0; batch = this.#next())
        for (const { key, value } of batch) this.#takeSafely(key, value);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#drainLater();
    } finally {
      this.#isDraining = false;
    }
  }

  #drainLater(): void {
    this.#core.background("events, when there is room on the disk", async (signal) => {
      await this.#core.clock.sleep(WAIT_FOR_ROOM_MS, signal);
      this.drain();
    });
  }

  /** Gives an event to the targets of one rule, whatever its pattern: what a schedule does. */
  fire(rule: Rule, event: BusEvent): void {
    this.#launchAll(this.#store.transaction(() => this.#plan(rule, event)));
  }

  #next = () => this.#core.outbox.pending.list([], { limit: 100 });

  /** An event that breaks us must not stop those behind it. */
  #takeSafely(key: readonly string[], pending: PendingEvent): void {
    try {
      this.#take(key, pending);
    } catch (error) {
      // No fault of the event's: it stays, and so do those behind it.
      if (isDiskFull(error)) throw error;
      this.#core.log("events", `event ${pending.id} of ${pending.source} was dropped: ${String(error)}`);
      this.#core.outbox.pending.delete(key);
    }
  }

  #take(key: readonly string[], pending: PendingEvent): void {
    const event = toBusEvent(pending);
    const planned = this.#store.transaction(() => {
      const rules = this.#store.rules.list([event.account, event.region]).map(({ value }) => value);
      const deliveries = rules.filter((rule) => this.#fits(rule, event)).flatMap((rule) => this.#plan(rule, event));
      this.#core.announce(pending);
      this.#core.outbox.pending.delete(key);
      return deliveries;
    });
    this.#launchAll(planned);
  }

  #fits({ state, eventPattern }: Rule, event: BusEvent): boolean {
    if (state === "DISABLED" || eventPattern === undefined) return false;
    let matcher = this.#matchers.get(eventPattern);
    if (matcher === undefined) {
      if (this.#matchers.size >= MATCHERS_KEPT) this.#matchers.clear();
      matcher = compilePattern(eventPattern);
      this.#matchers.set(eventPattern, matcher);
    }
    return matcher(event);
  }

  #plan({ arn, name, account, region }: Rule, event: BusEvent): readonly (readonly [readonly string[], Delivery])[] {
    const nowMs = this.#core.clock.now().getTime();
    return this.#store.targets.list([account, region, name]).map(({ value: target }) => {
      const key = [this.#core.random.uuid()];
      const delivery = { event, rule: { arn, name, account, region }, target, attempts: 0, firstMs: nowMs, nextMs: nowMs };
      this.#store.deliveries.put(key, delivery);
      return [key, delivery] as const;
    });
  }

  #launchAll(planned: readonly (readonly [readonly string[], Delivery])[]): void {
    for (const [key, delivery] of planned) this.#launch(key, delivery);
  }

  #launch(key: readonly string[], delivery: Delivery): void {
    this.#core.background(`event ${delivery.event.id} to ${delivery.target.Arn}`, (signal) =>
      deliver({ core: this.#core, store: this.#store, key, signal }, delivery),
    );
  }
}

/** Times on the bus are whole seconds. */
const toBusEvent = ({ id, detailType, source, account, time, region, resources, detail }: PendingEvent): BusEvent => ({
  version: "0",
  id,
  "detail-type": detailType,
  source,
  account,
  time: time.replace(/\.\d+Z$/, "Z"),
  region,
  resources,
  detail,
});
