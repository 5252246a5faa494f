import type { Cli } from "../cli.ts";
import type { Step } from "./follow.ts";

const MARKS: Readonly<Record<string, string>> = { Succeeded: "✓", Failed: "✗", InProgress: "→", Abandoned: "·" };

/** Shows steps as they end, and on a terminal what happens now; everything goes to stderr. */
export interface Display {
  title(text: string): void;
  note(text: string): void;
  steps(steps: readonly Step[]): void;
  /** Runs work that has a name and a duration of its own. */
  during<Result>(name: string, work: (tell: (line: string) => void) => Promise<Result>): Promise<Result>;
}

export function createDisplay(cli: Cli, { isTerminal, write }: { readonly isTerminal: boolean; write(text: string): void }): Display {
  let told = new Set<string>();
  const now = (text: string) => {
    if (isTerminal) write(`\r\u001b[K${text.slice(0, 100)}`);
  };
  const line = (text: string) => {
    now("");
    cli.say(text);
  };
  const show = ({ name, status, seconds, detail }: Step) =>
    line(`  ${MARKS[status] ?? status} ${name.padEnd(18)} ${seconds.toFixed(1).padStart(6)} s${detail ? `  ${detail}` : ""}`);
  return {
    title(text) {
      told = new Set();
      line(`\n${text}`);
    },
    note: (text) => line(`  ${text}`),
    steps(steps) {
      for (const step of steps) {
        if (step.status === "InProgress" || told.has(step.name)) continue;
        told.add(step.name);
        show(step);
      }
      const running = steps.filter(({ status }) => status === "InProgress");
      if (running.length > 0) now(`  → ${running.map(({ name, seconds }) => `${name} ${seconds.toFixed(0)} s`).join(", ")}`);
    },
    async during(name, work) {
      const started = cli.clock.now().getTime();
      const seconds = () => (cli.clock.now().getTime() - started) / 1000;
      now(`  → ${name}`);
      const result = await work((text) => now(`  → ${name} ${seconds().toFixed(0)} s: ${text.trim()}`));
      show({ name, status: "Succeeded", seconds: seconds() });
      return result;
    },
  };
}
