import type { Diagnostic } from "../inspection.ts";
import type { Place } from "./nodes.ts";
import { ruleOf } from "./rules.ts";

/** A finding at a place, under one of the rules of rules.ts. */
export function problem(rule: string, at: Place, message: string): Diagnostic {
  return { rule, severity: ruleOf(rule).severity, file: at.file, line: at.line, column: at.column, message };
}
