import type { Clock } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";
import type { Settings } from "./settings.ts";

/** What a command has to work with. */
export interface Cli {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  /** Width of the terminal in characters, where there is one. */
  readonly columns?: number;
  /** To stdout, as it is. */
  out(text: string): void;
  /** A line for people, to stderr. */
  say(line: string): void;
  /** Shows how it stands in a line below those said, instead of what was shown before; absent where nobody watches a terminal. */
  show?(line: string): void;
  /** All of stdin. */
  input(): Promise<string>;
  /** Asks a person one line. @returns undefined where nobody can be asked */
  ask(question: string): Promise<string | undefined>;
  /** Resolves when the user or the system asks the program to end. */
  untilStopped(): Promise<void>;
  /** Has work done at once where the user or the system ends the program; until it is disposed of. */
  whenKilled(work: () => void): Disposable;
}

/** The command was used wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** It was not done, and why has been told: exit code 1 without another word. */
export class NotDone extends Error {
  override readonly name = "NotDone";
}

/** It was not done, and what to do about it. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly fix: string | undefined;

  constructor(says: string, fix?: string) {
    super(says);
    this.fix = fix;
  }
}

/** One JSON document on stdout. */
export const printJson = (cli: Cli, value: unknown): void => cli.out(`${JSON.stringify(value, null, 2)}\n`);

/** Prints a result: JSON with `--json`, else lines for people, both on stdout. */
export function printResult(
  cli: Cli,
  options: { readonly json?: boolean },
  { value, lines }: { readonly value: unknown; readonly lines: readonly string[] },
): void {
  if (options.json) printJson(cli, value);
  else if (lines.length > 0) cli.out(`${lines.join("\n")}\n`);
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
