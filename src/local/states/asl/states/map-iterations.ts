import type { ChildEnd, Children } from "../children.ts";
import type { MapState } from "../definition.ts";
import { BranchAborted, StateFailed } from "../errors.ts";
import { fromMemo, toMemo } from "../failure-memo.ts";
import type { NewEvent } from "../history.ts";
import { attemptPath, type Frame, type Visit } from "../run.ts";
import { itemInput, type MapPlan } from "./map-plan.ts";

/** The iterations of one attempt of a Map state, a limited number of them at once. */
export class Iterations {
  readonly #visit: Visit<MapState>;
  readonly #plan: MapPlan;
  readonly #children: Children;
  readonly #ends: ChildEnd[] = [];
  #next = 0;
  #failures = 0;
  #lastEndEventId = 0;

  constructor(visit: Visit<MapState>, plan: MapPlan, children: Children) {
    this.#visit = visit;
    this.#plan = plan;
    this.#children = children;
  }

  /** The newest event that ended an iteration. */
  get lastEndEventId(): number {
    return this.#lastEndEventId;
  }

  areFailuresTolerated(): boolean {
    const { toleratedCount, toleratedPercentage, items } = this.#plan;
    return this.#failures <= toleratedCount || (this.#failures * 100) / items.length <= toleratedPercentage;
  }

  /** Runs iterations until all are done or too many have failed. The ends are in the order of the items. */
  async runAll(): Promise<readonly ChildEnd[]> {
    const workers = Math.min(this.#plan.atOnce, this.#plan.items.length);
    await Promise.all(Array.from({ length: workers }, () => this.#work()));
    return this.#ends;
  }

  async #work(): Promise<void> {
    let previousEventId = this.#visit.frame.lastEventId;
    while (this.#next < this.#plan.items.length && !this.#children.signal.aborted) {
      const index = this.#next;
      this.#next += 1;
      const end = await this.#iterate(index, previousEventId);
      this.#ends[index] = end;
      previousEventId = end.frame.lastEventId;
    }
  }

  async #iterate(index: number, previousEventId: number): Promise<ChildEnd> {
    const { journal } = this.#visit.run;
    const path = `${attemptPath(this.#visit)}/i${index}`;
    const item = { Index: index, Value: this.#plan.items[index] ?? null };
    const frame = this.#children.frame(path, previousEventId, item);
    try {
      const known = journal.findEvent(`${path}#started`);
      const input = known?.memo ?? (await itemInput(this.#visit, item));
      const memo = this.#visit.state.ItemSelector === undefined ? undefined : input;
      frame.lastEventId = journal.event(`${path}#started`, previousEventId, this.#event("Started", index), memo).event.id;
      await undefined;
      const failed = journal.find(`${path}#failed`);
      if (failed !== undefined) throw fromMemo(failed.memo);
      const output = await this.#visit.run.runGraph(this.#visit.run, frame, this.#visit.state.ItemProcessor, input);
      this.#ended(frame, this.#event("Succeeded", index));
      return { frame, output };
    } catch (error) {
      return this.#failed(frame, index, error);
    }
  }

  #failed(frame: Frame, index: number, error: unknown): ChildEnd {
    if (error instanceof BranchAborted)
      this.#visit.run.journal.event(`${frame.path}#aborted`, error.failedAtEventId, this.#event("Aborted", index));
    if (error instanceof StateFailed) {
      this.#failures += 1;
      this.#ended(frame, this.#event("Failed", index), error);
      if (!this.areFailuresTolerated()) this.#children.stop(frame);
    }
    return { frame, error };
  }

  #ended(frame: Frame, event: NewEvent, error?: StateFailed): void {
    const step = error === undefined ? "succeeded" : "failed";
    const memo = error === undefined ? undefined : toMemo(error.failure);
    const entry = this.#visit.run.journal.event(`${frame.path}#${step}`, frame.lastEventId, event, memo);
    this.#lastEndEventId = Math.max(this.#lastEndEventId, entry.event.id);
  }

  #event(what: "Started" | "Succeeded" | "Failed" | "Aborted", index: number): NewEvent {
    return { type: `MapIteration${what}`, [`mapIteration${what}EventDetails`]: { name: this.#visit.name, index } };
  }
}
