/** Calls, and what they call. */
import type { Call, Task, Workflow, WorkflowElement } from "./ast.ts";
import type { Document } from "./document.ts";
import { inputsOf } from "./interface.ts";

export interface Callee {
  readonly document: Document;
  readonly unit: Workflow | Task;
}

/** The workflow or task that a call names: here, or in the import of its namespace. */
export function resolveCall(document: Document, call: Call): Callee | undefined {
  const [first = "", second] = call.target;
  const home = second === undefined ? document : document.imports.find((each) => each.syntax.namespace === first)?.document;
  if (!home || call.target.length > 2) return undefined;
  const name = second ?? first;
  const isWorkflow = home.workflow?.name === name && home !== document;
  const unit = isWorkflow ? home.workflow : home.tasks.get(name);
  return unit && { document: home, unit };
}

/** The calls in a body and in its sections, in order. */
export function callsIn(body: readonly WorkflowElement[]): readonly Call[] {
  return body.flatMap((element) => {
    if (element.kind === "call") return [element];
    return element.kind === "declaration" ? [] : callsIn(element.body);
  });
}

/** The first required input that a call does not give. */
export function missingInput(document: Document, call: Call): string | undefined {
  const callee = resolveCall(document, call);
  if (!callee) return undefined;
  const given = new Set(call.inputs.map((input) => input.name));
  return inputsOf(callee.unit).find((input) => !input.value && !input.type.optional && !given.has(input.name))?.name;
}
