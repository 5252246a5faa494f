import { readCwl } from "./cwl/read.ts";
import { type Asked, definitionFiles, detect, type Detected, engineOf, isDetected, withoutId } from "./detect.ts";
import { openFolder } from "./folder-tree.ts";
import type { Diagnostic, Engine, Inspection, Reading } from "./inspection.ts";
import { readNextflow } from "./nextflow/read.ts";
import { pipelineFiles } from "./pipelines.ts";
import type { SourceTree } from "./source-tree.ts";
import { openDocument } from "./wdl/documents.ts";
import { readWdl } from "./wdl/read.ts";

const READERS: Readonly<Record<Engine, (tree: SourceTree, main: string) => Reading>> = {
  WDL: readWdl,
  NEXTFLOW: readNextflow,
  CWL: readCwl,
};

const NOTHING: Reading = { parameterTemplate: {}, parameters: [], images: [], unresolved: [], diagnostics: [] };

/**
 * What HealthOmics would make of a definition, and what more there is to know. Where engine or main file cannot be told,
 * they are absent and a diagnostic says what to do. Never throws on what files hold.
 */
export function inspect(tree: SourceTree, asked: Asked = {}): Inspection {
  const detected = detect(tree, asked);
  if (isDetected(detected)) return inspectMain(tree, detected);
  const named = asked.main === undefined || asked.engine !== undefined ? undefined : engineOf(asked.main);
  const again = named === undefined ? detected : detect(tree, { ...asked, engine: named });
  if (!isDetected(again)) return unread(detected);
  const found = inspectMain(tree, again);
  return { ...found, diagnostics: [{ ...detected, severity: "warning" }, ...found.diagnostics] };
}

/** The inspection of a definition that cannot be read at all. */
export const unread = (problem: Diagnostic): Inspection => ({ ...NOTHING, path: "", diagnostics: [problem] });

/**
 * Every WDL document with a workflow, every CWL document and every Nextflow pipeline of a tree (or of the folder with
 * this path), each as if it were the main file of its repository, in the order of their paths. Hidden files and folders
 * are skipped. Never throws on what files hold.
 * @throws the file system's error when the folder is not there
 */
export function* inspectAll(root: SourceTree | string): Generator<Inspection, void> {
  const tree = typeof root === "string" ? openFolder(root) : root;
  const mains: readonly Detected[] = [
    ...definitionsIn(tree, "WDL").filter(({ main }) => hasWorkflow(tree, main)),
    ...definitionsIn(tree, "CWL"),
    ...pipelineFiles(tree).map((main) => ({ engine: "NEXTFLOW" as const, main })),
  ];
  for (const detected of mains.toSorted((a, b) => (a.main < b.main ? -1 : 1))) yield inspectMain(tree, detected);
}

const definitionsIn = (tree: SourceTree, engine: Engine): readonly Detected[] =>
  definitionFiles(tree, engine).map((main) => ({ engine, main }));

/** A workflow section of WDL. A file that is not read (too large, no text, a reader that fails) is inspected, to say so. */
function hasWorkflow(tree: SourceTree, file: string): boolean {
  try {
    const text = tree.text(file);
    if (text === undefined) return true;
    if (!/\bworkflow\b/.test(text)) return false;
    const { workflow, syntax } = openDocument(tree, file) ?? {};
    if (syntax && !syntax.broken) return workflow !== undefined;
    return /(?:^|[\s}])workflow\s+[A-Za-z]\w*\s*\{/.test(text.replace(/^[^\S\n]*#.*$/gm, ""));
  } catch {
    return true;
  }
}

function inspectMain(tree: SourceTree, { engine, main }: Detected): Inspection {
  const path = withoutId(main);
  try {
    const text = tree.text(path);
    // Readers of languages in which a file may hold anything find nothing wrong with nothing.
    if (text?.trim() === "") return { ...NOTHING, path, engine, main, hasNoText: true, diagnostics: [empty(path)] };
    return { path, engine, main, ...(text === undefined && { hasNoText: true }), ...READERS[engine](tree, main) };
  } catch (error) {
    return { ...NOTHING, path, engine, main, diagnostics: [defect(path, error as Error)] };
  }
}

const empty = (file: string): Diagnostic => ({
  rule: "main-file",
  severity: "error",
  file,
  line: 1,
  column: 1,
  message: `there is no workflow in ${file}: the file is empty`,
});

/** An exception of a reader is our mistake, and must not hide the other files of a tree. */
const defect = (file: string, error: Error): Diagnostic => ({
  rule: "reader-defect",
  severity: "error",
  file,
  line: 1,
  column: 1,
  message: `omx failed to read this definition, which is a mistake of omx: ${error.name}: ${error.message}`,
});

/** The inspection as `omx inspect --json` prints it: members without a value left out, no member but the documented ones. */
export function toJson({ path, engine, main, ...reading }: Inspection): Readonly<Record<string, unknown>> {
  const { languageVersion, name, version, parameterTemplate, parameters, images, unresolved, diagnostics } = reading;
  return plain({
    path,
    engine,
    languageVersion,
    main,
    name,
    version,
    parameterTemplate,
    parameters: parameters.map((each) => pick(each, ["name", "type", "optional", "default", "file", "line"])),
    images: images.map((each) => pick(each, ["image", "task", "file", "line", "how", "condition", "input"])),
    unresolved: unresolved.map((each) => pick(each, ["expression", "task", "file", "line", "input"])),
    diagnostics: diagnostics.map((each) => pick(each, ["rule", "severity", "file", "line", "column", "message"])),
  });
}

const pick = <T extends object>(from: T, keys: readonly (keyof T)[]): Readonly<Record<string, unknown>> =>
  plain(Object.fromEntries(keys.map((key) => [key, from[key]])));

const plain = (members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
