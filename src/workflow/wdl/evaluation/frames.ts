/**
 * Workflows and tasks as they are called: what their names mean in one call, with the arguments of that call.
 * Values are computed when asked for and once.
 */
import type { Call, Conditional, Declaration, Scatter, Task, Workflow, WorkflowElement } from "../ast.ts";
import { type Callee, resolveCall } from "../calls.ts";
import type { Document } from "../document.ts";
import { inputsOf } from "../interface.ts";
import { evaluate } from "./evaluate.ts";
import type { Names } from "./names.ts";
import { outputValue } from "./outputs.ts";
import type { Session } from "./session.ts";
import { coerce } from "./text.ts";
import { type Assumption, assume, branch, each, list, nothing, settled, traced, union, unknown, type Value } from "./values.ts";

/** One call of a workflow or task, or the main one. */
export interface Instance {
  readonly document: Document;
  readonly unit: Workflow | Task;
  readonly session: Session;
  /** How its unset inputs are named: "" for the main workflow, `call.` for a call in it. */
  readonly prefix: string;
  /** What holds where the call stands: the undecided conditions around it. */
  readonly given: readonly Assumption[];
  /** The values that the caller gives; absent for the main workflow. */
  argument?(name: string): Value | undefined;
  /** The inputs that decide what the caller gives; absent for the main workflow. */
  decidedBy?(): readonly string[];
}

/** The body of an instance, or of a scatter or conditional section in it. */
export interface Frame extends Names {
  readonly instance: Instance;
  readonly parent?: Frame;
  readonly section?: Section;
  readonly variable?: Value;
  /** What holds in this body: the undecided conditions around it. */
  readonly given: readonly Assumption[];
  readonly memo: Map<string, Value>;
  readonly bodies: Map<Section, readonly Frame[]>;
  readonly callees: Map<Call, Instance | undefined>;
}

type Section = Scatter | Conditional;

interface Entry {
  readonly element: Declaration | Call;
  readonly isInput: boolean;
  /** The sections around it, outermost first. */
  readonly sections: readonly Section[];
}

type NameTable = ReadonlyMap<string, Entry>;
const TABLES = new WeakMap<Workflow | Task, NameTable>();

/** Items of a scatter that are followed one by one. */
const MAX_ITEMS = 32;

export function frameOf(instance: Instance): Frame {
  return makeFrame({ instance, given: instance.given });
}

type FrameParts = Pick<Frame, "instance" | "parent" | "section" | "variable" | "given">;

function makeFrame(parts: FrameParts): Frame {
  const frame: Frame = {
    ...parts,
    source: parts.instance.document.syntax.source,
    session: parts.instance.session,
    memo: new Map(),
    bodies: new Map(),
    callees: new Map(),
    valueOf: (name) => valueOf(frame, name),
    outputOf: (call, path) => outputOf(frame, call, path),
  };
  return frame;
}

function tableOf(unit: Workflow | Task): NameTable {
  const known = TABLES.get(unit);
  if (known) return known;
  const table = new Map<string, Entry>();
  const add = (elements: readonly WorkflowElement[], sections: readonly Section[], isInput: boolean): void => {
    for (const element of elements) {
      if (element.kind === "scatter" || element.kind === "if") add(element.body, [...sections, element], false);
      else if (!table.has(element.name)) table.set(element.name, { element, sections, isInput });
    }
  };
  add(inputsOf(unit), [], true);
  add(unit.kind === "task" ? unit.declarations : unit.body, [], false);
  TABLES.set(unit, table);
  return table;
}

function valueOf(frame: Frame, name: string): Value | undefined {
  for (let at: Frame | undefined = frame; at; at = at.parent) {
    if (at.section?.kind === "scatter" && at.section.variable === name) return at.variable;
  }
  const entry = tableOf(frame.instance.unit).get(name);
  if (entry?.element.kind !== "declaration") return undefined;
  const { element, isInput } = entry;
  return gather(frame, entry, { key: name, read: (inner) => (isInput ? inputValue(inner, element) : declaredValue(inner, element)) });
}

function declaredValue(frame: Frame, { value, name, type }: Declaration): Value {
  if (value) return traced(evaluate(value, frame), { how: "variable" });
  return type.optional ? nothing() : unknown(`?${name}`);
}

function inputValue(frame: Frame, input: Declaration): Value {
  const { instance } = frame;
  const given = instance.argument?.(input.name);
  if (given === undefined) return unsetValue(frame, input, []);
  return each(given, (single) => {
    // WDL's rule: null for an input that is not optional and has a default means the default.
    if (single.kind === "null" && !input.type.optional && input.value) return unsetValue(frame, input, single.inputs);
    return traced(single, input.value || single.how === "literal" ? { how: "override" } : {});
  });
}

function unsetValue(frame: Frame, input: Declaration, inputs: readonly string[]): Value {
  const name = frame.instance.prefix + input.name;
  const isMain = frame.instance.prefix === "";
  if (input.value) {
    const value = traced(evaluate(input.value, frame), { how: "default" });
    return isMain ? traced(nearest(value, name), {}) : traced(value, { inputs });
  }
  return input.type.optional ? nothing([name]) : { ...unknown(`input:${name}`, [name], true), pattern: `~{${name}}` };
}

/** The value with `input` as the first that would change it. */
function nearest(value: Value, input: string): Value {
  const first = (inputs: readonly string[]): readonly string[] => [input, ...inputs.filter((other) => other !== input)];
  if (value.kind !== "choice") return { ...value, inputs: first(value.inputs) };
  return {
    ...value,
    inputs: first(value.inputs),
    options: value.options.map((o) => ({ ...o, value: { ...o.value, inputs: first(o.value.inputs) } })),
  };
}

interface Wanted {
  /** Under which it is remembered: `x`, or `call.out`. */
  readonly key: string;
  read(inner: Frame): Value;
}

/**
 * What `read` gives in the frame where the entry stands. Seen from outside its sections
 * that is an array (scatter), or null where the condition does not hold.
 */
function gather(frame: Frame, entry: Entry, wanted: Wanted): Value {
  let home = frame;
  while (!encloses(home, entry.sections) && home.parent) home = home.parent;
  return gatherFrom(home, entry.sections.slice(depthOf(home)), wanted);
}

function gatherFrom(home: Frame, sections: readonly Section[], wanted: Wanted): Value {
  const { key, read } = wanted;
  const known = home.memo.get(key);
  if (known) return known;
  // Met again while it is computed, it depends on itself.
  home.memo.set(key, unknown(`circular ${key}`));
  const [section, ...inner] = sections;
  const value = section ? gatherSection(home, section, (body) => gatherFrom(body, inner, wanted)) : read(home);
  const element = section ? undefined : tableOf(home.instance.unit).get(key)?.element;
  const typed = element?.kind === "declaration" ? coerce(value, home.instance.document.typeOf(element)) : value;
  home.memo.set(key, typed);
  return typed;
}

function gatherSection(home: Frame, section: Section, read: (body: Frame) => Value): Value {
  const [first, ...more] = bodiesOf(home, section);
  if (section.kind === "if") return first ? gatherIf(home, section, () => read(first)) : nothing();
  const over = settled(evaluate(section.over, home));
  if (over.kind === "list" && over.items.length === more.length + 1 && first) return list([first, ...more].map(read), over);
  return over.kind === "list" && over.items.length === 0
    ? list([], over)
    : unknown(`scatter@${section.start}`, over.kind === "unknown" ? over.inputs : []);
}

function gatherIf(home: Frame, section: Conditional, read: () => Value): Value {
  return each(evaluate(section.condition, home), (decided) => {
    if (decided.kind === "boolean") return decided.value ? traced(read(), decided) : nothing(decided.inputs);
    if (decided.kind !== "unknown") return nothing();
    return branch(decided, conditionText(home, section), { whenTrue: read(), whenFalse: nothing(decided.inputs) });
  });
}

const conditionText = (frame: Frame, { condition: { start, end } }: Conditional): string =>
  frame.source.text.slice(start, end).replace(/\s+/g, " ");

/** The frames in which a section's body runs: one for a conditional, one for each known item of a scatter. */
export function bodiesOf(frame: Frame, section: Section): readonly Frame[] {
  const known = frame.bodies.get(section);
  if (known) return known;
  const { instance, given } = frame;
  const bodies =
    section.kind === "if"
      ? [makeFrame({ instance, parent: frame, section, given: [...given, ...assumedIn(frame, section)] })]
      : itemsOf(frame, section).map((variable) => makeFrame({ instance, parent: frame, section, variable, given }));
  frame.bodies.set(section, bodies);
  return bodies;
}

function assumedIn(frame: Frame, section: Conditional): readonly Assumption[] {
  const condition = evaluate(section.condition, frame);
  return condition.kind === "unknown" ? [assume(condition, true, conditionText(frame, section))] : [];
}

function itemsOf(frame: Frame, section: Scatter): readonly Value[] {
  const over = settled(evaluate(section.over, frame));
  if (over.kind === "list" && over.items.length > 0 && over.items.length <= MAX_ITEMS) return over.items.map((item) => traced(item, over));
  const symbol = `item@${section.start}`;
  return [over.kind === "unknown" ? unknown(`${symbol}:${over.symbol}`, over.inputs) : unknown(symbol, over.inputs)];
}

const depthOf = (frame: Frame): number => (frame.parent ? depthOf(frame.parent) + 1 : 0);

/** Whether the frame's own sections are the outermost ones of `sections`. */
function encloses(frame: Frame, sections: readonly Section[]): boolean {
  let depth = depthOf(frame);
  for (let at: Frame | undefined = frame; at?.section; at = at.parent) if (sections[--depth] !== at.section) return false;
  return true;
}

function outputOf(frame: Frame, name: string, path: readonly string[]): { value: Value; used: number } | undefined {
  const entry = tableOf(frame.instance.unit).get(name);
  if (entry?.element.kind !== "call") return undefined;
  const call = entry.element;
  const output = path[0] ?? "";
  // draft-2: a workflow without declared outputs hands on those of its calls, `sub.call.out`.
  const nested = path[1];
  const isNested = nested !== undefined && isUndeclared(frame, call, output);
  const key = isNested ? `${name}.${output}.${nested}` : `${name}.${output}`;
  const read = (inner: Frame): Value => {
    const callee = calleeOf(inner, call);
    if (!callee) return unknown(`?${key}`);
    return isNested ? (mainFrame(callee).outputOf(output, [nested])?.value ?? unknown(`?${key}`)) : outputValue(mainFrame(callee), output);
  };
  const value = gather(frame, entry, { key, read });
  return { value, used: isNested ? 2 : 1 };
}

function isUndeclared(frame: Frame, call: Call, output: string): boolean {
  const unit = resolveCall(frame.instance.document, call)?.unit;
  return unit?.kind === "workflow" && !unit.outputs?.some((each) => each.name === output);
}

const FRAMES = new WeakMap<Instance, Frame>();

/** The one frame in which all of an instance's names are looked up. */
export function mainFrame(instance: Instance): Frame {
  const frame = FRAMES.get(instance) ?? frameOf(instance);
  FRAMES.set(instance, frame);
  return frame;
}

/** The workflow or task that a call runs, with the call's arguments; undefined when there is none of its name. */
export function calleeOf(frame: Frame, call: Call): Instance | undefined {
  if (frame.callees.has(call)) return frame.callees.get(call);
  const callee = resolveCall(frame.instance.document, call);
  const instance = callee && instantiate(frame, call, callee);
  frame.callees.set(call, instance);
  return instance;
}

function instantiate(frame: Frame, call: Call, callee: Callee): Instance {
  const values = new Map<string, Value>();
  const expressions = new Map(call.inputs.map((input) => [input.name, input.value]));
  const argument = (name: string): Value | undefined => {
    const expression = expressions.get(name);
    const value = values.get(name) ?? (expression && evaluate(expression, frame));
    if (value) values.set(name, value);
    return value;
  };
  return {
    document: callee.document,
    unit: callee.unit,
    session: frame.session,
    prefix: `${frame.instance.prefix}${call.name}.`,
    given: frame.given,
    argument,
    decidedBy: () => [...expressions.keys()].reduce<readonly string[]>((all, name) => union(all, argument(name)?.inputs ?? []), []),
  };
}
