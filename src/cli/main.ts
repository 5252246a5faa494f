import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { systemClock } from "../kit/clock.ts";
import { systemRandom } from "../kit/random.ts";
import type { Cli } from "./cli.ts";
import { runCli } from "./run.ts";
import { readSettings } from "./settings.ts";

const cli: Cli = {
  settings: readSettings(process.env),
  clock: systemClock,
  random: systemRandom,
  out: (written) => void process.stdout.write(written),
  say: (line) => void process.stderr.write(`${line}\n`),
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
      process.once("SIGTERM", stop);
      process.on("SIGHUP", () => undefined);
    }),
};

// A reader that closed our output (`| head`) has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const code = await runCli(cli, process.argv.slice(2));
// Open connections to AWS must not hold the program back; what was written is flushed first.
process.stdout.write("", () => process.exit(code));
