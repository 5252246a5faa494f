/** What can be said of a workflow definition without running it. The shape is a contract (design of `omx inspect`). */
export interface Inspection extends Reading {
  /** The main file, relative to the inspected folder or archive; empty when there is none. */
  readonly path: string;
  /** Absent where no engine could be told; a diagnostic says what to do. */
  readonly engine?: Engine;
  /** As CreateWorkflow takes it: the main file, for CWL with the `#id` that was asked for. Absent with `engine`. */
  readonly main?: string;
  /** The main file is empty or binary, as a diagnostic says: nothing was read of it. */
  readonly hasNoText?: true;
}

/** The engines of HealthOmics that omx reads. */
export type Engine = "WDL" | "NEXTFLOW" | "CWL";

/** What the reader of one language finds, from one main file. Every file name is relative to the tree's root. */
export interface Reading {
  /** As the document writes it: "1.1", "development", "draft-2"; CWL "v1.2"; Nextflow "DSL2". */
  readonly languageVersion?: string;
  readonly name?: string;
  /** The version the definition gives itself (`manifest.version`, `meta.version`). */
  readonly version?: string;
  /** Where that version is written. */
  readonly versionAt?: Place;
  readonly parameterTemplate: ParameterTemplate;
  readonly parameters: readonly Parameter[];
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A place in a file of the tree; lines and columns start at 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What HealthOmics stores: a name, a description, whether it may be left out. */
export type ParameterTemplate = Readonly<Record<string, TemplateEntry>>;

/** `description` is "" or null where the service would store that (guide, "Parameter templates"). */
export interface TemplateEntry {
  readonly description?: string | null;
  readonly optional?: boolean;
}

/** A typed parameter: what the service does not keep and a run's inputs are checked against. */
export interface Parameter {
  readonly name: string;
  /** As the language writes it: WDL `Array[File]+?`, CWL's short form `File[]?`, JSON Schema's type. */
  readonly type: string;
  readonly optional: boolean;
  /** The default as JSON where it is a value; the source text where it is an expression. */
  readonly default?: unknown;
  /** Where the declaration stands. */
  readonly file: string;
  readonly line: number;
  /** Permitted values, where the definition limits them. */
  readonly enum?: readonly unknown[];
  /** Members of a struct or record. */
  readonly members?: readonly Omit<Parameter, "file" | "line">[];
  /** True when a value names a file or a folder (or holds such names inside). */
  readonly isFile?: boolean;
}

export type ImageOrigin =
  "literal" | "variable" | "default" | "member" | "override" | "config" | "selector" | "profile" | "ternary" | "closure";

/** An image that a task can use, and where it is written. */
export interface ImageUse {
  readonly image: string;
  /** The task; for Nextflow the process, an alias by its own name where its image differs. */
  readonly task: string;
  readonly file: string;
  readonly line: number;
  readonly how: ImageOrigin;
  /** The condition under which this image and no other is used. Absent: it is the default. */
  readonly condition?: string;
  /** The input (of the main workflow) whose value would change it. */
  readonly input?: string;
}

/** An image that only an input can decide. */
export interface UnresolvedImage {
  readonly expression: string;
  readonly task: string;
  readonly file: string;
  readonly line: number;
  /** The main workflow's input that decides, or `call.input` of an incomplete call. */
  readonly input?: string;
  /** What is known of the names that come of it, with inputs in their place: `~{registry}/bwa:1`. */
  readonly patterns?: readonly string[];
}

export type Severity = "error" | "warning" | "info";

/** Something a person should know, and where. Lines and columns start at 1. */
export interface Diagnostic {
  readonly rule: string;
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}
