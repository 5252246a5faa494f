import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../kit/clock.ts";
import { systemRandom } from "../../kit/random.ts";
import type { TestAccounts } from "../../local/testing/accounts.ts";
import type { Cli } from "../cli.ts";
import { runCli } from "../run.ts";
import { checkOutput } from "./checked-output.ts";

export interface InProcess extends Disposable {
  /** A folder for files, and the user's home. */
  readonly folder: string;
  run(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string; json<Shape>(): Shape }>;
}

/** The command line in this process, at local accounts that run in it as well. */
export function cliAt(
  accounts: Pick<TestAccounts, "configFile">,
  { columns, ...settings }: Partial<Cli["settings"]> & Pick<Cli, "columns"> = {},
): InProcess {
  const folder = mkdtempSync(join(tmpdir(), "omx-cli-"));
  const path = process.env["PATH"] ?? "";
  return {
    folder,
    async run(...args) {
      const [stdout, stderr]: [string[], string[]] = [[], []];
      const code = await runCli(
        {
          clock: systemClock,
          random: systemRandom,
          out: (text) => void stdout.push(text),
          say: (line) => void stderr.push(`${line}\n`),
          input: () => Promise.resolve(""),
          ask: () => Promise.resolve(undefined),
          untilStopped: () => Promise.resolve(),
          whenKilled: () => ({ [Symbol.dispose]: () => undefined }),
          ...(columns !== undefined && { columns }),
          settings: {
            root: join(import.meta.dirname, "../../.."),
            dataDir: dirname(accounts.configFile),
            path,
            home: folder,
            inherited: { PATH: path, HOME: folder },
            configFile: accounts.configFile,
            hasKeys: false,
            ...settings,
          },
        },
        args,
      );
      const [said, told] = [stdout.join(""), stderr.join("")];
      checkOutput(args, said);
      const json = <Shape>(): Shape => {
        if (said === "") throw new Error(`nothing on stdout: ${told}`);
        return JSON.parse(said) as Shape;
      };
      return { code, stdout: said, stderr: told, json };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
