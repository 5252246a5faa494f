import type { ChildProcess } from "node:child_process";
import type { Core, SessionKeys } from "../gateway/service.ts";
import type { Unpacked } from "./code.ts";
import { Conversation, type Outcome } from "./conversation.ts";
import { errorPayload, type Invocation, type InvocationResult } from "./invocation.ts";
import { memoryOf } from "./memory.ts";
import type { FunctionDocument } from "./store.ts";
import { programOf } from "./worker-environment.ts";
import type { WorkerLogs } from "./worker-logs.ts";

export interface WorkerOptions {
  readonly core: Core;
  readonly function: FunctionDocument;
  readonly folders: Unpacked;
  readonly keys: SessionKeys;
  readonly logs: WorkerLogs;
  /** Names the process in the paths it calls; nobody else knows it. */
  readonly token: string;
}

/** AWS gives the initialization ten seconds; a busy laptop may need more. */
const INIT_LIMIT_SECONDS = 60;
const MEMORY_CHECK_MS = 200;

/** A process that runs one function, one invocation at a time, until it ends or is ended. */
export class Worker {
  readonly conversation = new Conversation();
  readonly #options: WorkerOptions;
  readonly #ended = new AbortController();
  readonly #startedMs: number;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #isWarm = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#startedMs = options.core.clock.now().getTime();
  }

  get token(): string {
    return this.#options.token;
  }

  get startedMs(): number {
    return this.#startedMs;
  }

  /** Aborts when the process is gone. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Starts the process. @throws an Error when its program can't be had */
  async start(): Promise<void> {
    const { core, function: of, folders, keys, logs, token } = this.#options;
    const runtimeApi = `${core.endpoint().replace(/^https?:\/\//, "")}/_lambda/${token}`;
    const { command, args, env } = await programOf(core, {
      function: of,
      folders,
      keys,
      runtimeApi,
      logGroup: logs.group,
      logStream: logs.stream,
    });
    const child = core.children.start({
      owner: `lambda/${of.arn}`,
      kind: "function",
      command,
      args,
      cwd: folders.task,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) core.background(`logs of ${of.arn}`, () => logs.follow(stream));
    child.once("error", (error) => this.#gone(error.message));
    child.once("close", (code, signal) =>
      this.#gone(signal === null ? `exit status ${code}` : `signal: ${signal === "SIGKILL" ? "killed" : signal}`),
    );
  }

  /** Runs one invocation. Never rejects: whatever goes wrong is the function's error. */
  async invoke(invocation: Invocation): Promise<InvocationResult> {
    const { core, function: of, logs } = this.#options;
    logs.begin();
    await this.#untilReady(invocation.requestId);
    const initMs = this.#isWarm ? undefined : core.clock.now().getTime() - this.#startedMs;
    this.#isWarm = true;
    const startMs = core.clock.now().getTime();
    logs.platform(`START RequestId: ${invocation.requestId} Version: $LATEST`);
    const { payload, isError } = await this.#runWatched(invocation, startMs + of.timeout * 1_000);
    await logs.settled(invocation.requestId);
    this.#report(invocation.requestId, { durationMs: core.clock.now().getTime() - startMs, initMs });
    return { payload, functionError: isError ? "Unhandled" : undefined, logTail: logs.tail() };
  }

  /** Ends the process and what it started, at once. */
  async end(): Promise<void> {
    const { core, function: of } = this.#options;
    const record = core.children.of(`lambda/${of.arn}`).find(({ pid }) => pid !== undefined && pid === this.#child?.pid);
    this.#gone("signal: killed");
    if (record !== undefined) await core.children.end(record, 0);
    await this.#exited;
  }

  async #untilReady(requestId: string): Promise<void> {
    const { clock } = this.#options.core;
    const ready = new AbortController();
    const late = clock.sleep(INIT_LIMIT_SECONDS * 1_000, ready.signal).then(
      () => this.#timeOut(requestId, INIT_LIMIT_SECONDS),
      () => undefined,
    );
    await Promise.race([this.conversation.ready(), late]);
    ready.abort();
  }

  async #runWatched(invocation: Invocation, deadlineMs: number): Promise<Outcome> {
    const { core, function: of } = this.#options;
    const over = new AbortController();
    const leftMs = deadlineMs - core.clock.now().getTime();
    void core.clock.sleep(leftMs, over.signal).then(
      () => this.#timeOut(invocation.requestId, of.timeout),
      () => undefined,
    );
    void this.#watchMemory(invocation.requestId, over.signal);
    try {
      return await this.conversation.run({ invocation, deadlineMs, functionArn: of.arn });
    } finally {
      over.abort();
    }
  }

  #timeOut(requestId: string, seconds: number): Promise<void> {
    const message = `Task timed out after ${seconds.toFixed(2)} seconds`;
    this.#options.logs.platform(`${this.#options.core.clock.now().toISOString()} ${requestId} ${message}`);
    this.conversation.fail(errorPayload("Sandbox.Timedout", `RequestId: ${requestId} Error: ${message}`));
    return this.end();
  }

  async #watchMemory(requestId: string, signal: AbortSignal): Promise<void> {
    const { core, function: of } = this.#options;
    while (!signal.aborted && this.#child?.pid !== undefined) {
      if ((memoryOf(this.#child.pid) ?? 0) > of.memorySize) {
        this.conversation.fail(
          errorPayload("Runtime.OutOfMemory", `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`),
        );
        return this.end();
      }
      await core.clock.sleep(MEMORY_CHECK_MS, signal).catch(() => undefined);
    }
  }

  #gone(how: string): void {
    this.conversation.fail(errorPayload("Runtime.ExitError", `Error: Runtime exited with error: ${how}`));
    this.#ended.abort();
  }

  #report(requestId: string, { durationMs, initMs }: { readonly durationMs: number; readonly initMs: number | undefined }): void {
    const { function: of, logs } = this.#options;
    const usedMb = Math.ceil((this.#child?.pid === undefined ? undefined : memoryOf(this.#child.pid)) ?? 0);
    const init = initMs === undefined ? "" : `\tInit Duration: ${initMs.toFixed(2)} ms`;
    logs.platform(`END RequestId: ${requestId}`);
    logs.platform(
      `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${Math.max(1, durationMs)} ms\tMemory Size: ${of.memorySize} MB\tMax Memory Used: ${usedMb} MB${init}`,
    );
  }
}
