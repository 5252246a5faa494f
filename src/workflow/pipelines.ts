import { definitionFiles } from "./detect.ts";
import type { SourceTree } from "./source-tree.ts";

/**
 * The scripts of a tree that start a pipeline: those with an entry workflow (`workflow { … }`), a `main.nf` beside a
 * `nextflow.config` that is no module of a pipeline around it, and whatever is written in DSL1, which knows no modules.
 * A `main.nf` of a module, which only declares processes, starts none, and neither does a specification of nf-test.
 * Where one folder has several, `main.nf` is its pipeline and the others are pipelines of their own.
 */
export function pipelineFiles(tree: SourceTree): readonly string[] {
  return definitionFiles(tree, "NEXTFLOW").filter((file) => isPipeline(tree, file));
}

function isPipeline(tree: SourceTree, file: string): boolean {
  const text = tree.text(file);
  const isMain = file.split("/").at(-1) === "main.nf";
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  const isConfigured = isMain && tree.has(`${folder}nextflow.config`);
  if (text === undefined) return isMain;
  const code = codeOf(text);
  if (SPECIFICATION.test(code)) return false;
  if (isConfigured && !isInsidePipeline(tree, folder)) return true;
  return ENTRY.test(code) || (DSL1.test(code) && PROCESS.test(code) && !COMPONENT.test(code));
}

/** Modules may have a configuration of their own, which the pipeline around them includes. */
function isInsidePipeline(tree: SourceTree, folder: string): boolean {
  const names = folder.split("/").slice(0, -2);
  return ["", ...names.map((_, at) => `${names.slice(0, at + 1).join("/")}/`)].some(
    (above) => above !== folder && tree.has(`${above}main.nf`) && tree.has(`${above}nextflow.config`),
  );
}

/** nf-test describes what it tests in blocks of these names; they hold a `workflow {` of their own. */
const SPECIFICATION = /^[ \t]*nextflow_(?:process|workflow|pipeline|function)\s*\{/m;
const PROCESS = /^[ \t]*process\s+\w+\s*\{/m;
/** What only DSL2 has. */
const COMPONENT = /^[ \t]*(?:include\s*[{'"\w]|workflow\s+\w+\s*\{)/m;

const ENTRY = /(?:^|[\n;}])[ \t]*workflow\s*\{/;
/** Inputs from and outputs into channels inside a process: what DSL2 no longer has. */
const DSL1 = /^[ \t]*(?:path|file|val|set|tuple|env|each)\b.*\b(?:from|into)\b[ \t]+\w/m;

const OPENING = /'''|"""|'|"|\/\*|\/\//g;

/** Comments and the scripts of processes become blanks, in time that grows with the text alone. */
function codeOf(text: string): string {
  let code = "";
  let from = 0;
  OPENING.lastIndex = 0;
  for (let match = OPENING.exec(text); match !== null; match = OPENING.exec(text)) {
    const [opening] = match;
    const isText = opening.length === 1;
    const end = endOf(text, opening, match.index + opening.length);
    code += `${text.slice(from, match.index)}${isText ? text.slice(match.index, end) : " "}`;
    from = end;
    OPENING.lastIndex = end;
  }
  return code + text.slice(from);
}

/** Behind what opens there: a string of one line ends with its line, all else without an end with the text. */
function endOf(text: string, opening: string, from: number): number {
  if (opening.length === 1) return endOfString(text, opening, from);
  const closing = opening === "/*" ? "*/" : opening === "//" ? "\n" : opening;
  const end = text.indexOf(closing, from);
  if (end < 0) return text.length;
  return opening === "//" ? end : end + closing.length;
}

function endOfString(text: string, quote: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\") at++;
    else if (char === quote) return at + 1;
    else if (char === "\n") return at;
  }
  return text.length;
}
