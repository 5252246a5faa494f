/** Reads a WDL definition: what HealthOmics would say of it, and what more there is to know. */
import type { Diagnostic, Reading } from "../inspection.ts";
import type { SourceTree } from "../source-tree.ts";
import type { Finding, Task, Workflow } from "./ast.ts";
import { checkDocument } from "./check/check.ts";
import type { Document } from "./document.ts";
import { openDocument } from "./documents.ts";
import { type ImagesFound, imagesOf } from "./images.ts";
import { entryOf, parametersOf, templateOf } from "./interface.ts";
import { lintDocument } from "./lint/lint.ts";
import { ruleOf } from "./rules.ts";

/**
 * The reading of the document `main` and of all that it imports. Never throws on what files can hold:
 * a part that cannot be read is a diagnostic, and the rest is read.
 * The documents of one tree are kept, so several main files of a tree cost little more than one.
 */
export function readWdl(tree: SourceTree, main: string): Reading {
  const document = openDocument(tree, main);
  if (!document) return { parameterTemplate: {}, parameters: [], images: [], unresolved: [], diagnostics: [missing(main)] };
  const entry = entryOf(document);
  const found = imagesOf(document);
  return {
    languageVersion: document.syntax.version ?? "draft-2",
    ...(entry && { name: entry.name }),
    ...(entry && ownVersion(document, entry)),
    parameterTemplate: entry ? templateOf(entry) : {},
    parameters: entry ? parametersOf(document, entry) : [],
    images: found.images,
    unresolved: found.unresolved,
    diagnostics: [
      ...documentsOf(document).flatMap((each) => diagnosticsOf(each, { main: document, found })),
      ...(found.complete ? [] : [tooLarge(main)]),
    ],
  };
}

/** `meta { version: "1.2.0" }` */
function ownVersion({ file, syntax }: Document, { meta }: Workflow | Task): Pick<Reading, "version" | "versionAt"> {
  const version = meta && Object.hasOwn(meta.values, "version") ? meta.values["version"] : undefined;
  if (!meta || (typeof version !== "string" && typeof version !== "number")) return {};
  return { version: String(version), versionAt: { file, ...syntax.source.position(meta.keys.get("version") ?? meta.start) } };
}

const missing = (file: string): Diagnostic => ({
  rule: "wdl-syntax",
  severity: "error",
  file,
  line: 1,
  column: 1,
  message: `there is no file "${file}"`,
});

const tooLarge = (file: string): Diagnostic => ({
  rule: "wdl-too-large",
  severity: ruleOf("wdl-too-large").severity,
  file,
  line: 1,
  column: 1,
  message: "the calls lead to more work than a reading does: some images are not listed",
});

/** The document and everything it imports, each once. */
function documentsOf(main: Document): readonly Document[] {
  const all = new Set([main]);
  for (const document of all) for (const each of document.imports) if (each.document) all.add(each.document);
  return [...all];
}

/** A file that is wrong throughout says so often enough with these. */
const MAX_DIAGNOSTICS = 200;

interface Run {
  readonly main: Document;
  readonly found: ImagesFound;
}

function diagnosticsOf(document: Document, run: Run): readonly Diagnostic[] {
  const findings = [...document.syntax.findings, ...document.problems, ...checkDocument(document), ...lintDocument(document)];
  return findings
    .filter((finding) => ruleOf(finding.rule).severity === "error" || concerns(document, finding, run))
    .slice(0, MAX_DIAGNOSTICS)
    .map((finding) => diagnosticOf(document, finding));
}

/** What a run would do otherwise is told of what it can come to, and what is in the template of the main workflow alone. */
function concerns(document: Document, { rule, start }: Finding, { main, found }: Run): boolean {
  if (OF_THE_TEMPLATE.has(rule) && document !== main) return false;
  const unit = unitAt(document, start);
  return !unit || !found.complete || found.reached.has(unit);
}

const UNITS = new WeakMap<Document, readonly (Task | Workflow)[]>();

/** The task or workflow that an offset lies in. */
function unitAt(document: Document, offset: number): Task | Workflow | undefined {
  const { tasks, workflows } = document.syntax;
  const units = UNITS.get(document) ?? [...tasks, ...workflows].toSorted((a, b) => a.start - b.start);
  UNITS.set(document, units);
  let [low, high] = [0, units.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((units[middle]?.start ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const unit = units[low - 1];
  return unit && offset < unit.end ? unit : undefined;
}

const OF_THE_TEMPLATE: ReadonlySet<string> = new Set(["wdl-no-inputs", "wdl-nested-inputs"]);

function diagnosticOf(document: Document, { rule, message, start }: Finding): Diagnostic {
  const { line, column } = document.syntax.source.position(start);
  return { rule, severity: ruleOf(rule).severity, file: document.file, line, column, message };
}
