import { resolveInTree, type SourceTree } from "../source-tree.ts";
import type { Diagnostic, Severity } from "../inspection.ts";
import { newEvaluation } from "./evaluate/choices.ts";
import type { Evaluation } from "./evaluate/types.ts";
import { parseSource, placeOf, type SourceFile } from "./syntax/source-file.ts";

/** What the parts of one reading share: the files, read once, and what is to be told about them. */
export interface Project {
  readonly tree: SourceTree;
  readonly main: string;
  /** The folder of the main file: `projectDir`. */
  readonly folder: string;
  readonly files: Map<string, SourceFile | undefined>;
  readonly diagnostics: Map<string, Diagnostic>;
  readonly evaluation: Evaluation;
}

export function openProject(tree: SourceTree, main: string): Project {
  const folder = main.includes("/") ? main.slice(0, main.lastIndexOf("/")) : "";
  return { tree, main, folder, files: new Map(), diagnostics: new Map(), evaluation: newEvaluation() };
}

/** Scripts are not that large; to read one would only take time. */
const LARGEST_FILE_BYTES = 8 * 1024 * 1024;

/** The file, read once, its first fault told once; undefined where it is not there or is no text. */
export function sourceOf(project: Project, path: string): SourceFile | undefined {
  if (project.files.has(path)) return project.files.get(path);
  const size = project.tree.size(path);
  const text = size !== undefined && size <= LARGEST_FILE_BYTES ? project.tree.text(path) : undefined;
  const file = text === undefined ? undefined : parseSource(path, text);
  project.files.set(path, file);
  if (size !== undefined && text === undefined) {
    tell(project, {
      rule: "nextflow-unreadable",
      severity: "error",
      file: path,
      line: 1,
      column: 1,
      message: `${path} is not text, or too large to be read`,
    });
  }
  if (file?.problem !== undefined)
    report(project, { rule: "nextflow-syntax", severity: "error", file, offset: file.problem.offset, message: file.problem.message });
  return file;
}

interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly file: SourceFile;
  readonly offset: number;
  readonly message: string;
}

/** Tells what stands at an offset of a file. */
export function report(project: Project, { rule, severity, file, offset, message }: Finding): void {
  tell(project, { rule, severity, file: file.path, ...placeOf(file.text, offset), message });
}

/** Tells it once, however many profiles and includes lead there. */
export function tell(project: Project, diagnostic: Diagnostic): void {
  const { rule, file, line, column, message } = diagnostic;
  project.diagnostics.set(JSON.stringify([rule, file, line, column, message]), diagnostic);
}

/** Stands for the project's folder in paths that expressions build; no path of a workflow begins so. */
export const PROJECT_MARK = "/\u0001project";

/** The value of `moduleDir` in a file of that folder. */
export const markedFolder = (folder: string): string => (folder === "" ? PROJECT_MARK : `${PROJECT_MARK}/\u0001root/${folder}`);

/** Where in the tree a path of a script or configuration leads: relative to `from`, or to the project's folder. */
export function locate(project: Project, from: string, path: string): string | undefined {
  const root = `${PROJECT_MARK}/\u0001root/`;
  if (path.startsWith(root)) return resolveInTree("", `/${path.slice(root.length)}`);
  if (path.startsWith(PROJECT_MARK)) return resolveInTree("", `/${project.folder}/${path.slice(PROJECT_MARK.length)}`);
  if (path.startsWith("/")) return undefined;
  return resolveInTree(from, path);
}
