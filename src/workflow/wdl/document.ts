import type { Declaration, DocumentSyntax, Finding, Import, Task, Workflow } from "./ast.ts";
import type { StructTable, Type } from "./types.ts";

export interface LinkedImport {
  readonly syntax: Import;
  /** Absent when it could not be read; `problems` of the document say why. */
  readonly document?: Document;
}

export interface Document {
  readonly file: string;
  readonly syntax: DocumentSyntax;
  /** The rank of its version (version.ts). */
  readonly rank: number;
  readonly imports: readonly LinkedImport[];
  readonly structs: StructTable;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly workflow?: Workflow;
  /** What is wrong with its imports and structs. */
  readonly problems: readonly Finding[];
  /** False when a part of it, or of what it imports, could not be read: names may be missing. */
  readonly complete: boolean;
  /** The declared type, its structs resolved. */
  typeOf(declaration: Declaration): Type;
}
