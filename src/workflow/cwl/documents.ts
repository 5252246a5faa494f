import type { Diagnostic } from "../inspection.ts";
import { resolveInTree, type SourceTree } from "../source-tree.ts";
import {
  fragmentOf,
  itemsOf,
  lastName,
  mapOf,
  member,
  type Entry,
  type MapNode,
  type Node,
  type Place,
  scalarOf,
  stringOf,
  weightOf,
} from "./nodes.ts";
import { problem } from "./problems.ts";
import { MAX_WEIGHT, parseYaml } from "./yaml.ts";

/** A file of CWL, with its `$import`s and `$include`s in place. */
export interface Document {
  readonly file: string;
  readonly root?: Node;
  readonly problems: readonly Diagnostic[];
  /** The documents it imports. */
  readonly imports: readonly Document[];
}

/** The largest document that is read. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
const MAX_PROBLEMS = 20;
const MAX_IMPORT_DEPTH = 50;

const KEPT = new WeakMap<SourceTree, Documents>();

/** The documents of a tree, each read once. */
export function documentsOf(tree: SourceTree): Documents {
  const kept = KEPT.get(tree) ?? new Documents(tree);
  KEPT.set(tree, kept);
  return kept;
}

/** What a reference leads to: a file of the tree and the id in it, or why it leads nowhere. */
export type Target = { readonly document: Document; readonly fragment?: string } | Diagnostic;

export class Documents {
  readonly #tree: SourceTree;
  readonly #read = new Map<string, Document>();
  readonly #reading: string[] = [];

  constructor(tree: SourceTree) {
    this.#tree = tree;
  }

  /** The document, or undefined when the tree has no such file. */
  open(file: string): Document | undefined {
    const kept = this.#read.get(file);
    if (kept) return kept;
    if (!this.#tree.has(file)) return undefined;
    this.#reading.push(file);
    const document = this.#parse(file);
    this.#reading.pop();
    this.#read.set(file, document);
    return document;
  }

  /** Follows a reference written at `at`: `tool.cwl`, `#id`, `tool.cwl#id`. */
  follow(reference: string, at: Place): Target {
    const [written = "", ...rest] = reference.split("#");
    const fragment = rest.length > 0 ? { fragment: rest.join("#") } : {};
    const path = this.#named(written, at) ?? pathOf(written, at);
    if (typeof path !== "string") return path;
    if (this.#reading.includes(path) && path !== at.file)
      return problem("cwl-cycle", at, `"${reference}" leads back to a document that imports this one`);
    if (this.#reading.length > MAX_IMPORT_DEPTH)
      return problem("cwl-too-large", at, `imports follow one another more than ${MAX_IMPORT_DEPTH} deep`);
    const document = this.open(path);
    if (!document) return problem("cwl-missing-file", at, `there is no file "${path}"`);
    return { document, ...fragment };
  }

  /** A file whose name only looks like a URI: `sort:first.cwl`. */
  #named(written: string, at: Place): string | undefined {
    const path = written.includes(":") && !written.startsWith("/") ? resolveInTree(at.file, written) : undefined;
    return path !== undefined && this.#tree.has(path) ? path : undefined;
  }

  #parse(file: string): Document {
    const at: Place = { file, line: 1, column: 1 };
    const text = this.#tree.text(file);
    if (text === undefined || text.length > MAX_CHARACTERS)
      return {
        file,
        problems: [problem("cwl-too-large", at, "the file is too large to be a definition, or no text")],
        imports: [],
      };
    const { root, problems } = parseYaml(text, file);
    const found = problems.slice(0, MAX_PROBLEMS).map((each) => problem("cwl-syntax", each.at, each.message));
    if (!root) return { file, problems: found, imports: [] };
    const imports = new Imports(this, root);
    const resolved = imports.resolve(root);
    if (resolved.weight <= MAX_WEIGHT)
      return { file, root: resolved, problems: [...found, ...imports.problems], imports: [...imports.documents] };
    return {
      file,
      problems: [problem("cwl-too-large", at, `with its imports the document unfolds to more than ${MAX_WEIGHT} values`)],
      imports: [],
    };
  }

  /** The file's text, for `$include`. */
  text(file: string): string | undefined {
    return this.#tree.text(file);
  }
}

/** A reference's file as a path of the tree, or why it is none. */
export function pathOf(written: string, at: Place): string | Diagnostic {
  if (written === "") return at.file;
  if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(written) || written.startsWith("/"))
    return problem(
      "cwl-outside",
      at,
      `"${written}" is outside of the definition: HealthOmics reads the files of the definition alone; put the file into the repository and write its relative path`,
    );
  const path = resolveInTree(at.file, decoded(written));
  return path ?? problem("cwl-outside", at, `"${written}" leaves the folder of the definition`);
}

/** References are URIs, so `%20` is a blank. */
function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

/** Puts imported documents in the place of `$import`, below the keys beside a `$mixin`, and texts in the place of `$include`. */
class Imports {
  readonly problems: Diagnostic[] = [];
  readonly documents = new Set<Document>();
  readonly #from: Documents;
  readonly #root: Node;
  readonly #done = new Map<Node, Node>();
  readonly #open = new Set<Node>();
  #named: ReadonlyMap<string, Node> | undefined;

  constructor(from: Documents, root: Node) {
    this.#from = from;
    this.#root = root;
  }

  resolve(node: Node): Node {
    if (node.kind === "scalar") return node;
    const done = this.#done.get(node) ?? (node.kind === "list" ? this.#list(node.items, node) : this.#map(node));
    this.#done.set(node, done);
    return done;
  }

  #list(items: readonly Node[], node: Node): Node {
    const made = items.flatMap((item) => {
      const resolved = this.resolve(item);
      return member(item, "$import") && resolved.kind === "list" ? resolved.items : [resolved];
    });
    const isSame = made.length === items.length && made.every((item, index) => item === items[index]);
    return isSame ? node : { kind: "list", items: made, at: node.at, weight: weightOf(made) };
  }

  #map(node: MapNode): Node {
    const imported = node.entries.get("$import")?.value;
    if (imported) return this.#import(imported);
    const included = node.entries.get("$include")?.value;
    if (included) return this.#include(included);
    const mixed = node.entries.get("$mixin")?.value;
    const entries = new Map<string, Entry>(mixed && mapOf(this.#import(mixed))?.entries);
    let isSame = mixed === undefined;
    for (const [key, entry] of node.entries) {
      if (key === "$mixin") continue;
      const value = this.resolve(entry.value);
      isSame &&= value === entry.value;
      entries.set(key, { at: entry.at, value });
    }
    return isSame ? node : { kind: "map", entries, at: node.at, weight: weightOf([...entries.values()].map(({ value }) => value)) };
  }

  #import(reference: Node): Node {
    const written = stringOf(reference) ?? "";
    if (written.startsWith("#")) return this.#own(written.slice(1), reference);
    const target = this.#from.follow(stringOf(reference) ?? "", reference.at);
    if (!("document" in target)) return this.#nothing(target);
    const { document, fragment } = target;
    this.documents.add(document);
    const found = fragment === undefined ? document.root : named(document.root, fragment);
    return found ?? this.#nothing(problem("cwl-missing-file", reference.at, `nothing is called "${fragment ?? ""}" in "${document.file}"`));
  }

  /** A packed document imports what it holds elsewhere: the types of one process in another. */
  #own(fragment: string, reference: Node): Node {
    this.#named ??= namedNodes(this.#root);
    const found = this.#named.get(fragment);
    if (!found) return this.#nothing(problem("cwl-missing-file", reference.at, `nothing is called "${fragment}" in this document`));
    if (this.#open.has(found)) return this.#nothing(problem("cwl-cycle", reference.at, `"#${fragment}" imports itself`));
    this.#open.add(found);
    const resolved = this.resolve(found);
    this.#open.delete(found);
    return resolved;
  }

  #include(reference: Node): Node {
    const path = pathOf(stringOf(reference) ?? "", reference.at);
    if (typeof path !== "string") return this.#nothing(path);
    const text = path === "" ? undefined : this.#from.text(path);
    return text === undefined
      ? this.#nothing(problem("cwl-missing-file", reference.at, `there is no text file "${path}"`))
      : scalarOf(text, reference.at);
  }

  #nothing(why: Diagnostic): Node {
    this.problems.push(why);
    return scalarOf(null, { file: why.file, line: why.line, column: why.column });
  }
}

/** Every map of a document that has a name or an id, by its fragment and by the file it was packed from; the first counts. */
function namedNodes(root: Node): ReadonlyMap<string, Node> {
  const found = new Map<string, Node>();
  const visit = (node: Node): void => {
    const name = stringOf(member(node, "name")) ?? stringOf(member(node, "id"));
    const fragment = fragmentOf(name ?? "");
    for (const key of [fragment, fragment.split("/")[0] ?? ""]) if (!found.has(key)) found.set(key, node);
    if (node.kind === "list") node.items.forEach(visit);
    if (node.kind === "map") for (const { value } of node.entries.values()) visit(value);
  };
  visit(root);
  return found;
}

/** The item of a list or of a `$graph` that has this id or name. */
export function named(node: Node | undefined, fragment: string): Node | undefined {
  const items = [...itemsOf(member(node, "$graph") ?? node)];
  const idOf = (item: Node): string | undefined => stringOf(member(item, "id")) ?? stringOf(member(item, "name"));
  return (
    items.find((item) => fragmentOf(idOf(item) ?? "") === fragment) ??
    items.find((item) => lastName(idOf(item) ?? "") === lastName(fragment)) ??
    mapOf(node)?.entries.get(fragment)?.value
  );
}
