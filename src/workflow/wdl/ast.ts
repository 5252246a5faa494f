/** The syntax tree of a WDL document. Offsets are into the file's text; `source.ts` turns them into lines and columns. */
import type { Source } from "./source.ts";
import type { Type } from "./types.ts";

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** `height` is the depth of the tree below: the parser bounds it, so that walking an expression never overflows the stack. */
interface ExpressionNode extends Span {
  readonly height: number;
}

export type BinaryOperator = "||" | "&&" | "==" | "!=" | "<=" | ">=" | "<" | ">" | "+" | "-" | "*" | "/" | "%" | "**";

export interface StringExpression extends ExpressionNode {
  readonly kind: "string";
  /** Text between the delimiters as written (escapes not decoded) and interpolations, in order. */
  readonly parts: readonly (string | Interpolation)[];
  readonly form: "quoted" | "multiline" | "command";
}

export interface Interpolation extends Span {
  readonly options: Readonly<Record<string, string>>;
  readonly value: Expression;
}

export interface NameExpression extends ExpressionNode {
  readonly kind: "name";
  readonly name: string;
}

export interface MemberExpression extends ExpressionNode {
  readonly kind: "member";
  readonly of: Expression;
  readonly member: string;
}

export interface ApplyExpression extends ExpressionNode {
  readonly kind: "apply";
  readonly name: string;
  readonly arguments: readonly Expression[];
}

export interface BinaryExpression extends ExpressionNode {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export interface ObjectExpression extends ExpressionNode {
  readonly kind: "object";
  /** The struct's name; absent for `object {…}`. */
  readonly struct?: string;
  readonly members: readonly { readonly name: string; readonly value: Expression }[];
}

export interface MapExpression extends ExpressionNode {
  readonly kind: "map";
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
}

export interface ConditionalExpression extends ExpressionNode {
  readonly kind: "if";
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}

export type Expression =
  | (ExpressionNode & { readonly kind: "boolean"; readonly value: boolean })
  | (ExpressionNode & { readonly kind: "int" | "float"; readonly value: number })
  | (ExpressionNode & { readonly kind: "none" })
  | StringExpression
  | (ExpressionNode & { readonly kind: "array"; readonly items: readonly Expression[] })
  | (ExpressionNode & { readonly kind: "pair"; readonly left: Expression; readonly right: Expression })
  | MapExpression
  | ObjectExpression
  | ConditionalExpression
  | NameExpression
  | MemberExpression
  | (ExpressionNode & { readonly kind: "index"; readonly of: Expression; readonly at: Expression })
  | ApplyExpression
  | (ExpressionNode & { readonly kind: "not" | "negative"; readonly of: Expression })
  | BinaryExpression;

/** The values of `meta` and `parameter_meta`. */
export type MetaValue = string | number | boolean | null | readonly MetaValue[] | MetaObject;
export interface MetaObject {
  readonly [key: string]: MetaValue;
}

export interface MetaSection extends Span {
  readonly values: MetaObject;
  /** Where each key stands. */
  readonly keys: ReadonlyMap<string, number>;
}

export interface Declaration extends Span {
  readonly kind: "declaration";
  readonly type: Type;
  readonly name: string;
  readonly value?: Expression;
}

export interface Attribute extends Span {
  readonly name: string;
  readonly value: Expression;
}

export interface Call extends Span {
  readonly kind: "call";
  /** `["namespace", "task"]` or `["task"]`. */
  readonly target: readonly string[];
  readonly name: string;
  readonly after: readonly string[];
  readonly inputs: readonly Attribute[];
  /** `call?` of WDL development: its outputs are optional. */
  readonly tolerant: boolean;
}

export interface Scatter extends Span {
  readonly kind: "scatter";
  readonly variable: string;
  readonly over: Expression;
  readonly body: readonly WorkflowElement[];
}

export interface Conditional extends Span {
  readonly kind: "if";
  readonly condition: Expression;
  readonly body: readonly WorkflowElement[];
}

export type WorkflowElement = Declaration | Call | Scatter | Conditional;

export interface Task extends Span {
  readonly kind: "task";
  readonly name: string;
  /** Absent when there is no `input` section: then every declaration is an input (draft-2, and miniwdl for all versions). */
  readonly inputs?: readonly Declaration[];
  readonly declarations: readonly Declaration[];
  readonly outputs: readonly Declaration[];
  readonly command?: StringExpression;
  /** `runtime` and `requirements`, the last of one name last. */
  readonly runtime: readonly Attribute[];
  readonly meta?: MetaSection;
  readonly parameterMeta?: MetaSection;
}

export interface Workflow extends Span {
  readonly kind: "workflow";
  readonly name: string;
  readonly inputs?: readonly Declaration[];
  readonly body: readonly WorkflowElement[];
  readonly outputs?: readonly Declaration[];
  /** draft-2's bare outputs: `["call", "out"]` or `["call", "*"]`. */
  readonly outputNames: readonly (Span & { readonly path: readonly string[] })[];
  readonly meta?: MetaSection;
  readonly parameterMeta?: MetaSection;
}

export interface Struct extends Span {
  readonly kind: "struct";
  readonly name: string;
  readonly members: readonly Declaration[];
}

export interface Import extends Span {
  readonly uri: string;
  readonly namespace: string;
  readonly aliases: readonly { readonly from: string; readonly to: string }[];
}

/** Something wrong in one document, before it is turned into a diagnostic. */
export interface Finding extends Span {
  readonly rule: string;
  readonly message: string;
}

/** One parsed file. Never fails: what could not be read is in `findings`, the rest is there. */
export interface DocumentSyntax {
  readonly source: Source;
  /** As the file writes it; absent without a version line (draft-2). */
  readonly version?: string;
  readonly imports: readonly Import[];
  readonly structs: readonly Struct[];
  readonly tasks: readonly Task[];
  readonly workflows: readonly Workflow[];
  readonly findings: readonly Finding[];
  /** True when a part could not be read: checks that need the whole are left out. */
  readonly broken: boolean;
}
