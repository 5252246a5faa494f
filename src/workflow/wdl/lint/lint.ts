/** What a document that HealthOmics accepts would do there otherwise than it says. */
import type { Declaration, Finding, Scatter, Span, Task, Workflow, WorkflowElement } from "../ast.ts";
import { callsIn, missingInput, resolveCall } from "../calls.ts";
import type { Document } from "../document.ts";
import { imageAttribute } from "../images.ts";
import { inputsOf } from "../interface.ts";
import { plainText } from "../literals.ts";
import { isKnownVersion } from "../version.ts";
import { hasFallbackOrder, lintFallbackOrder } from "./fallback-order.ts";
import { lintFileDefaults, lintOutput } from "./files.ts";
import { lintNetwork } from "./network.ts";
import { lintResources } from "./resources.ts";

const LINTED = new WeakMap<Document, readonly Finding[]>();

/** The findings of one document, without those of its imports. */
export function lintDocument(document: Document): readonly Finding[] {
  const known = LINTED.get(document);
  if (known) return known;
  const { broken, tasks, workflows } = document.syntax;
  // What a broken document seems to lack may stand in the part that could not be read.
  const units = broken
    ? []
    : [...tasks.flatMap((task) => lintTask(document, task)), ...workflows.flatMap((workflow) => lintWorkflow(document, workflow))];
  const findings = [...lintVersion(document), ...units];
  LINTED.set(document, findings);
  return findings;
}

const found = (rule: string, message: string, { start, end }: Span): Finding => ({ rule, message, start, end });

const SUPPORTED = new Set(["1.0", "1.1", "development"]);

function lintVersion({ syntax }: Document): readonly Finding[] {
  const at = { start: 0, end: 0 };
  const { version } = syntax;
  if (version === undefined)
    return syntax.source.text.trim() === "" ? [] : [found("wdl-missing-version", "no version line: this is read as draft-2", at)];
  if (SUPPORTED.has(version)) return [];
  if (!isKnownVersion(version))
    return [
      found("wdl-unknown-version", `"${version}" is not a version of WDL that HealthOmics can read: write 1.0, 1.1 or development`, at),
    ];
  return [found("wdl-unsupported-version", `"${version}" is not among the versions that HealthOmics supports (1.0, 1.1, development)`, at)];
}

function lintTask(document: Document, task: Task): readonly Finding[] {
  const start = { start: task.start, end: task.start + 4 };
  return [
    ...lintResources(document, task),
    ...lintFallbackOrder(task),
    ...(imageAttribute(task) ? [] : [found("wdl-no-container", `task ${task.name} names no container`, start)]),
    ...task.outputs.flatMap(lintOutput),
    ...lintFileDefaults(task),
    ...lintNetwork(document, task),
    ...lintThreads(document, task),
  ];
}

const THREADS = /^(?:n_?|num_?)?(?:threads|cpus?|cores)$/i;

function lintThreads({ syntax }: Document, task: Task): readonly Finding[] {
  const cpu = task.runtime.find(({ name }) => name === "cpu");
  const threads = inputsOf(task).find((input) => input.type.kind === "Int" && THREADS.test(input.name));
  if (!cpu || !threads || (cpu.value.kind !== "int" && cpu.value.kind !== "float")) return [];
  const written = syntax.source.text.slice(cpu.value.start, cpu.value.end);
  return [found("wdl-threads-cpu", `cpu is ${written}, whatever ${threads.name} is`, cpu)];
}

function lintWorkflow(document: Document, workflow: Workflow): readonly Finding[] {
  return [
    ...lintInputs(workflow),
    ...lintFileDefaults(workflow),
    ...lintNestedInputs(workflow),
    ...lintCalls(document, workflow),
    ...scattersIn(workflow.body).flatMap((scatter) => lintScatter(document, workflow, scatter)),
  ];
}

const FOLDER = /(?:^|_)(?:dir|directory|folder)$/i;
/** Folders that a command makes: nothing has to be copied there. */
const MADE = /^(?:out|output|result|res|tmp|temp|work|working|scratch|log|publish|dest|destination|target)s?_/i;

function lintInputs(workflow: Workflow): readonly Finding[] {
  const inputs = inputsOf(workflow);
  const at = { start: workflow.start, end: workflow.start + 8 };
  if (inputs.length === 0) return [found("wdl-no-inputs", `workflow ${workflow.name} has no inputs`, at)];
  return inputs.flatMap(lintInput);
}

function lintInput({ name, type, value, ...at }: Declaration): readonly Finding[] {
  if (type.kind !== "String") return [];
  const text = value?.kind === "string" ? plainText(value.parts) : undefined;
  if (text?.startsWith("s3://"))
    return [found("wdl-string-directory", `"${name}" is a String with an address in S3: nothing is copied`, at)];
  return FOLDER.test(name) && !MADE.test(name)
    ? [found("wdl-string-directory", `"${name}" is a String: a folder it names is not copied`, at)]
    : [];
}

const NESTED = ["allowNestedInputs", "allow_nested_inputs"] as const;

function lintNestedInputs({ meta }: Workflow): readonly Finding[] {
  const key = NESTED.find((name) => meta && Object.hasOwn(meta.values, name) && meta.values[name] === true);
  if (!meta || key === undefined) return [];
  const start = meta.keys.get(key) ?? meta.start;
  return [
    found("wdl-nested-inputs", `${key}: only the workflow's own inputs are in the template that is made of it`, { start, end: start }),
  ];
}

function lintCalls(document: Document, workflow: Workflow): readonly Finding[] {
  return callsIn(workflow.body).flatMap((call) => {
    const missing = missingInput(document, call);
    return missing === undefined ? [] : [found("wdl-incomplete-call", `call ${call.name} lacks "${missing}"`, call)];
  });
}

const scattersIn = (body: readonly WorkflowElement[]): readonly Scatter[] =>
  body.flatMap((element) => {
    if (element.kind === "scatter") return [element, ...scattersIn(element.body)];
    return element.kind === "if" ? scattersIn(element.body) : [];
  });

function lintScatter(document: Document, workflow: Workflow, scatter: Scatter): readonly Finding[] {
  const calls = callsIn(scatter.body);
  const at = { start: scatter.start, end: scatter.start + 7 };
  const fallback = calls.find((call) => {
    const unit = resolveCall(document, call)?.unit;
    return unit?.kind === "task" && hasFallbackOrder(unit);
  });
  return [
    ...(fallback
      ? [found("wdl-fallback-order", `call ${fallback.name}: omicsResourceFallbackOrder does not work in a scatter`, fallback)]
      : []),
    ...(calls.length > 0 && isUnbounded(workflow, scatter)
      ? [found("wdl-unbounded-scatter", "as many tasks as the input has items", at)]
      : []),
  ];
}

/** Over an input as it comes: nothing in the workflow limits the number of items. */
function isUnbounded(workflow: Workflow, { over }: Scatter): boolean {
  const inner = over.kind === "apply" && over.name === "range" ? over.arguments[0] : over;
  const counted = inner?.kind === "apply" && inner.name === "length" ? inner.arguments[0] : inner;
  return counted?.kind === "name" && inputsOf(workflow).some((input) => input.name === counted.name && !input.value);
}
