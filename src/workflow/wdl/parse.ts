/** One file of WDL, from text to syntax tree. */
import type { DocumentSyntax, Import, Span, Struct, Task, Workflow } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { parseDeclaration, parseMeta, refuseKeyword } from "./declarations.ts";
import { recovering, type Recovery } from "./recovery.ts";
import { parseTask, parseWorkflow } from "./sections.ts";
import { sourceOf } from "./source.ts";
import { parsePlainString } from "./strings.ts";
import { isKeyword, rankOf, versionLine } from "./version.ts";

interface DocumentParts {
  readonly imports: Import[];
  readonly structs: Struct[];
  readonly tasks: Task[];
  readonly workflows: Workflow[];
}

/**
 * Reads a WDL document of any version. Never throws on what a file can hold:
 * what cannot be read is a finding, and the parts around it are there.
 */
export function parseDocument(file: string, text: string): DocumentSyntax {
  const source = sourceOf(file, text);
  const line = versionLine(text);
  const cursor = new Cursor(source, rankOf(line?.version), line?.end ?? 0);
  const recovery: Recovery = { broken: false };
  const parts: DocumentParts = { imports: [], structs: [], tasks: [], workflows: [] };
  while (cursor.peek().kind !== "end") {
    recovering(cursor, recovery, { outer: true, read: () => parsePart(cursor, recovery, parts) });
  }
  const broken = recovery.broken || cursor.findings.length > 0;
  return { source, ...(line && { version: line.version }), ...parts, findings: cursor.findings, broken };
}

function parsePart(cursor: Cursor, recovery: Recovery, parts: DocumentParts): void {
  const token = cursor.next();
  switch (token.text) {
    case "import":
      parts.imports.push(parseImport(cursor, token));
      return;
    case "struct":
      parts.structs.push(parseStruct(cursor, token.start));
      return;
    case "task":
      parts.tasks.push(parseTask(cursor, recovery, token.start));
      return;
    case "workflow":
      parts.workflows.push(parseWorkflow(cursor, recovery, token.start));
      return;
    default:
      cursor.fail(`expected import, struct, task or workflow, found "${token.text}"`, token);
  }
}

function parseStruct(cursor: Cursor, start: number): Struct {
  const name = cursor.name("the struct's name");
  refuseKeyword(cursor, name);
  cursor.expect("{", `after "struct ${name.text}"`);
  const members: Struct["members"][number][] = [];
  while (!cursor.accept("}")) {
    const token = cursor.peek();
    if (token.text === "meta" || token.text === "parameter_meta") {
      cursor.next();
      parseMeta(cursor);
      continue;
    }
    const member = parseDeclaration(cursor);
    if (member.value) cursor.note("a struct's member has no default", member);
    members.push(member);
  }
  return { kind: "struct", name: name.text, members, start, end: cursor.previousEnd };
}

function parseImport(cursor: Cursor, keyword: Span): Import {
  if (cursor.peek().kind !== "quote") cursor.fail("expected the file to import, in quotes");
  const uri = parsePlainString(cursor);
  const given = cursor.accept("as") ? cursor.name("the import's name").text : undefined;
  const namespace = given ?? namespaceOf(uri);
  const aliases: { from: string; to: string }[] = [];
  while (cursor.accept("alias")) {
    const from = cursor.name("the struct's name").text;
    cursor.expect("as", "after the struct's name");
    aliases.push({ from, to: cursor.name("the struct's new name").text });
  }
  const span = { start: keyword.start, end: cursor.previousEnd };
  if (!/^[A-Za-z]\w*$/.test(namespace) || isKeyword(namespace, cursor.rank))
    cursor.note(`"${namespace}" cannot be the name of an import: write import "${uri}" as some_name`, span);
  return { uri, namespace, aliases, ...span };
}

/** The file's name without folders and what follows its first dot. */
const namespaceOf = (uri: string): string => (uri.slice(uri.lastIndexOf("/") + 1).split("?")[0] ?? "").split(".")[0] ?? "";
