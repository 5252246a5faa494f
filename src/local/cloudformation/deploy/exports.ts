import { validationError } from "../engine/errors.ts";
import { importsOf } from "../engine/imports.ts";
import { evaluateOutputs, type Output } from "../engine/outputs.ts";
import type { Prepared } from "../engine/prepare.ts";
import { UNKNOWN } from "../engine/values.ts";
import type { Store } from "../store.ts";
import type { StackRecord } from "./records.ts";
import { liveScope, type Run } from "./run.ts";

/**
 * The outputs of a stack whose resources are all there.
 * @throws AwsError ValidationError where one can't be evaluated
 */
export function outputsOf(run: Run, prepared: Prepared): readonly Output[] {
  return evaluateOutputs(prepared.instance, liveScope(run, prepared)).map(({ value, ...output }) => {
    if (value === UNKNOWN) throw new Error(`output ${output.key} is unknown although every resource is there`);
    return { ...output, value };
  });
}

/**
 * Puts a stack's exports in the place of those it had.
 * @throws AwsError ValidationError where a name is another stack's, or one that others import would vanish or change
 */
export function exportOutputs(store: Store, stack: StackRecord, outputs: readonly Output[]): void {
  const next = new Map(outputs.flatMap((output) => (output.exportName === undefined ? [] : [[output.exportName, output.value] as const])));
  for (const name of next.keys()) {
    const owner = store.exports.get(stack, name)?.stackId;
    if (owner !== undefined && owner !== stack.id)
      throw validationError(`Export with name ${name} is already exported by stack ${stackName(store, owner)}.`);
  }
  for (const { name, value } of exportsBy(store, stack)) {
    if (next.get(name) === value) continue;
    const verb = next.has(name) ? "updated" : "deleted";
    checkUnused(store, stack, { name, verb });
    if (verb === "deleted") store.exports.delete(stack, name);
  }
  for (const [name, value] of next) store.exports.put(stack, { name, value, stackId: stack.id });
}

/** @throws AwsError ValidationError where another stack imports something this one exports */
export function checkExportsUnused(store: Store, stack: StackRecord): void {
  for (const { name } of exportsBy(store, stack)) checkUnused(store, stack, { name, verb: "deleted" });
}

/** Forgets the exports and imports of a stack that is gone. */
export function forgetNames(store: Store, stack: StackRecord): void {
  for (const { name } of exportsBy(store, stack)) store.exports.delete(stack, name);
  for (const name of store.imports.by(stack, stack.id)) store.imports.delete(stack, name, stack.id);
}

const exportsBy = (store: Store, stack: StackRecord) => store.exports.list(stack).filter(({ stackId }) => stackId === stack.id);

const stackName = (store: Store, stackId: string): string => store.stacks.get(stackId)?.name ?? stackId;

function checkUnused(
  store: Store,
  stack: StackRecord,
  { name, verb }: { readonly name: string; readonly verb: "deleted" | "updated" },
): void {
  const importers = store.imports
    .of(stack, name)
    .filter((id) => id !== stack.id)
    .map((id) => stackName(store, id));
  if (importers.length > 0) throw validationError(`Export ${name} cannot be ${verb} as it is in use by ${importers.join(" and ")}`);
}

/** Registers which exports a deployment imports; with `isFinal`, forgets those that only earlier deployments did. */
export function registerImports(
  store: Store,
  stack: StackRecord,
  { prepared, isFinal }: { readonly prepared: Prepared; readonly isFinal: boolean },
): void {
  const used = importsOf(prepared);
  for (const name of used) store.imports.put(stack, name, stack.id);
  if (!isFinal) return;
  for (const name of store.imports.by(stack, stack.id)) if (!used.has(name)) store.imports.delete(stack, name, stack.id);
}
