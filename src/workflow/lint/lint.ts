import type { Asked } from "../detect.ts";
import { definitionFiles } from "../detect.ts";
import { inspect } from "../inspect.ts";
import type { Diagnostic, Inspection, Severity } from "../inspection.ts";
import type { SourceTree } from "../source-tree.ts";
import { generalFindings, type LintContext } from "./general.ts";
import { suppress, type Suppressed } from "./suppress.ts";

/** What the linter says of a definition. */
export interface Linted {
  readonly inspection: Inspection;
  /** By file and place. */
  readonly diagnostics: readonly Diagnostic[];
  /** Findings that a comment takes back. */
  readonly suppressed: readonly Suppressed[];
}

/** Reads a definition and judges it by all rules. Never throws on what files hold. */
export function lint(tree: SourceTree, asked: Asked = {}, context: LintContext = {}): Linted {
  return lintInspection(tree, inspect(tree, asked), context);
}

/** Judges a definition that was inspected before. */
export function lintInspection(tree: SourceTree, inspection: Inspection, context: LintContext = {}): Linted {
  const general = inspection.engine === undefined ? [] : generalFindings(tree, inspection, context);
  const found = [...inspection.diagnostics, ...general];
  const { diagnostics, suppressed } = suppress(tree, {
    diagnostics: unique(found),
    files: mentionedFiles(tree, inspection, found),
    main: inspection.path,
  });
  return { inspection, diagnostics: diagnostics.toSorted(byPlace), suppressed };
}

/** Where a comment may speak: the definition files of the engine, and every file that a finding or an image is in. */
function mentionedFiles(tree: SourceTree, { engine, images, path }: Inspection, found: readonly Diagnostic[]): ReadonlySet<string> {
  const named = [path, ...found.map(({ file }) => file), ...images.map(({ file }) => file)].filter((file) => file !== "" && tree.has(file));
  return new Set([...named, ...(engine === undefined ? [] : definitionFiles(tree, engine))]);
}

const unique = (found: readonly Diagnostic[]): readonly Diagnostic[] => [
  ...new Map(found.map((each) => [JSON.stringify(each), each])).values(),
];

const byPlace = (a: Diagnostic, b: Diagnostic): number =>
  compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.rule, b.rule);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** Whether a definition passes: no finding is as severe as `failOn`. @default "error" */
export const passes = (diagnostics: readonly Diagnostic[], failOn: Severity = "error"): boolean =>
  diagnostics.every(({ severity }) => RANK[severity] < RANK[failOn]);
