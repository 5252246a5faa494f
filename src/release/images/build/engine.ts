import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ReleaseError } from "../../errors.ts";

/** A program that runs the RUN lines of a Dockerfile. */
export interface Engine {
  readonly program: "docker" | "podman" | "buildah";
  /** @default - that of this process */
  readonly env?: Readonly<Record<string, string>>;
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

const LAST_LINES = 20;

/** What to say of a call that failed, or of a platform whose programs the machine does not run. */
export const failed = ({ program, onLine }: Engine, command: string, { code, lines }: Ended, foreign?: string): ReleaseError =>
  new ReleaseError("ImagesFailed", {
    says: [
      `${program} ${command} ended with exit status ${code}${onLine ? `:\n${lines.slice(-LAST_LINES).join("\n")}` : ""}`,
      ...(foreign === undefined ? [] : [foreignAdvice(foreign)]),
    ].join("\n"),
    blame: "user",
    fix: command === "build" ? "correct the Dockerfile or its source, and start again" : "look at what the registry says, and start again",
  });

/** Whether an engine could not start a program: the kernel knows neither its processor nor an emulation of it. */
export const runsNothingOf = ({ lines }: Ended): boolean => lines.some((line) => /exec format error/i.test(line));

/** @see https://docs.docker.com/build/building/multi-platform/#qemu */
const foreignAdvice = (platform: string): string =>
  `this machine does not run programs for ${platform}: install QEMU and have the kernel use it (apt-get install qemu-user-static binfmt-support, or docker run --privileged --rm tonistiigi/binfmt --install ${platform.split("/")[1]}), and build again. In CodeBuild there is no QEMU: build this image with omx images build on a machine that has it, or leave ${platform} out of its platforms, for HealthOmics runs tasks on linux/amd64`;

// More than any push says; a build may go on for hours.
const KEPT_LINES = 2000;

/** Calls an engine and waits for its end, whatever that is. */
export const execute = ({ program, env, onLine = toErrors, isShown, signal }: Engine, args: readonly string[], input: string | Uint8Array = ""): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], ...(env && { env }), ...(signal && { signal }) });
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
