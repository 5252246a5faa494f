/** A document with its imports and structs joined to it. Each file of a tree is read once, however many main files use it. */
import { resolveInTree, type SourceTree } from "../source-tree.ts";
import type { Declaration, DocumentSyntax, Finding, Import } from "./ast.ts";
import type { Document, LinkedImport } from "./document.ts";
import { parseDocument } from "./parse.ts";
import { sourceOf } from "./source.ts";
import { joinStructs, resolveType } from "./structs.ts";
import type { Type } from "./types.ts";
import { rankOf } from "./version.ts";

/** Larger files are refused: no workflow is written in 10 MiB of one file. */
export const MAX_DOCUMENT_BYTES = 10 * 1024 * 1024;

/** Deeper chains of imports are refused; miniwdl stops at 10. */
const MAX_IMPORT_DEPTH = 64;

type Library = Map<string, Document | "linking">;
const LIBRARIES = new WeakMap<SourceTree, Library>();

/** The document in `file` of the tree, or undefined when no such text is there. */
export function openDocument(tree: SourceTree, file: string): Document | undefined {
  const library = LIBRARIES.get(tree) ?? new Map<string, Document | "linking">();
  LIBRARIES.set(tree, library);
  const known = library.get(file);
  if (known) return known === "linking" ? undefined : known;
  return link({ tree, library, depth: 0 }, file);
}

interface Loading {
  readonly tree: SourceTree;
  readonly library: Library;
  readonly depth: number;
}

function link(loading: Loading, file: string): Document | undefined {
  const syntax = readSyntax(loading.tree, file);
  if (!syntax) return undefined;
  loading.library.set(file, "linking");
  const problems: Finding[] = [];
  const imports = syntax.imports.map((written) => linkImport(loading, { importer: syntax, written, problems }));
  const structs = joinStructs(syntax, imports, problems);
  const types = new Map<Declaration, Type>();
  const document: Document = {
    file,
    syntax,
    rank: rankOf(syntax.version),
    imports,
    structs,
    tasks: new Map(syntax.tasks.toReversed().map((task) => [task.name, task])),
    ...(syntax.workflows[0] && { workflow: syntax.workflows[0] }),
    problems,
    complete: !syntax.broken && imports.every((each) => each.document?.complete),
    typeOf(declaration) {
      const known = types.get(declaration) ?? resolveType(declaration.type, structs);
      types.set(declaration, known);
      return known;
    },
  };
  loading.library.set(file, document);
  return document;
}

function readSyntax(tree: SourceTree, file: string): DocumentSyntax | undefined {
  const size = tree.size(file);
  if (size === undefined) return undefined;
  if (size > MAX_DOCUMENT_BYTES) return unreadable(file, `${size} bytes are more than a WDL document can have (${MAX_DOCUMENT_BYTES})`);
  const text = tree.text(file);
  return text === undefined ? unreadable(file, "this file is not text in UTF-8") : parseDocument(file, text);
}

function unreadable(file: string, message: string): DocumentSyntax {
  const findings = [{ rule: "wdl-syntax", message, start: 0, end: 0 }];
  return { source: sourceOf(file, ""), imports: [], structs: [], tasks: [], workflows: [], findings, broken: true };
}

interface WrittenImport {
  readonly importer: DocumentSyntax;
  readonly written: Import;
  readonly problems: Finding[];
}

function linkImport(loading: Loading, { importer, written, problems }: WrittenImport): LinkedImport {
  const report = (rule: string, message: string): void => {
    problems.push({ rule, message, start: written.start, end: written.end });
  };
  const { uri } = written;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(uri) && !uri.startsWith("file://")) {
    report("wdl-remote-import", `"${uri}" is not in the definition: HealthOmics reads imports from the ZIP only`);
    return { syntax: written };
  }
  const path = uri.replace(/^file:\/\//, "");
  if (path.startsWith("/")) report("wdl-absolute-import", `"${uri}" is an absolute path: write it relative to this file`);
  const file = resolveInTree(importer.source.file, path);
  if (file === undefined) {
    report("wdl-missing-import", `"${uri}" leads out of the definition`);
    return { syntax: written };
  }
  return openImport(loading, file, { written, report });
}

interface ImportSite {
  readonly written: Import;
  report(rule: string, message: string): void;
}

function openImport(loading: Loading, file: string, { written, report }: ImportSite): LinkedImport {
  const known = loading.library.get(file);
  if (known === "linking") report("wdl-import-cycle", `"${written.uri}" imports this file in turn`);
  else if (loading.depth >= MAX_IMPORT_DEPTH) report("wdl-import-cycle", `more than ${MAX_IMPORT_DEPTH} imports follow one another`);
  else {
    const document = known ?? link({ ...loading, depth: loading.depth + 1 }, file);
    if (document) return { syntax: written, document };
    report("wdl-missing-import", `there is no file "${file}" in the definition`);
  }
  return { syntax: written };
}
