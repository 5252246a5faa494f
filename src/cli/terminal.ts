import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { systemClock } from "../kit/clock.ts";
import { systemRandom } from "../kit/random.ts";
import type { Cli } from "./cli.ts";
import { readSettings } from "./settings.ts";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Goes to the start of the line and empties it. */
const EMPTY = "\r\u001b[K";

/** Where lines for people go. */
interface Told {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Lines and, at a terminal, one below them that is written anew: cut where it would wrap, as what wrapped can't be taken back. */
export function told(stream: Told, terminal = process.env["TERM"]): Pick<Cli, "say" | "show"> {
  if (!stream.isTTY || terminal === "dumb") return { say: (line) => void stream.write(`${line}\n`) };
  let shown = "";
  return {
    say: (line) => void stream.write(shown === "" ? `${line}\n` : `${EMPTY}${line}\n${shown}`),
    show(line) {
      const room = (stream.columns || 80) - 1;
      shown = line.length > room ? `${line.slice(0, room - 1)}…` : line;
      stream.write(`${EMPTY}${shown}`);
    },
  };
}

/** A command line at a terminal or in a script: reads the environment, once. */
export const createCli = (): Cli => ({
  settings: readSettings(process.env),
  clock: systemClock,
  random: systemRandom,
  ...(process.stdout.isTTY && process.stdout.columns > 0 && { columns: process.stdout.columns }),
  out: (written) => void process.stdout.write(written),
  ...told(process.stderr),
  input: () => text(process.stdin),
  async ask(question) {
    if (!process.stdin.isTTY) return undefined;
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  },
  untilStopped: () =>
    new Promise((resolve) => {
      const stop = () => {
        // The second Ctrl-C ends the program at once: state is safe at any moment.
        process.once("SIGINT", () => process.exit(130));
        resolve();
      };
      process.once("SIGINT", stop);
      process.on("SIGTERM", stop);
      process.on("SIGHUP", () => undefined);
    }),
  whenKilled(work) {
    const end = (_: NodeJS.Signals, number: number): void => {
      work();
      process.exit(128 + number);
    };
    // It stays until the end: a second signal, as who ends a group of processes sends by way of `bin/omx`, would else end us amid the work.
    for (const signal of ENDING) process.on(signal, end);
    return { [Symbol.dispose]: () => ENDING.forEach((signal) => process.off(signal, end)) };
  },
});
