import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ReleaseError } from "../../errors.ts";
import { lastLines } from "../last-lines.ts";

/** A program that runs the RUN lines of a Dockerfile. */
export interface Engine {
  readonly program: "docker" | "podman" | "buildah";
  readonly env: Readonly<Record<string, string>>;
  /** Where the lines of its output go, the last of which an error then repeats. @default - to this process's own errors */
  readonly onLine?: (line: string) => void;
  /** Ends what it does. @default - nothing does */
  readonly signal?: AbortSignal;
  /** Lines that go nowhere. @default - all are shown */
  readonly isShown?: (line: string) => boolean;
}

/** How a call of an engine ended: its exit status, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Calls an engine and waits for its end. @throws ReleaseError ImagesFailed where it ends with another status than 0 */
export async function run(engine: Engine, args: readonly string[], input: string | Uint8Array = ""): Promise<void> {
  const ended = await execute(engine, args, input);
  if (ended.code !== 0) throw failed(engine, args[0] ?? "", ended);
}

/** What to say of a call that failed. */
export const failed = ({ program, onLine }: Engine, command: string, { code, lines }: Ended): ReleaseError =>
  new ReleaseError("ImagesFailed", {
    says: `${program} ${command} ended with exit status ${code}${onLine ? `:\n${lastLines(lines)}` : ""}`,
    blame: "user",
    fix: "look at what the registry says, and start again",
  });

// More than any push says; a build may go on for hours.
const KEPT_LINES = 2000;

/** Calls an engine and waits for its end, whatever that is. */
export const execute = (
  { program, env, onLine = toErrors, isShown, signal }: Engine,
  args: readonly string[],
  input: string | Uint8Array = "",
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env, ...(signal && { signal }) });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
        if (isShown?.(line) ?? true) onLine(line);
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, lines }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });

/** Standard output is for results; both end in a build's log. */
const toErrors = (line: string): void => void process.stderr.write(`${line}\n`);
