/** Commands that ask for the internet, which a task reaches in a VPC alone. */
import type { Finding, Task } from "../ast.ts";
import type { Document } from "../document.ts";

/** Programs that do nothing without a network, where a line or a part of it begins with them. */
const ASKING =
  /(?:^|[|&;(`]|\b(?:then|do|else|time|exec)\s)\s*(gsutil|gcloud|wget|curl|git\s+clone|pip3?\s+install|(?:apt-get|apt|yum|conda|mamba)\s(?:-\S+\s)?(?:install|update))\s/;
const HERE = /\b(?:localhost|127\.0\.0\.1)\b/;
/** A line of a script, not a page of data. */
const MAX_LINE = 2000;

/** One finding for each such program of a task's command. */
export function lintNetwork({ syntax }: Document, { name, command }: Task): readonly Finding[] {
  if (!command) return [];
  const findings = new Map<string, Finding>();
  let start = command.start;
  for (const line of syntax.source.text.slice(command.start, command.end).split("\n")) {
    const program = programIn(line);
    if (program !== undefined && !findings.has(program)) {
      const at = start + line.indexOf(program);
      const message = `task ${name} runs ${program}: only runs in VPC mode reach the internet`;
      findings.set(program, { rule: "wdl-network", message, start: at, end: at + program.length });
    }
    start += line.length + 1;
  }
  return [...findings.values()];
}

function programIn(line: string): string | undefined {
  if (line.length > MAX_LINE || line.trimStart().startsWith("#") || HERE.test(line)) return undefined;
  return ASKING.exec(line)?.[1];
}
