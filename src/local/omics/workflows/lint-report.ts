import type { Diagnostic } from "../../../workflow/inspection.ts";

const MOST = 200;

/** The statusMessage of a Nextflow workflow: a JSON document of findings, which block nothing (guide, "Workflow linters"). */
export function lintReport(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  if (errors.length + warnings.length === 0) return "";
  const files = (list: readonly Diagnostic[]): number => new Set(list.map(({ file }) => file)).size;
  const all = files(diagnostics);
  const kept = Math.max(0, MOST - errors.length);
  return JSON.stringify({
    advisory: "Linter findings do not keep a Nextflow workflow from being used.",
    summary: {
      errors: errors.length,
      filesWithErrors: files(errors),
      filesWithoutErrors: all - files(errors),
      filesFormatted: 0,
      warnings: warnings.length,
      filesWithWarnings: files(warnings),
      filesWithoutWarnings: all - files(warnings),
    },
    errors: errors.slice(0, MOST).map(finding),
    warnings: warnings.slice(0, kept).map(finding),
    ...((errors.length > MOST || warnings.length > kept) && { truncated: true }),
  });
}

const finding = ({ file, line, column, message }: Diagnostic): object => ({
  filename: file,
  startLine: line,
  startColumn: column,
  message,
});
