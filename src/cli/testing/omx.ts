import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { checkOutput } from "./checked-output.ts";

const BIN = fileURLToPath(new URL("../../../bin/omx", import.meta.url));

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout as one JSON document. */
  json<Shape>(): Shape;
}

/** The real program in a folder of its own, with nothing of the user's AWS settings. */
export interface Omx extends AsyncDisposable {
  /** A folder for files. */
  readonly folder: string;
  /** The data folder of its local accounts. */
  readonly dataDir: string;
  run(...args: readonly string[]): Promise<Ran>;
  /** The same with text on stdin. */
  given(input: string, ...args: readonly string[]): Promise<Ran>;
}

/** Local accounts it started are stopped, and its folder goes, when it is disposed of. */
export function omx(more: Readonly<Record<string, string>> = {}): Omx {
  const folder = mkdtempSync(join(tmpdir(), "omx-cli-"));
  const dataDir = join(folder, "data");
  // As in a clone, where the default data folder lies below a package of modules.
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, OMX_DATA: dataDir, ...more };
  const given = async (input: string, ...args: readonly string[]): Promise<Ran> => {
    const child = spawn(BIN, args, { cwd: folder, env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.end(input);
    const ended = new Promise<number>((resolve) => child.once("exit", (code, signal) => resolve(code ?? (signal ? 128 : 1))));
    const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    checkOutput(args, stdout);
    return { code, stdout, stderr, json: <Shape>() => JSON.parse(stdout) as Shape };
  };
  return {
    folder,
    dataDir,
    given,
    run: (...args) => given("", ...args),
    async [Symbol.asyncDispose]() {
      await given("", "local", "stop", "--all");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
