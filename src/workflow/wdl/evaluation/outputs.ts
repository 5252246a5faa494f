/** What a called workflow or task hands on. */
import { coerce } from "./text.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame, Instance } from "./frames.ts";
import type { Names } from "./names.ts";
import { traced, unknown, type Value } from "./values.ts";

/** The output of the workflow or task that `frame` is the main frame of. */
export function outputValue(frame: Frame, name: string): Value {
  const { unit, document } = frame.instance;
  const output = unit.outputs?.find((each) => each.name === name);
  if (!output?.value) return unknown(`?output ${name}`);
  const outputs: Names = { ...frame, valueOf: (other) => frame.valueOf(other) ?? siblingOutput(frame, other, name) };
  const value = evaluate(output.value, outputs);
  const handed =
    unit.kind === "workflow"
      ? traced(value, { how: "member" })
      : traced(producedBy(frame.instance, value, output.type.kind), { how: "variable" });
  return coerce(handed, document.typeOf(output));
}

/** What a task writes, and what only its run can tell, is decided by what it is given. */
function producedBy(instance: Instance, value: Value, type: string): Value {
  const isWritten = type === "File" || type === "Directory" || (value.kind === "unknown" && value.inputs.length === 0);
  return isWritten ? traced(value, { inputs: instance.decidedBy?.() ?? [] }) : value;
}

/** An output may be computed from the outputs above it. */
function siblingOutput(frame: Frame, name: string, from: string): Value | undefined {
  const outputs = frame.instance.unit.outputs ?? [];
  const isAbove = outputs.findIndex((each) => each.name === name) < outputs.findIndex((each) => each.name === from);
  return isAbove && outputs.some((each) => each.name === name) ? outputValue(frame, name) : undefined;
}
