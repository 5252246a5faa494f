import type { Core } from "../gateway/service.ts";
import type { Bus } from "./bus.ts";
import { parseSchedule } from "./schedule.ts";
import { type Rule, ruleKey, type Store } from "./store.ts";

/** The longest a timer of Node sleeps; longer waits are slept in parts. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/** Fires rules by their schedules. What would have fired while the local accounts were off is not made up for. */
export class Scheduler {
  readonly #core: Core;
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #running = new Map<string, AbortController>();

  constructor(core: Core, store: Store, bus: Bus) {
    this.#core = core;
    this.#store = store;
    this.#bus = bus;
  }

  /** Follows every schedule there is. */
  resume(): void {
    for (const { value } of this.#store.rules.list([])) this.follow(value);
  }

  /** Follows the schedule of a rule from now on, and no earlier one of that rule. */
  follow(rule: Rule): void {
    this.forget(rule.arn);
    if (rule.scheduleExpression === undefined || rule.state === "DISABLED") return;
    const stop = new AbortController();
    this.#running.set(rule.arn, stop);
    this.#core.background(`schedule of ${rule.arn}`, (signal) => this.#run(rule, AbortSignal.any([signal, stop.signal])));
  }

  forget(ruleArn: string): void {
    this.#running.get(ruleArn)?.abort();
    this.#running.delete(ruleArn);
  }

  async #run(rule: Rule, signal: AbortSignal): Promise<void> {
    const next = parseSchedule(rule.scheduleExpression ?? "");
    const { clock } = this.#core;
    for (let due = next(clock.now()); due !== undefined && !signal.aborted; due = next(due)) {
      for (let left = due.getTime() - clock.now().getTime(); left > 0 && !signal.aborted; left = due.getTime() - clock.now().getTime())
        await clock.sleep(Math.min(left, LONGEST_SLEEP_MS), signal).catch(() => undefined);
      if (!signal.aborted && this.#store.rules.get(ruleKey(rule))?.changedAt === rule.changedAt) this.#fire(rule, due);
    }
  }

  #fire(rule: Rule, due: Date): void {
    this.#bus.fire(rule, {
      version: "0",
      id: this.#core.random.uuid(),
      "detail-type": "Scheduled Event",
      source: "aws.events",
      account: rule.account,
      time: due.toISOString().replace(/\.\d+Z$/, "Z"),
      region: rule.region,
      resources: [rule.arn],
      detail: {},
    });
  }
}
