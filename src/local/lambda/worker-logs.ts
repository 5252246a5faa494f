import type { Readable } from "node:stream";
import type { Principal } from "../authorization/principal.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import type { FunctionDocument } from "./store.ts";

const TAIL_BYTES = 4_096;
/** A bootstrap writes this, the request's id and a line feed at the end of an invocation. */
const END_MARK = "\u0000";

/** What a worker's process writes, line by line into its log stream, as far as the function's role may write logs. */
export class WorkerLogs {
  readonly group: string;
  readonly stream: string;
  readonly #core: Core;
  readonly #function: FunctionDocument;
  readonly #isAllowed: boolean;
  readonly #waiting = new Map<string, { left: number; done: () => void }>();
  #tail = "";

  constructor(core: Core, of: FunctionDocument, role: Principal) {
    this.#core = core;
    this.#function = of;
    this.group = logGroupOf(of);
    this.stream = `${core.clock.now().toISOString().slice(0, 10).replaceAll("-", "/")}/[$LATEST]${core.random.hex(32)}`;
    this.#isAllowed = this.#mayWrite(role);
  }

  /** Reads a stream of the process to its end. */
  async follow(source: Readable): Promise<void> {
    source.setEncoding("utf8");
    let rest = "";
    for await (const chunk of source) {
      const lines = `${rest}${String(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      this.#take(lines);
    }
    if (rest !== "") this.#take([rest]);
  }

  /** A line of the platform's own. */
  platform(line: string): void {
    this.#write([line]);
  }

  /** Forgets the tail: an invocation begins. */
  begin(): void {
    this.#tail = "";
  }

  /** The last lines since the beginning, as text of at most 4 KB. */
  tail(): string {
    return Buffer.from(this.#tail).subarray(-TAIL_BYTES).toString("utf8");
  }

  /** Resolves when both streams have written the end of this invocation, or after a moment: a runtime may not mark it. */
  async settled(requestId: string): Promise<void> {
    const known = this.#waiting.get(requestId);
    if (known?.left === 0) {
      this.#waiting.delete(requestId);
      return;
    }
    const given = new AbortController();
    const marked = new Promise<void>((done) => this.#waiting.set(requestId, { left: known?.left ?? 2, done }));
    await Promise.race([marked, this.#core.clock.sleep(100, given.signal).catch(() => undefined)]);
    given.abort();
    this.#waiting.delete(requestId);
  }

  #take(lines: readonly string[]): void {
    for (const line of lines) if (line.startsWith(END_MARK)) this.#mark(line.slice(1));
    this.#write(lines.filter((line) => !line.startsWith(END_MARK)));
  }

  #mark(requestId: string): void {
    const waiting = this.#waiting.get(requestId) ?? { left: 2, done: () => undefined };
    waiting.left -= 1;
    this.#waiting.set(requestId, waiting);
    if (waiting.left === 0) waiting.done();
  }

  #write(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#tail = `${this.#tail}${lines.join("\n")}\n`.slice(-TAIL_BYTES);
    const { account, region } = this.#function;
    if (this.#isAllowed) this.#core.logs.append({ account, region, group: this.group, stream: this.stream }, lines);
  }

  /** On AWS the logs of a function whose role may not write them are lost; here too, with a line for the operator. */
  #mayWrite(role: Principal): boolean {
    const { account, region, name } = this.#function;
    const resource = `arn:aws:logs:${region}:${account}:log-group:${this.group}:log-stream:${this.stream}`;
    try {
      for (const action of ["logs:CreateLogStream", "logs:PutLogEvents"])
        this.#core.directory.authorize(role, { action, resource }, { context: {}, region });
      return true;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#core.log("lambda", `the logs of ${name} are lost: ${error.message}`);
      return false;
    }
  }
}

/** Where a function logs. */
export const logGroupOf = ({ logging, name }: Pick<FunctionDocument, "logging" | "name">): string =>
  logging.LogGroup ?? `/aws/lambda/${name}`;
