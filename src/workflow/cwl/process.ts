import type { Diagnostic } from "../inspection.ts";
import type { Document, Documents } from "./documents.ts";
import {
  fragmentOf,
  itemsOf,
  lastName,
  type MapNode,
  mapOf,
  member,
  namedItems,
  type Named,
  type Node,
  type Place,
  stringOf,
} from "./nodes.ts";
import { problem } from "./problems.ts";

export type ProcessClass = "Workflow" | "CommandLineTool" | "ExpressionTool" | "Operation";

const CLASSES: ReadonlySet<string> = new Set<ProcessClass>(["Workflow", "CommandLineTool", "ExpressionTool", "Operation"]);

/** Something that runs, and the document it is written in. */
export interface Process {
  readonly class: ProcessClass;
  readonly node: MapNode;
  readonly document: Document;
}

/** The class of a node that is a process. */
export function classOf(node: Node | undefined): ProcessClass | undefined {
  const written = stringOf(member(node, "class"))?.replace(/^cwl:/, "");
  return written !== undefined && CLASSES.has(written) ? (written as ProcessClass) : undefined;
}

const processOf = (node: Node, document: Document): Process | undefined => {
  const kind = classOf(node);
  return kind !== undefined && node.kind === "map" ? { class: kind, node, document } : undefined;
};

/** The process a document stands for: the one with this id, or the main one. A diagnostic where there is none. */
export function processIn(document: Document, fragment?: string): Process | Diagnostic {
  const at: Place = { file: document.file, line: 1, column: 1 };
  if (fragment !== undefined && fragment !== "") {
    const found = byId(document, fragment);
    return found ?? problem("cwl-missing-file", at, `no process is called "${fragment}" in "${document.file}"`);
  }
  const whole = document.root && processOf(document.root, document);
  if (whole) return whole;
  const graph = graphOf(document);
  const [first, ...others] = graph;
  if (!first) return problem("cwl-no-process", at, `"${document.file}" holds no Workflow, CommandLineTool or ExpressionTool`);
  const main = indexOf(document).graphById.get("main");
  if (main ?? others.length === 0) return main ?? first;
  const ids = graph.map(({ node }) => fragmentOf(idOf(node) ?? "?"));
  return problem(
    "cwl-main-process",
    at,
    `"${document.file}" holds ${graph.length} processes and none is called main: name one, as in ${document.file}#${ids[0] ?? ""} (there are ${ids.join(", ")})`,
  );
}

const idOf = (node: Node): string | undefined => stringOf(member(node, "id"));

/** The processes of a document, once they were looked for: a packed one may be asked for thousands of them. */
interface Index {
  /** Those of a `$graph`. */
  readonly graph: readonly Process[];
  readonly graphById: ReadonlyMap<string, Process>;
  /** Those inside of steps too; whole ids before last parts. */
  readonly all: () => { readonly byId: ReadonlyMap<string, Process>; readonly byLastName: ReadonlyMap<string, Process> };
}

const INDEXES = new WeakMap<Document, Index>();

function indexOf(document: Document): Index {
  const known = INDEXES.get(document);
  if (known) return known;
  const graph = itemsOf(member(document.root, "$graph")).flatMap((item) => {
    const process = processOf(item, document);
    return process ? [process] : [];
  });
  let inside: ReturnType<Index["all"]> | undefined;
  const index: Index = { graph, graphById: keyed(graph, fragmentOf), all: () => (inside ??= allById(document, graph)) };
  INDEXES.set(document, index);
  return index;
}

function allById(document: Document, graph: readonly Process[]): ReturnType<Index["all"]> {
  const known = [...graph, ...(document.root ? [processOf(document.root, document)] : [])].filter((each) => each !== undefined);
  const all = [...known, ...known.flatMap((process) => inlineOf(process, 0))];
  return { byId: keyed(all, fragmentOf), byLastName: keyed(all, lastName) };
}

/** The first process of each key. */
function keyed(processes: readonly Process[], keyOf: (id: string) => string): ReadonlyMap<string, Process> {
  return new Map(processes.toReversed().map((process) => [keyOf(idOf(process.node) ?? ""), process]));
}

const graphOf = (document: Document): readonly Process[] => indexOf(document).graph;

/** A process of the document by its id: first the whole id, then its last part, also of processes inside steps. */
function byId(document: Document, fragment: string): Process | undefined {
  const { byId, byLastName } = indexOf(document).all();
  return byId.get(fragment) ?? byLastName.get(lastName(fragment));
}

const MAX_INLINE_DEPTH = 20;

const inlineOf = (process: Process, depth: number): readonly Process[] =>
  stepsOf(process).flatMap((step) => {
    const run = member(step.node, "run");
    const inner = run && depth < MAX_INLINE_DEPTH ? processOf(run, process.document) : undefined;
    return inner ? [inner, ...inlineOf(inner, depth + 1)] : [];
  });

/** The steps of a workflow; other processes have none. */
export const stepsOf = ({ class: kind, node }: Process): readonly Named[] => (kind === "Workflow" ? namedItems(member(node, "steps")) : []);

/** The process that a step runs: inline, by file, by id. A diagnostic where it is not there. */
export function runOf(step: Named, of: Document, documents: Documents): Process | Diagnostic {
  const run = member(step.node, "run");
  const inline = run && processOf(run, of);
  if (inline) return inline;
  const reference = stringOf(run);
  if (run === undefined || reference === undefined)
    return problem(
      "cwl-no-process",
      run?.at ?? step.at,
      `the step "${step.id}" runs nothing: \`run\` must be a process or the file that holds one`,
    );
  const here = reference.includes("#") ? undefined : byIdInGraph(of, reference);
  if (here) return here;
  const target = documents.follow(reference, run.at);
  if (!("document" in target)) return target;
  const { document, fragment } = target;
  const process = processIn(document, fragment);
  return "rule" in process ? { ...process, file: run.at.file, line: run.at.line, column: run.at.column } : process;
}

/** In a packed document a bare name may be an id. */
const byIdInGraph = (document: Document, name: string): Process | undefined => indexOf(document).graphById.get(name);

/** A requirement or hint of a process or step, written as a list with classes or as a map by class. */
export function requirementOf(node: Node, field: "requirements" | "hints", name: string): MapNode | undefined {
  const written = member(node, field);
  if (written?.kind !== "map") return mapOf(itemsOf(written).findLast((item) => stringOf(member(item, "class")) === name));
  if (stringOf(member(written, "class")) === name) return written;
  return mapOf(member(written, name));
}

/** The name of a process: its id, else undefined. */
export function nameOf({ node }: Process): string | undefined {
  const id = idOf(node);
  return id === undefined || lastName(id) === "" ? undefined : lastName(id);
}
