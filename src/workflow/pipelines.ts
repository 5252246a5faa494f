import { definitionFiles } from "./detect.ts";
import type { SourceTree } from "./source-tree.ts";

/**
 * The scripts of a tree that start a pipeline: those with an entry workflow (`workflow { … }`), and a `main.nf` beside a
 * `nextflow.config` or written in DSL1. A `main.nf` of a module, which only declares processes, starts none. Where one
 * folder has several, `main.nf` is its pipeline and the others are pipelines of their own.
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
  return ENTRY.test(code) || (isMain && DSL1.test(code));
}

const ENTRY = /(?:^|[\n;}])[ \t]*workflow\s*\{/;
/** Inputs from and outputs into channels inside a process: what DSL2 no longer has. */
const DSL1 = /^[ \t]*(?:path|file|val|set|tuple|env|each)\b.*\b(?:from|into)\b[ \t]+\w/m;

/** Comments become blanks. A `//` in a string takes the rest of its line along, which holds no workflow. */
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/[^\n]*/g, " ");
