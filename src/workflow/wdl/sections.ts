/** Tasks, workflows and what stands in them. */
import type { Attribute, Call, Declaration, MetaSection, Span, StringExpression, Task, Workflow, WorkflowElement } from "./ast.ts";
import type { Cursor, Token } from "./cursor.ts";
import { parseAttributes, parseDeclaration, parseMeta, refuseKeyword, skipSection } from "./declarations.ts";
import { parseExpression } from "./expressions.ts";
import { recovering, type Recovery } from "./recovery.ts";
import { parseCommand } from "./strings.ts";
import { DRAFT_2, V1_1, V1_2 } from "./version.ts";

interface TaskParts {
  inputs?: Declaration[];
  declarations: Declaration[];
  outputs: Declaration[];
  command?: StringExpression;
  runtime: Attribute[];
  meta?: MetaSection;
  parameterMeta?: MetaSection;
}

/** A task, after the keyword. What was read before a failure is kept. */
export function parseTask(cursor: Cursor, recovery: Recovery, start: number): Task {
  const name = cursor.name("the task's name");
  refuseKeyword(cursor, name);
  cursor.expect("{", `after "task ${name.text}"`);
  const parts: TaskParts = { declarations: [], outputs: [], runtime: [] };
  parseBody(cursor, recovery, () => parseTaskPart(cursor, recovery, parts));
  if (!parts.command && !recovery.broken) cursor.note(`task ${name.text} has no command`, name);
  return { kind: "task", name: name.text, ...parts, start, end: cursor.previousEnd };
}

function parseTaskPart(cursor: Cursor, recovery: Recovery, parts: TaskParts): void {
  const token = cursor.peek();
  switch (sectionAt(cursor, token)) {
    case "input":
      parts.inputs = once(cursor, token, parts.inputs);
      parseDeclarations(cursor, recovery, parts.inputs);
      return;
    case "output":
      parseDeclarations(cursor, recovery, parts.outputs);
      return;
    case "command":
      if (parts.command) cursor.note("a task has one command", token);
      parts.command = parseCommand(cursor, parseExpression);
      return;
    case "runtime":
    case "requirements":
      parts.runtime.push(...parseAttributes(cursor));
      return;
    default:
      if (parseSharedSection(cursor, token, parts)) return;
      parts.declarations.push(parsePossiblyEnv(cursor));
  }
}

/** The section that begins here, its keyword taken; undefined for a declaration (`Int input = 1` begins with a type). */
function sectionAt(cursor: Cursor, token: Token): string | undefined {
  if (!SECTIONS.has(token.text) || token.kind !== "name") return undefined;
  cursor.next();
  if (cursor.is("{") || (token.text === "command" && cursor.is("<<<"))) return token.text;
  cursor.seek(token.start);
  return undefined;
}

const SECTIONS: ReadonlySet<string> = new Set(["input", "output", "command", "runtime", "requirements", "hints", "meta", "parameter_meta"]);

function parseSharedSection(cursor: Cursor, token: Token, parts: { meta?: MetaSection; parameterMeta?: MetaSection }): boolean {
  if (!cursor.is("{") || !SECTIONS.has(token.text)) return false;
  if (token.text === "meta") parts.meta = parseMeta(cursor);
  else if (token.text === "parameter_meta") parts.parameterMeta = parseMeta(cursor);
  else skipSection(cursor);
  return true;
}

/** The list a section fills; a second section of the kind is noted and goes on filling the first one's. */
function once<T>(cursor: Cursor, at: Span, before: T[] | undefined): T[] {
  if (before) cursor.note("this section is there twice", at);
  return before ?? [];
}

/** `{ Type name … }`: an `input` or `output` section, after its keyword. */
function parseDeclarations(cursor: Cursor, recovery: Recovery, into: Declaration[]): void {
  cursor.expect("{", "to open the section");
  parseBody(cursor, recovery, () => {
    into.push(parsePossiblyEnv(cursor));
  });
}

/** WDL 1.2 may mark a task's declaration `env`: the command sees it as an environment variable. */
function parsePossiblyEnv(cursor: Cursor): Declaration {
  if (cursor.rank >= V1_2) cursor.accept("env");
  return parseDeclaration(cursor);
}

interface WorkflowParts {
  inputs?: Declaration[];
  outputs?: Declaration[];
  body: WorkflowElement[];
  outputNames: (Span & { readonly path: readonly string[] })[];
  meta?: MetaSection;
  parameterMeta?: MetaSection;
}

/** A workflow, after the keyword. What was read before a failure is kept. */
export function parseWorkflow(cursor: Cursor, recovery: Recovery, start: number): Workflow {
  const name = cursor.name("the workflow's name");
  refuseKeyword(cursor, name);
  cursor.expect("{", `after "workflow ${name.text}"`);
  const parts: WorkflowParts = { body: [], outputNames: [] };
  parseBody(cursor, recovery, () => parseWorkflowPart(cursor, recovery, parts));
  return { kind: "workflow", name: name.text, ...parts, start, end: cursor.previousEnd };
}

function parseWorkflowPart(cursor: Cursor, recovery: Recovery, parts: WorkflowParts): void {
  const token = cursor.peek();
  switch (sectionAt(cursor, token)) {
    case "input":
      parts.inputs = once(cursor, token, parts.inputs);
      parseDeclarations(cursor, recovery, parts.inputs);
      return;
    case "output":
      parts.outputs = once(cursor, token, parts.outputs);
      parseWorkflowOutputs(cursor, recovery, parts);
      return;
    default:
      if (parseSharedSection(cursor, token, parts)) return;
      parts.body.push(parseElement(cursor, recovery));
  }
}

/** draft-2 allows `call.out` and `call.*` beside declarations. */
function parseWorkflowOutputs(cursor: Cursor, recovery: Recovery, parts: WorkflowParts): void {
  cursor.expect("{", "to open the section");
  parseBody(cursor, recovery, () => {
    const token = cursor.peek();
    const path = cursor.rank === DRAFT_2 ? takeOutputName(cursor) : undefined;
    if (path) parts.outputNames.push({ path, start: token.start, end: cursor.previousEnd });
    else parts.outputs?.push(parseDeclaration(cursor));
  });
}

function takeOutputName(cursor: Cursor): string[] | undefined {
  const first = cursor.name("an output");
  if (!cursor.is(".")) {
    const next = cursor.peek();
    const alone = !/^[A-Z]/.test(first.text) && (next.kind === "name" || next.text === "}");
    if (alone) return [first.text];
    cursor.seek(first.start);
    return undefined;
  }
  const path = [first.text];
  while (cursor.accept(".")) path.push(cursor.accept("*") ? "*" : cursor.name("the name of an output").text);
  return path;
}

function parseElement(cursor: Cursor, recovery: Recovery): WorkflowElement {
  const token = cursor.peek();
  if (token.text === "call") return parseCall(cursor);
  if (token.text === "scatter") return cursor.deeper(() => parseScatter(cursor, recovery));
  if (token.text === "if") return cursor.deeper(() => parseIf(cursor, recovery));
  return parseDeclaration(cursor);
}

function parseScatter(cursor: Cursor, recovery: Recovery): WorkflowElement {
  const { start } = cursor.next();
  cursor.expect("(", 'after "scatter"');
  const variable = cursor.name("the scatter variable");
  refuseKeyword(cursor, variable);
  cursor.expect("in", "after the scatter variable");
  const over = parseExpression(cursor);
  cursor.expect(")", "after the scatter's array");
  const body = parseElements(cursor, recovery);
  return { kind: "scatter", variable: variable.text, over, body, start, end: cursor.previousEnd };
}

function parseIf(cursor: Cursor, recovery: Recovery): WorkflowElement {
  const { start } = cursor.next();
  cursor.expect("(", 'after "if"');
  const condition = parseExpression(cursor);
  cursor.expect(")", "after the condition");
  const body = parseElements(cursor, recovery);
  return { kind: "if", condition, body, start, end: cursor.previousEnd };
}

function parseElements(cursor: Cursor, recovery: Recovery): WorkflowElement[] {
  cursor.expect("{", "to open the body");
  const body: WorkflowElement[] = [];
  parseBody(cursor, recovery, () => {
    body.push(parseElement(cursor, recovery));
  });
  return body;
}

/** Reads parts up to the closing brace, or to where a failure leaves the cursor at another task or workflow. */
function parseBody(cursor: Cursor, recovery: Recovery, read: () => void): void {
  while (!cursor.accept("}")) {
    if (recovery.broken && isDocumentPart(cursor)) return;
    if (cursor.peek().kind === "end") {
      if (!recovery.broken) cursor.note('the file ends before the closing "}"', cursor.peek());
      recovery.broken = true;
      return;
    }
    recovering(cursor, recovery, { outer: false, read });
  }
}

function isDocumentPart(cursor: Cursor): boolean {
  const { text } = cursor.peek();
  return text === "task" || text === "workflow" || text === "struct" || text === "import";
}

function parseCall(cursor: Cursor): Call {
  const { start } = cursor.next();
  const tolerant = cursor.accept("?");
  const target = [cursor.name("the name of a task or workflow").text];
  while (cursor.accept(".")) target.push(cursor.name("the name of a task or workflow").text);
  let name = target.at(-1) ?? "";
  if (cursor.accept("as")) {
    const alias = cursor.name("the call's name");
    refuseKeyword(cursor, alias);
    name = alias.text;
  }
  const after: string[] = [];
  while (cursor.accept("after")) after.push(cursor.name("the name of a call").text);
  const inputs = cursor.is("{") ? parseCallInputs(cursor) : [];
  return { kind: "call", target, name, after, inputs, tolerant, start, end: cursor.previousEnd };
}

function parseCallInputs(cursor: Cursor): Attribute[] {
  cursor.next();
  const hasKeyword = takeInputKeyword(cursor);
  if (!hasKeyword && cursor.rank < V1_2 && !cursor.is("}")) cursor.note('write "input:" before the inputs of a call', cursor.peek());
  const inputs = new Map<string, Attribute>();
  while (!cursor.is("}")) {
    const input = parseCallInput(cursor);
    if (inputs.has(input.name)) cursor.note(`the call gives the input "${input.name}" twice`, input);
    inputs.set(input.name, input);
    if (!cursor.accept(",")) break;
  }
  cursor.expect("}", "or a comma");
  return [...inputs.values()];
}

/** `name = value`, or from 1.1 on `name` alone for the value of that name. */
function parseCallInput(cursor: Cursor): Attribute {
  const { text: name, start, end } = cursor.name("the name of an input");
  if (cursor.accept("=")) {
    const value = parseExpression(cursor);
    return { name, value, start, end: value.end };
  }
  if (cursor.rank < V1_1) cursor.note(`give the input "${name}" a value, as in ${name} = ${name}`, { start, end });
  return { name, value: { kind: "name", name, start, end, height: 1 }, start, end };
}

/** `input:`, which 1.2 lets one leave out. */
function takeInputKeyword(cursor: Cursor): boolean {
  const token = cursor.peek();
  if (token.text !== "input") return false;
  cursor.next();
  if (cursor.accept(":")) return true;
  cursor.seek(token.start);
  return false;
}
