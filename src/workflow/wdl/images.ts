/** Every container image that the tasks of a document can use, found by following its calls. */
import type { ImageUse, UnresolvedImage } from "../inspection.ts";
import type { Attribute, Expression, Task, Workflow, WorkflowElement } from "./ast.ts";
import { callsIn } from "./calls.ts";
import type { Document } from "./document.ts";
import { entryOf } from "./interface.ts";
import { evaluate } from "./evaluation/evaluate.ts";
import { bodiesOf, calleeOf, type Frame, type Instance, mainFrame } from "./evaluation/frames.ts";
import { enterCall, isExhausted, newSession } from "./evaluation/session.ts";
import { type Assumption, isPossible, type SingleValue, type TextValue, type Value } from "./evaluation/values.ts";

export interface ImagesFound {
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
  /** False when the document asks for more work than any real one, and some calls were not followed. */
  readonly complete: boolean;
  /** The tasks and workflows that a run can come to; all that were seen where `complete` is false. */
  readonly reached: ReadonlySet<Task | Workflow>;
}

interface FoundImage {
  readonly use: ImageUse;
  /** The conditions under which it is used; empty when it is the default. */
  readonly conditions: Set<string>;
}

interface Collector {
  readonly reached: Set<Task | Workflow>;
  readonly images: Map<string, FoundImage>;
  readonly unresolved: Map<string, { readonly entry: UnresolvedImage; readonly patterns: Set<string> }>;
}

/** The images of all tasks that the main workflow reaches; without a workflow, of the document's tasks. */
export function imagesOf(document: Document): ImagesFound {
  const session = newSession();
  const collector: Collector = { reached: new Set(), images: new Map(), unresolved: new Map() };
  const entry = entryOf(document);
  for (const unit of entry ? [entry] : document.syntax.tasks) {
    const prefix = entry ? "" : `${unit.name}.`;
    visit({ document, unit, session, prefix, given: [] }, collector, []);
  }
  return {
    images: [...collector.images.values()].map(withCondition),
    unresolved: [...collector.unresolved.values()].map(({ entry, patterns }) =>
      patterns.size === 0 ? entry : { ...entry, patterns: [...patterns] },
    ),
    complete: !isExhausted(session),
    reached: collector.reached,
  };
}

function visit(instance: Instance, collector: Collector, callers: readonly Instance["unit"][]): void {
  if (!enterCall(instance.session) || callers.includes(instance.unit)) return;
  collector.reached.add(instance.unit);
  const frame = mainFrame(instance);
  if (instance.unit.kind === "task") collectTask(instance.unit, frame, collector);
  else visitElements(instance.unit.body, frame, (callee) => visit(callee, collector, [...callers, instance.unit]));
}

function visitElements(elements: readonly WorkflowElement[], frame: Frame, follow: (callee: Instance) => void): void {
  for (const element of elements) {
    if (isExhausted(frame.session)) return;
    if (element.kind === "declaration") continue;
    if (element.kind === "call") {
      const callee = calleeOf(frame, element);
      if (callee) follow(callee);
    } else if (callsIn(element.body).length > 0) for (const body of bodiesOf(frame, element)) visitElements(element.body, body, follow);
  }
}

/** The attribute that names the image. `container` wins over `docker`, as in miniwdl. */
export function imageAttribute(task: Task): Attribute | undefined {
  return task.runtime.findLast(({ name }) => name === "container") ?? task.runtime.findLast(({ name }) => name === "docker");
}

interface Site {
  readonly task: Task;
  readonly frame: Frame;
  readonly expression: Expression;
  readonly collector: Collector;
}

function collectTask(task: Task, frame: Frame, collector: Collector): void {
  const attribute = imageAttribute(task);
  if (!attribute) return;
  collect(evaluate(attribute.value, frame), { task, frame, expression: attribute.value, collector }, []);
}

function collect(value: Value, site: Site, when: readonly Assumption[]): void {
  if (value.kind === "choice") {
    const possible = value.options.filter((option) => isPossible(site.frame.given, option));
    const present = possible.filter((option) => option.value.kind !== "null");
    const taken = present.length > 0 ? present : possible;
    for (const option of taken) collect(option.value, site, taken.length > 1 ? [...when, ...option.when] : when);
  } else if (value.kind === "list" && value.items.length > 0) for (const item of value.items) collect(item, site, when);
  else if (value.kind === "text" && isImage(value.text)) addImage(value, site, when);
  else addUnresolved(value, site, when);
}

/** `*` (WDL 1.2: any image will do) and the empty text name no image, and a name has no spaces. */
const isImage = (text: string): boolean => /^[^\s*]+$/.test(text.trim());

function addImage(value: TextValue, site: Site, when: readonly Assumption[]): void {
  const image = value.text.trim();
  const condition = when.map((assumption) => assumption.text).join(" && ");
  const key = JSON.stringify([image, site.task.name, site.frame.source.file]);
  const found = site.collector.images.get(key);
  if (found) {
    if (condition === "") found.conditions.clear();
    else if (found.conditions.size > 0) found.conditions.add(condition);
    return;
  }
  const input = [...when.flatMap((assumption) => assumption.inputs), ...value.inputs].find((name) => !name.includes("."));
  const use = {
    image,
    task: site.task.name,
    ...placeOf(value, site),
    how: when.length > 0 ? ("ternary" as const) : value.how,
    ...(input !== undefined && { input }),
  };
  site.collector.images.set(key, { use, conditions: new Set(condition === "" ? [] : [condition]) });
}

function withCondition({ use, conditions }: FoundImage): ImageUse {
  const [first, ...more] = conditions;
  if (first === undefined) return use;
  return { ...use, condition: more.length === 0 ? first : [...conditions].map((each) => `(${each})`).join(" || ") };
}

function placeOf(value: TextValue, site: Site): { file: string; line: number } {
  const source = value.source.file === "" ? site.frame.source : value.source;
  const start = value.source.file === "" ? site.expression.start : value.start;
  return { file: source.file, line: source.position(start).line };
}

function addUnresolved(value: SingleValue, site: Site, when: readonly Assumption[]): void {
  if (value.kind === "text" && value.text.trim() === "*") return;
  const { source } = site.frame;
  const expression = source.text.slice(site.expression.start, site.expression.end).replace(/\s+/g, " ");
  const inputs = [...value.inputs, ...when.flatMap((assumption) => assumption.inputs)];
  const input = inputs.find((name) => !name.includes(".")) ?? inputs[0];
  const key = JSON.stringify([site.task.name, source.file, expression, input]);
  const line = source.position(site.expression.start).line;
  const entry = { expression, task: site.task.name, file: source.file, line, ...(input !== undefined && { input }) };
  const { patterns } = site.collector.unresolved.get(key) ?? { patterns: new Set() };
  // An input alone is no more than `input` says.
  const pattern = value.kind === "unknown" ? value.pattern : undefined;
  if (pattern !== undefined && pattern !== `~{${input}}` && patterns.size < MAX_PATTERNS) patterns.add(pattern);
  site.collector.unresolved.set(key, { entry, patterns });
}

const MAX_PATTERNS = 5;
