import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import type { Children } from "./children.ts";

/** What a command needs of its surroundings. */
export interface CommandHost {
  readonly children: Children;
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly clock?: Clock;
}

export interface CommandLine {
  /** Whose child it is. */
  readonly owner: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly timeoutMs?: number;
  /** What kind of child it is. @default "command" */
  readonly kind?: string;
}

export interface CommandAnswer {
  /** 127 when there is no such program, -1 when it took too long. */
  readonly code: number;
  /** What it wrote to both of its outputs. */
  readonly text: string;
}

/** Runs a command to its end, as a recorded child. */
export async function runCommand(
  host: CommandHost,
  { owner, program, args, timeoutMs, kind = "command" }: CommandLine,
): Promise<CommandAnswer> {
  const parent = join(host.dataDir, "work");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "command-"));
  const output = openSync(join(folder, "output"), "w");
  const child = host.children.start({
    owner,
    kind,
    command: program,
    args,
    cwd: folder,
    env: host.environment,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const ended = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const stop = new AbortController();
  const limit =
    timeoutMs === undefined || !host.clock
      ? ended
      : host.clock.sleep(timeoutMs, stop.signal).then(
          () => -1,
          () => -1,
        );
  const code = await Promise.race([ended, limit]);
  stop.abort();
  if (code === -1) child.kill("SIGKILL");
  const text = readFileSync(join(folder, "output"), "utf8");
  rmSync(folder, { recursive: true, force: true });
  return { code, text };
}
