import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import { type Unpacked, unpackFunction } from "./code.ts";
import { cannotRun, throttled } from "./errors.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import type { FunctionDocument } from "./store.ts";
import { Worker } from "./worker.ts";
import { WorkerLogs } from "./worker-logs.ts";

/** How many processes of one function run at once unless reserved concurrency says otherwise; further calls wait. */
const MOST_WORKERS = 10;
/** Seconds that the keys of a process are good for, and after which it is not used again. */
const KEY_SECONDS = 43_200;
const REUSE_SECONDS = 36_000;
/** Idle processes are ended after this. */
const IDLE_MS = 300_000;

interface Idle {
  readonly worker: Worker;
  /** Aborted when the worker is taken. */
  readonly taken: AbortController;
}

interface Room {
  readonly idle: Idle[];
  busy: number;
  readonly waiting: (() => void)[];
}

/** The processes of all functions, kept warm between invocations. A change of the function makes its next calls use new ones. */
export class Pool {
  readonly #core: Core;
  readonly #rooms = new Map<string, Room>();
  readonly #workers = new Map<string, Worker>();
  #isStopping = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Whether the processes are being ended because the local accounts stop: what they answer now is no failure of the function. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** The process that a token belongs to. */
  worker(token: string): Worker | undefined {
    return this.#workers.get(token);
  }

  /** Runs one invocation. @throws AwsError when nothing of the function may run, or its role can't be taken */
  async invoke(of: FunctionDocument, invocation: Invocation): Promise<InvocationResult> {
    const room = this.#room(of);
    if (of.reservedConcurrency === 0) throw throttled();
    if (room.busy >= (of.reservedConcurrency ?? MOST_WORKERS)) await new Promise<void>((resolve) => room.waiting.push(resolve));
    room.busy += 1;
    try {
      const worker = this.#takeIdle(room) ?? (await this.#start(of));
      const result = await worker.invoke(invocation);
      if (!worker.ended.aborted) this.#keep(room, worker);
      return result;
    } finally {
      room.busy -= 1;
      room.waiting.shift()?.();
    }
  }

  /** Ends the idle processes of earlier versions of a function; busy ones end after their invocation. */
  async retire(arn: string): Promise<void> {
    for (const [key, room] of this.#rooms) {
      if (!key.startsWith(`${arn} `)) continue;
      this.#rooms.delete(key);
      await Promise.all(room.idle.splice(0).map(({ worker }) => worker.end()));
    }
  }

  /** Ends every process. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.end()));
  }

  #room({ arn, revisionId }: FunctionDocument): Room {
    const key = `${arn} ${revisionId}`;
    const room = this.#rooms.get(key) ?? { idle: [], busy: 0, waiting: [] };
    this.#rooms.set(key, room);
    return room;
  }

  #takeIdle(room: Room): Worker | undefined {
    const nowMs = this.#core.clock.now().getTime();
    for (let idle = room.idle.pop(); idle !== undefined; idle = room.idle.pop()) {
      idle.taken.abort();
      if (!idle.worker.ended.aborted && nowMs - idle.worker.startedMs < REUSE_SECONDS * 1_000) return idle.worker;
      void idle.worker.end();
    }
    return undefined;
  }

  async #start(of: FunctionDocument): Promise<Worker> {
    const role: Principal = this.#core.directory.assumeAsService({
      service: "lambda.amazonaws.com",
      roleArn: of.roleArn,
      sessionName: of.name,
      sourceArn: of.arn,
    });
    const keys = this.#core.directory.issue(role, KEY_SECONDS);
    const logs = new WorkerLogs(this.#core, of, role);
    const worker = new Worker({
      core: this.#core,
      function: of,
      folders: await this.#unpack(of),
      keys,
      logs,
      token: this.#core.random.hex(32),
    });
    this.#workers.set(worker.token, worker);
    worker.ended.addEventListener("abort", () => this.#workers.delete(worker.token), { once: true });
    try {
      await worker.start();
    } catch (error) {
      throw cannotRun(error);
    }
    return worker;
  }

  #unpack(of: FunctionDocument): Promise<Unpacked> {
    return unpackFunction(this.#core, { code: of.code, layers: of.layers.map(({ code }) => code) });
  }

  #keep(room: Room, worker: Worker): void {
    if (![...this.#rooms.values()].includes(room)) {
      void worker.end();
      return;
    }
    const idle = { worker, taken: new AbortController() };
    room.idle.push(idle);
    this.#core.background(`idle worker ${worker.token}`, async (signal) => {
      const isTaken = await this.#core.clock.sleep(IDLE_MS, AbortSignal.any([signal, idle.taken.signal, worker.ended])).then(
        () => false,
        () => true,
      );
      if (isTaken) return;
      room.idle.splice(room.idle.indexOf(idle), 1);
      await worker.end();
    });
  }
}
