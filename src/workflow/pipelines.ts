import { definitionFiles } from "./detect.ts";
import type { SourceTree } from "./source-tree.ts";

/**
 * The scripts of a tree that start a pipeline: those with an entry workflow (`workflow { … }`), and a `main.nf` beside a
 * `nextflow.config`, and whatever is written in DSL1, which knows no modules. A `main.nf` of a module, which only declares
 * processes, starts none, and neither does a specification of nf-test. Where one folder has several, `main.nf` is its
 * pipeline and the others are pipelines of their own.
 */
export function pipelineFiles(tree: SourceTree): readonly string[] {
  return definitionFiles(tree, "NEXTFLOW").filter((file) => isPipeline(tree, file));
}

function isPipeline(tree: SourceTree, file: string): boolean {
  const text = tree.text(file);
  const isMain = file.split("/").at(-1) === "main.nf";
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  if (isMain && tree.has(`${folder}nextflow.config`)) return true;
  if (text === undefined) return isMain;
  const code = withoutComments(text);
  if (SPECIFICATION.test(code)) return false;
  return ENTRY.test(code) || (DSL1.test(code) && PROCESS.test(code) && !COMPONENT.test(code));
}

/** nf-test describes what it tests in blocks of these names; they hold a `workflow {` of their own. */
const SPECIFICATION = /^[ \t]*nextflow_(?:process|workflow|pipeline|function)\s*\{/m;
const PROCESS = /^[ \t]*process\s+\w+\s*\{/m;
/** What only DSL2 has. */
const COMPONENT = /^[ \t]*(?:include\s*[{'"\w]|workflow\s+\w+\s*\{)/m;

const ENTRY = /(?:^|[\n;}])[ \t]*workflow\s*\{/;
/** Inputs from and outputs into channels inside a process: what DSL2 no longer has. */
const DSL1 = /^[ \t]*(?:path|file|val|set|tuple|env|each)\b.*\b(?:from|into)\b[ \t]+\w/m;

/** Comments become blanks. A `//` in a string takes the rest of its line along, which holds no workflow. */
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/[^\n]*/g, " ");
