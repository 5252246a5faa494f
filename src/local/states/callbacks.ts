import { TaskError } from "./asl/errors.ts";
import type { Json } from "./asl/json.ts";
import type { TaskCall } from "./asl/task-call.ts";
import { invalidToken, taskTimedOut } from "./errors.ts";
import type { Callback, Store } from "./store.ts";

/** Tokens of tasks that wait for SendTaskSuccess or SendTaskFailure. What is sent is kept, also when nobody listens just then. */
export class Callbacks {
  readonly #store: Store;
  readonly #listeners = new Map<string, { readonly settled: () => void; readonly beat: () => void }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Makes the token known, so that an answer may come as soon as the request is out. */
  open(token: string, of: Pick<Callback, "executionArn" | "stateMachineArn">): void {
    this.#store.callbacks.insert([token], { ...of, state: "WAITING" });
  }

  /** After this an answer is refused as too late. */
  close(token: string): void {
    const callback = this.#store.callbacks.get([token]);
    if (callback !== undefined) this.#store.callbacks.put([token], { ...callback, state: "CLOSED" });
  }

  /** Whom the token belongs to. @throws AwsError InvalidToken */
  find(token: string): Callback {
    const callback = this.#store.callbacks.get([token]);
    if (callback === undefined) throw invalidToken();
    return callback;
  }

  /** Keeps an answer and wakes who waits for it. @throws AwsError InvalidToken, TaskTimedOut */
  settle(token: string, answer: Pick<Callback, "output" | "error" | "cause"> & { readonly state: "SUCCEEDED" | "FAILED" }): void {
    const callback = this.find(token);
    if (callback.state !== "WAITING") throw taskTimedOut();
    this.#store.callbacks.put([token], { ...callback, ...answer });
    this.#listeners.get(token)?.settled();
  }

  /** @throws AwsError InvalidToken, TaskTimedOut */
  heartbeat(token: string): void {
    if (this.find(token).state !== "WAITING") throw taskTimedOut();
    this.#listeners.get(token)?.beat();
  }

  /** Waits for the answer. @throws TaskError when it is a failure; the signal's reason */
  async wait(token: string, { signal, heartbeat }: Pick<TaskCall, "signal" | "heartbeat">): Promise<Json> {
    const known = this.#answer(token);
    if (known !== undefined) return known;
    await new Promise<void>((resolve, reject) => {
      this.#listeners.set(token, { settled: resolve, beat: heartbeat });
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      if (signal.aborted) reject(signal.reason as Error);
    }).finally(() => this.#listeners.delete(token));
    return this.#answer(token) ?? null;
  }

  #answer(token: string): Json | undefined {
    const callback = this.#store.callbacks.get([token]);
    if (callback?.state === "FAILED") throw new TaskError(callback.error, callback.cause);
    return callback?.state === "SUCCEEDED" ? (callback.output ?? null) : undefined;
  }
}
