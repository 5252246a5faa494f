import type { Diagnostic, Severity } from "../inspection.ts";
import type { Linted } from "./lint.ts";
import { findRule } from "./rules.ts";
import { toSarif } from "./sarif.ts";

export type LintFormat = "human" | "json" | "sarif";

/** What `omx lint` prints, with a line break at its end. */
export function formatLint(linted: Linted, format: LintFormat): string {
  if (format === "human") return human(linted);
  return `${JSON.stringify(format === "json" ? linted.diagnostics : toSarif(linted), undefined, 2)}\n`;
}

/** One line for each finding, as compilers write them, with what to do below; then how many there are. */
function human({ diagnostics, suppressed }: Linted): string {
  const told = new Set<string>();
  const lines = folded(diagnostics).flatMap((diagnostic) => {
    const { rule, severity, message } = diagnostic;
    const fix = told.has(rule) ? undefined : findRule(rule)?.fix;
    told.add(rule);
    return [`${placeOf(diagnostic)}: ${severity}: ${message} [${rule}]`, ...(fix === undefined ? [] : [`    ${fix}`])];
  });
  return `${[...lines, summary(diagnostics, suppressed.length)].join("\n")}\n`;
}

/**
 * What a person reads of findings: the same remark on many places is one line, at the first of them. Errors and
 * warnings stay, each where it has to be mended.
 */
export function folded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const counts = new Map<string, number>();
  for (const each of diagnostics) counts.set(sameness(each), (counts.get(sameness(each)) ?? 0) + 1);
  const seen = new Set<string>();
  return diagnostics.flatMap((diagnostic) => {
    if (diagnostic.severity !== "info") return [diagnostic];
    const key = sameness(diagnostic);
    if (seen.has(key)) return [];
    seen.add(key);
    const more = (counts.get(key) ?? 1) - 1;
    if (more === 0) return [diagnostic];
    return [{ ...diagnostic, message: `${diagnostic.message}, here and ${more === 1 ? "once" : `${more} times`} more` }];
  });
}

const sameness = ({ rule, severity, message }: Diagnostic): string => JSON.stringify([rule, severity, message]);

const placeOf = ({ file, line, column }: Diagnostic): string => (file === "" ? "definition" : `${file}:${line}:${column}`);

function summary(diagnostics: readonly Diagnostic[], suppressed: number): string {
  const counts = (["error", "warning", "info"] as const).flatMap((severity) => counted(diagnostics, severity));
  const said = counts.length === 0 ? "no findings" : counts.join(", ");
  return suppressed === 0 ? said : `${said} (${suppressed} suppressed)`;
}

function counted(diagnostics: readonly Diagnostic[], severity: Severity): readonly string[] {
  const count = diagnostics.filter((each) => each.severity === severity).length;
  const name = severity === "info" ? "remark" : severity;
  return count === 0 ? [] : [`${count} ${name}${count === 1 ? "" : "s"}`];
}
