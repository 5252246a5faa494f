import type { Closure, Expr, FunctionDefinition, Statement } from "../syntax/ast.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import type { ImageOrigin } from "../../inspection.ts";

/** A value of a script or a configuration, as far as it can be known without running it. */
export type Value = null | boolean | number | string | Decimal | readonly Value[] | ValueMap | ClosureValue | Quantity | Unknown;

export type ValueMap = Map<string, Value>;

export interface ClosureValue {
  readonly kind: "closure";
  readonly closure: Closure;
  /** Where it was written: what it sees. */
  readonly scope: Scope;
}

/** A number whose text is not the shortest: Groovy keeps the digits of `1.10`, in the name of an image as well. */
export interface Decimal {
  readonly kind: "decimal";
  readonly amount: number;
  readonly text: string;
}

/** Nextflow's MemoryUnit (in bytes) or Duration (in milliseconds). */
export interface Quantity {
  readonly kind: "memory" | "duration";
  readonly amount: number;
}

/** What only a run, or an input without a default, decides. */
export interface Unknown {
  readonly kind: "unknown";
  /** The source that has the value. */
  readonly expression: string;
  /** Parameters without a value that it hangs on. */
  readonly inputs: readonly string[];
  /** Known to be neither null nor empty, whatever it is. */
  readonly isTruthy?: boolean;
  /** The text it begins with, where that much is known. */
  readonly prefix?: string;
}

/** One value that an expression may have, and when. The first of several is the default. */
export interface Choice {
  readonly value: Value;
  /** What must hold for this value, as the source says it; empty for the default. */
  readonly conditions: readonly string[];
  /** Parameters that it, or the choice of it, hangs on. */
  readonly inputs: readonly string[];
  readonly how: ImageOrigin;
  /** Where it is written. */
  readonly file: SourceFile;
  readonly offset: number;
}

/** What one reading shares: how much work is left, and what the expression at hand was seen to hang on. */
export interface Evaluation {
  /** Steps left. Scripts are programs: a hostile one would never end. */
  steps: number;
  /** Functions and closures being evaluated now. */
  calls: number;
  /** How many ways of conditions are being followed at once. */
  ways: number;
  /** Closures called in a value's place now. */
  opened: number;
  /** Parameters read since the observation began. */
  inputs: Set<string>;
  /** Whether anything was read that another run may have otherwise. */
  isVolatile: boolean;
  /** What an expression gives by default. */
  readonly value: (expr: Expr, scope: Scope) => Value;
  /** What a function's or closure's body gives by default. */
  readonly run: (body: readonly Statement[], scope: Scope) => Value;
}

/** A function and where it was written. */
export interface FunctionValue {
  readonly definition: FunctionDefinition;
  readonly scope: Scope;
}

/** What a name means at some place. */
export interface Scope {
  readonly evaluation: Evaluation;
  readonly file: SourceFile;
  /** The parameters this script or configuration sees. */
  readonly params: ValueMap;
  /** What Nextflow itself provides here: `workflow`, `task`, `projectDir` …; undefined for a name it does not. */
  readonly builtin: (name: string) => Value | undefined;
  /** Variables, each with every value it may have; the first is the one it has by default. */
  readonly variables: Map<string, readonly Choice[]>;
  readonly functions: Map<string, FunctionValue>;
  readonly parent?: Scope;
}
