import type { Token } from "./tokens.ts";

/** Offsets into the file's text. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** An expression of the Groovy subset that scripts and configurations use. */
export type Expr =
  | Literal
  | Template
  | Name
  | Property
  | Index
  | Call
  | ListLiteral
  | MapLiteral
  | Closure
  | Ternary
  | Elvis
  | Unary
  | Binary
  | Assignment
  | Cast
  | Creation;

export interface Literal extends Span {
  readonly kind: "literal";
  readonly value: null | boolean | number | string;
  /** Of a number: its text, where that is not the shortest. */
  readonly digits?: string;
}
/** A string with interpolations. Those are parsed when somebody asks: most stand in shell scripts and nobody does. */
export interface Template extends Span {
  readonly kind: "template";
  readonly parts: readonly (string | readonly Token[])[];
}
export interface Name extends Span {
  readonly kind: "name";
  readonly name: string;
}
/** `object.name`; the name may be an expression: `process."withName:X"`. */
export interface Property extends Span {
  readonly kind: "property";
  readonly object: Expr;
  readonly name: string | Expr;
}
export interface Index extends Span {
  readonly kind: "index";
  readonly object: Expr;
  readonly index: Expr;
}
export interface Argument {
  /** Of a named argument: `mode` in `publishDir path: 'x', mode: 'copy'`. */
  readonly name?: string;
  readonly value: Expr;
}
export interface Call extends Span {
  readonly kind: "call";
  readonly callee: Expr;
  readonly args: readonly Argument[];
}
export interface ListLiteral extends Span {
  readonly kind: "list";
  readonly items: readonly Expr[];
}
export interface MapLiteral extends Span {
  readonly kind: "map";
  readonly entries: readonly { readonly key: Expr; readonly value: Expr }[];
}
export interface FormalParameter {
  readonly name: string;
  /** The tokens of its default, parsed when it is needed. */
  readonly default?: readonly Token[];
}
export interface Closure extends Span {
  readonly kind: "closure";
  readonly parameters: readonly FormalParameter[];
  readonly body: readonly Statement[];
}
export interface Ternary extends Span {
  readonly kind: "ternary";
  readonly condition: Expr;
  readonly then: Expr;
  readonly otherwise: Expr;
}
/** `value ?: otherwise` */
export interface Elvis extends Span {
  readonly kind: "elvis";
  readonly value: Expr;
  readonly otherwise: Expr;
}
export interface Unary extends Span {
  readonly kind: "unary";
  readonly operator: string;
  readonly operand: Expr;
}
export interface Binary extends Span {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Expr;
  readonly right: Expr;
}
export interface Assignment extends Span {
  readonly kind: "assignment";
  readonly operator: string;
  readonly target: Expr;
  readonly value: Expr;
}
export interface Cast extends Span {
  readonly kind: "cast";
  readonly value: Expr;
  readonly type: string;
}
export interface Creation extends Span {
  readonly kind: "creation";
  readonly type: string;
  readonly args: readonly Argument[];
}

export type Statement =
  | ExpressionStatement
  | Declaration
  | If
  | Return
  | Label
  | Include
  | Process
  | Workflow
  | FunctionDefinition
  | ParamsBlock
  | TypeDefinition
  | Compound;

export interface ExpressionStatement extends Span {
  readonly kind: "expression";
  readonly expression: Expr;
}
/** `def x = …`, `String x = …`; several names where a list is taken apart. */
export interface Declaration extends Span {
  readonly kind: "declaration";
  readonly names: readonly string[];
  readonly value?: Expr;
}
export interface If extends Span {
  readonly kind: "if";
  readonly condition: Expr;
  readonly then: readonly Statement[];
  readonly otherwise: readonly Statement[];
}
export interface Return extends Span {
  readonly kind: "return";
  readonly value?: Expr;
}
/** `script:`, `main:`; in a configuration the `withName:` before a selector. */
export interface Label extends Span {
  readonly kind: "label";
  readonly name: string;
}
export interface Include extends Span {
  readonly kind: "include";
  /** Empty where a whole script is included (Nextflow before 20.10). */
  readonly names: readonly { readonly name: string; readonly alias: string }[];
  readonly from: Expr;
  readonly params?: Expr;
}
export interface Process extends Span {
  readonly kind: "process";
  readonly name: string;
  readonly body: readonly Statement[];
}
/** The entry workflow has no name. */
export interface Workflow extends Span {
  readonly kind: "workflow";
  readonly name?: string;
  readonly body: readonly Statement[];
}
export interface FunctionDefinition extends Span {
  readonly kind: "function";
  readonly name: string;
  readonly parameters: readonly FormalParameter[];
  readonly body: readonly Statement[];
}
/** `params { input: Path }`, the typed form of Nextflow 25.10. */
export interface ParamsBlock extends Span {
  readonly kind: "params";
  readonly declarations: readonly ParamDeclaration[];
}
export interface ParamDeclaration extends Span {
  readonly name: string;
  /** As written: `List<Path>`, `Path?`. */
  readonly type?: string;
  readonly value?: Expr;
}
/** A class, record or enum: known by its name alone. */
export interface TypeDefinition extends Span {
  readonly kind: "type";
  readonly name: string;
}
/** Statements whose blocks may or may not run: loops, try, switch. `always` marks a try's own block. */
export interface Compound extends Span {
  readonly kind: "compound";
  readonly word: string;
  readonly expressions: readonly Expr[];
  readonly always: readonly Statement[];
  readonly sometimes: readonly (readonly Statement[])[];
  /** Of a switch: what each of `sometimes` stands for; absent for its default. */
  readonly cases?: readonly (Expr | undefined)[];
}
