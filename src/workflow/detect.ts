import type { Diagnostic, Engine } from "./inspection.ts";
import { resolveInTree, type SourceTree } from "./source-tree.ts";

/** The engine and the main file that HealthOmics would use. */
export interface Detected {
  readonly engine: Engine;
  /** Relative to the root; for CWL with the `#id` that was asked for, if one was. */
  readonly main: string;
}

/** What a caller of CreateWorkflow may say. */
export interface Asked {
  readonly engine?: Engine | undefined;
  /** Relative to the root; for CWL `file.cwl#id` names one process of the file. */
  readonly main?: string | undefined;
}

const EXTENSIONS: Readonly<Record<Engine, string>> = { WDL: ".wdl", NEXTFLOW: ".nf", CWL: ".cwl" };
const ENGINES = Object.keys(EXTENSIONS) as readonly Engine[];

/**
 * The engine and the main file as HealthOmics finds them, or a diagnostic that says what to do. Without `main` only the
 * level nearest to the root that holds a definition file counts: its one file, or the one named `main.wdl`, `main.nf`
 * or `main.cwl`. Hidden files and folders are skipped.
 * @see https://docs.aws.amazon.com/omics/latest/dev/workflow-defn-requirements.html (packaging, detection)
 */
export function detect(tree: SourceTree, asked: Asked = {}): Detected | Diagnostic {
  const main = asked.main === undefined ? undefined : askedMain(tree, asked.main);
  if (main !== undefined && typeof main !== "string") return main;
  const engine = asked.engine ?? onlyEngine(tree, main);
  if (typeof engine !== "string") return engine;
  return main === undefined ? nearestMain(tree, engine) : { engine, main };
}

/** Whether {@link detect} found what it looked for. */
export const isDetected = (answer: Detected | Diagnostic): answer is Detected => "engine" in answer;

/** The engine whose definition files end as this one does. */
export const engineOf = (file: string): Engine | undefined => ENGINES.find((engine) => withoutId(file).endsWith(EXTENSIONS[engine]));

/** The file of a `main`: without the `#id` of a CWL process. */
export const withoutId = (main: string): string => main.replace(/#.*$/s, "");

/** Files of this engine, hidden ones left out. */
export const definitionFiles = (tree: SourceTree, engine: Engine): readonly string[] =>
  tree.files.filter((file) => file.endsWith(EXTENSIONS[engine]) && !isHidden(file));

const isHidden = (file: string): boolean => file.split("/").some((part) => part.startsWith("."));

function askedMain(tree: SourceTree, written: string): string | Diagnostic {
  const file = withoutId(written);
  const path = file.startsWith("/") ? undefined : resolveInTree("", file);
  if (path === undefined)
    return problem(written, `the main file "${written}" must be given relative to the root of the definition, without leaving it`);
  if (tree.has(path)) return path + written.slice(file.length);
  const name = path.split("/").at(-1);
  const alike = tree.files.filter((each) => each.split("/").at(-1) === name);
  return problem(
    path,
    `there is no file "${path}"${alike.length > 0 ? `; did you mean ${listed(alike)}?` : ": give the main file relative to the root of the definition"}`,
  );
}

function onlyEngine(tree: SourceTree, main: string | undefined): Engine | Diagnostic {
  const found = ENGINES.filter((engine) => definitionFiles(tree, engine).length > 0);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  if (first !== undefined)
    return problem(
      main ?? definitionFiles(tree, first)[0] ?? "",
      `the definition has files of several engines (${found.join(", ")}): say which one with \`engine\``,
    );
  return problem(main ?? "", "there is no workflow: no file ends in .wdl, .nf or .cwl (hidden files and folders are not looked at)");
}

function nearestMain(tree: SourceTree, engine: Engine): Detected | Diagnostic {
  const files = definitionFiles(tree, engine);
  const depth = Math.min(...files.map(depthOf));
  const nearest = files.filter((file) => depthOf(file) === depth);
  const extension = EXTENSIONS[engine];
  const mains = nearest.length === 1 ? nearest : nearest.filter((file) => file.split("/").at(-1) === `main${extension}`);
  const [main] = mains;
  if (main !== undefined && mains.length === 1) return { engine, main };
  if (files.length === 0)
    return problem("", `there is no ${engine} workflow: no file ends in ${extension} (hidden files and folders are not looked at)`);
  const choice =
    mains.length > 1 ? `${mains.length} files are called main${extension}` : `none of ${nearest.length} files is called main${extension}`;
  return problem(
    nearest[0] ?? "",
    `at the level nearest to the root ${choice} (${listed(mains.length > 1 ? mains : nearest)}): say which one with \`main\``,
  );
}

const depthOf = (file: string): number => file.split("/").length;

const SHOWN = 5;

const listed = (files: readonly string[]): string => files.slice(0, SHOWN).join(", ") + (files.length > SHOWN ? ", …" : "");

const problem = (file: string, message: string): Diagnostic => ({
  rule: "main-file",
  severity: "error",
  file,
  line: 1,
  column: 1,
  message,
});
