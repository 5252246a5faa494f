import type { Diagnostic, Severity } from "../inspection.ts";
import type { Linted } from "./lint.ts";
import { allRules } from "./rules.ts";

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = { error: "error", warning: "warning", info: "note" };

/**
 * The findings as a SARIF 2.1.0 log, which code hosts show beside the lines. Only rules that were found are described.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function toSarif({ diagnostics, suppressed }: Linted): Readonly<Record<string, unknown>> {
  const found = [...diagnostics, ...suppressed.map(({ diagnostic }) => diagnostic)];
  const ids = new Set(found.map(({ rule }) => rule));
  const rules = allRules.filter(({ id }) => ids.has(id));
  const result = (diagnostic: Diagnostic): Readonly<Record<string, unknown>> =>
    resultOf(
      diagnostic,
      rules.findIndex(({ id }) => id === diagnostic.rule),
    );
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "omx",
            rules: rules.map(({ id, severity, title, reason, fix }) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: reason },
              help: { text: fix },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: [
          ...diagnostics.map(result),
          ...suppressed.map(({ diagnostic, reason }) => ({
            ...result(diagnostic),
            suppressions: [{ kind: "inSource", justification: reason }],
          })),
        ],
      },
    ],
  };
}

function resultOf({ rule, severity, file, line, column, message }: Diagnostic, ruleIndex: number): Readonly<Record<string, unknown>> {
  const location = { physicalLocation: { artifactLocation: { uri: uriOf(file) }, region: { startLine: line, startColumn: column } } };
  return {
    ruleId: rule,
    ...(ruleIndex >= 0 && { ruleIndex }),
    level: LEVELS[severity],
    message: { text: message },
    ...(file !== "" && { locations: [location] }),
  };
}

/** A relative path as a URI reference. */
const uriOf = (file: string): string => file.split("/").map(encodeURIComponent).join("/");
