/** Reads a CWL definition: what HealthOmics would say of it, and what more there is to know. */
import type { Diagnostic, Reading } from "../inspection.ts";
import type { SourceTree } from "../source-tree.ts";
import { documentsOf, type Document } from "./documents.ts";
import { imagesOf } from "./images.ts";
import { interfaceOf } from "./inputs.ts";
import { lintCwl } from "./lint.ts";
import { problem } from "./problems.ts";
import { nameOf, type Process, processIn } from "./process.ts";
import { definitionVersion, languageVersion, versionProblem } from "./versions.ts";
import { runningUnder } from "./walk.ts";

const NOTHING: Reading = { parameterTemplate: {}, parameters: [], images: [], unresolved: [], diagnostics: [] };

/**
 * The reading of the process that `main` names (`file.cwl`, or `file.cwl#id`) and of all that it runs. Never throws on
 * what files can hold: a part that cannot be read is a diagnostic, and the rest is read.
 */
export function readCwl(tree: SourceTree, main: string): Reading {
  const [file = "", ...id] = main.split("#");
  const documents = documentsOf(tree);
  const document = documents.open(file);
  if (!document)
    return { ...NOTHING, diagnostics: [problem("cwl-missing-file", { file, line: 1, column: 1 }, `there is no file "${file}"`)] };
  const version = languageVersion(document);
  const said = { ...(version !== undefined && { languageVersion: version }) };
  const process = processIn(document, id.length > 0 ? id.join("#") : undefined);
  if ("rule" in process) {
    const problems = problemsOf([document]);
    // What could not be read holds nothing, and says why.
    const isUnread = document.root === undefined && problems.length > 0;
    return { ...NOTHING, ...said, diagnostics: isUnread ? problems : [...problems, process] };
  }
  const { parameters, parameterTemplate, problems } = interfaceOf(process, documents);
  const running = runningUnder(process, documents);
  return {
    ...said,
    name: nameOf(process) ?? stemOf(file),
    ...definitionVersion(process, document),
    parameterTemplate,
    parameters,
    ...imagesOf(running.tools),
    diagnostics: [
      ...problemsOf([document, ...running.documents]),
      ...versionProblems(process, document),
      ...problems,
      ...running.problems,
      ...lintCwl(running),
    ],
  };
}

const stemOf = (file: string): string => (file.split("/").at(-1) ?? file).replace(/\.[^.]+$/, "");

const versionProblems = (process: Process, document: Document): readonly Diagnostic[] => {
  const found = versionProblem(process, document);
  return found ? [found] : [];
};

/** The problems of the documents and of all that they import, each document once. */
function problemsOf(documents: readonly Document[]): readonly Diagnostic[] {
  const all = new Set(documents);
  for (const document of all) for (const imported of document.imports) all.add(imported);
  return [...all].flatMap(({ problems }) => problems);
}
