/** The struct types that a document can name: its own, and those of its imports under their aliases. */
import type { DocumentSyntax, Finding, Span, Struct } from "./ast.ts";
import type { LinkedImport } from "./document.ts";
import { parametersOf, type StructDefinition, structShape, type StructTable, type Type } from "./types.ts";

/** Adds to `problems` the names that collide, that are missing, and structs that hold themselves. */
export function joinStructs(syntax: DocumentSyntax, imports: readonly LinkedImport[], problems: Finding[]): StructTable {
  const table = new Map<string, StructDefinition>();
  const report = (at: Span, message: string): void => {
    problems.push({ rule: "wdl-struct", message, start: at.start, end: at.end });
  };
  for (const struct of syntax.structs) {
    if (table.has(struct.name)) report(struct, `there are several structs named ${struct.name}`);
    else table.set(struct.name, define(struct, table, report));
  }
  for (const each of imports) addImported(each, table, report);
  for (const struct of syntax.structs) {
    const definition = table.get(struct.name);
    if (definition && holdsItself(definition)) report(struct, `struct ${struct.name} holds itself`);
  }
  return table;
}

type Report = (at: Span, message: string) => void;

function define(struct: Struct, table: StructTable, report: Report): StructDefinition {
  const seen = new Set<string>();
  for (const member of struct.members) {
    if (seen.has(member.name)) report(member, `struct ${struct.name} has several members named ${member.name}`);
    seen.add(member.name);
  }
  let members: ReadonlyMap<string, Type> | undefined;
  return {
    // Resolved when first asked for: a member's struct may stand further down or in an import.
    get members() {
      members ??= new Map(struct.members.map((member) => [member.name, resolveType(member.type, table)]));
      return members;
    },
  };
}

function addImported({ syntax, document }: LinkedImport, table: Map<string, StructDefinition>, report: Report): void {
  if (!document) return;
  const offered = new Map(document.structs);
  for (const { from, to } of syntax.aliases) {
    const definition = offered.get(from);
    if (!definition) {
      if (document.complete) report(syntax, `"${syntax.uri}" has no struct ${from}`);
      continue;
    }
    if (from !== to && (offered.has(to) || table.has(to))) report(syntax, `a struct ${to} is already there: choose another alias`);
    offered.delete(from);
    offered.set(to, definition);
  }
  for (const [name, definition] of offered) {
    const present = table.get(name);
    if (!present) table.set(name, definition);
    else if (present !== definition && structShape(present) !== structShape(definition))
      report(syntax, `the imported struct ${name} needs an alias: another struct has its name`);
  }
}

/** The type with its structs resolved by a document's table. */
export function resolveType(type: Type, table: StructTable): Type {
  switch (type.kind) {
    case "Array":
      return { ...type, item: resolveType(type.item, table) };
    case "Map":
      return { ...type, key: resolveType(type.key, table), value: resolveType(type.value, table) };
    case "Pair":
      return { ...type, left: resolveType(type.left, table), right: resolveType(type.right, table) };
    case "Struct": {
      const definition = table.get(type.name);
      return definition ? { ...type, definition } : type;
    }
    default:
      return type;
  }
}

function holdsItself(root: StructDefinition): boolean {
  const seen = new Set<StructDefinition>();
  const waiting = [...root.members.values()];
  for (let type = waiting.pop(); type; type = waiting.pop()) {
    if (type.kind === "Struct") {
      if (!type.definition || seen.has(type.definition)) continue;
      if (type.definition === root) return true;
      seen.add(type.definition);
    }
    waiting.push(...parametersOf(type));
  }
  return false;
}

/** The names of struct types in a type that no struct has. */
export function unknownStructs(type: Type): readonly string[] {
  if (type.kind === "Struct") return type.definition ? [] : [type.name];
  return type.kind === "Object" ? [] : parametersOf(type).flatMap(unknownStructs);
}
