import { differences } from "../engine/differences.ts";
import { validationError } from "../engine/errors.ts";
import type { InstanceResource } from "../engine/instance.ts";
import { evaluateValue } from "../engine/intrinsics/evaluate.ts";
import { policyOf } from "../engine/policies.ts";
import type { Prepared } from "../engine/prepare.ts";
import { conformProperties } from "../engine/shapes.ts";
import { isSame, known, type Value } from "../engine/values.ts";
import type { Properties } from "../resource-provider.ts";
import type { StepPlace } from "../store.ts";
import { setResource } from "./journal.ts";
import { leftoverOf } from "./leftover.ts";
import type { ResourceRecord, Step } from "./records.ts";
import { liveScope, type Run } from "./run.ts";

/** One resource of the deployment that a stage works towards. */
export interface ResourceWork {
  readonly run: Run;
  readonly prepared: Prepared;
  readonly id: string;
  readonly declared: InstanceResource;
  readonly place: StepPlace;
}

/**
 * Decides what is to be done for a resource and journals it, all in one transaction.
 * @throws AwsError where its properties can't be evaluated or are not what its provider knows
 */
export function begin(work: ResourceWork): Step {
  const { run, place } = work;
  return run.store.transaction(() => {
    const record = place.stage === "RESTORE" ? takeBack(work) : usable(work);
    const properties = isSkipped(work) && record ? record.properties : desiredProperties(work);
    const action = isSkipped(work) && record ? "none" : actionOf(work, { record, properties });
    const previous = record?.attempted ?? record?.properties;
    const step: Step = { state: "started", action, properties, ...(action === "update" && previous && { previousProperties: previous }) };
    run.store.steps.put(place, step);
    announceStep(work, { record, step });
    return step;
  });
}

const isSkipped = ({ run, place, id }: ResourceWork): boolean => place.stage === "RESTORE" && run.operation().skip.includes(id);

/** The present resource; what a failed creation left is left over, for the creation is tried again. */
function usable({ run, id }: ResourceWork): ResourceRecord | undefined {
  const present = run.store.resources.get(run.stackId, id);
  if (present?.status !== "CREATE_FAILED") return present;
  if (present.physicalId !== undefined) run.store.leftovers.put(run.stackId, leftoverOf(present, present.physicalId, "Delete"));
  return undefined;
}

/** What was replaced becomes the resource again; what replaced it is left over. */
function takeBack({ run, id }: ResourceWork): ResourceRecord | undefined {
  const present = run.store.resources.get(run.stackId, id);
  const before = run.operation().before?.[id];
  if (!before || !present || present.physicalId === before.physicalId) return present;
  if (present.physicalId !== undefined) run.store.leftovers.put(run.stackId, leftoverOf(present, present.physicalId, "Delete"));
  if (before.physicalId !== undefined) run.store.leftovers.delete(run.stackId, { logicalId: id, physicalId: before.physicalId });
  const restored: ResourceRecord = { ...before, status: "UPDATE_IN_PROGRESS" };
  run.store.resources.put(run.stackId, restored);
  return restored;
}

function desiredProperties({ run, prepared, id, declared }: ResourceWork): Properties {
  const { properties, required } = run.providers.of(declared.Type);
  const evaluated = evaluateValue(declared.Properties ?? {}, liveScope(run, prepared));
  const { value, problems } = conformProperties(evaluated, properties, required);
  if (problems.length > 0) throw validationError(`Properties validation failed for resource ${id} with message:\n[${problems.join(", ")}]`);
  return known(value) as Properties;
}

interface Comparison {
  readonly record: ResourceRecord | undefined;
  readonly properties: Properties;
}

function actionOf({ run }: ResourceWork, { record, properties }: Comparison): Step["action"] {
  if (record?.physicalId === undefined) return "create";
  const provider = run.providers.of(record.type);
  const found = differences({ before: record.properties, after: properties as Value, expression: {}, replaceOn: provider.replaceOn });
  if (found.some(({ requiresRecreation }) => requiresRecreation === "Always")) return "replace";
  const hasNewTags = "Tags" in provider.properties && !isSame(record.tags, run.operation().tags);
  return found.length > 0 || hasNewTags || record.attempted !== undefined ? "update" : "none";
}

const REPLACING = "Requested update requires the creation of a new physical resource; hence creating one.";

function announceStep(work: ResourceWork, { record, step }: { readonly record: ResourceRecord | undefined; readonly step: Step }): void {
  const { run, id, declared } = work;
  const properties = step.properties ?? {};
  if (step.action === "create")
    return setResource(run, run.stack(), {
      record: { logicalId: id, type: declared.Type, status: "CREATE_IN_PROGRESS", properties, attributes: {}, ...declarationOf(work) },
    });
  if (!record || (step.action === "none" && isDeclaredSame(work, record))) return undefined;
  const { attempted: _, ...kept } = record;
  const isUpdate = step.action === "update";
  return setResource(run, run.stack(), {
    record: { ...kept, status: "UPDATE_IN_PROGRESS", ...(isUpdate && { attempted: properties }) },
    properties,
    ...(step.action === "replace" && { reason: REPLACING }),
  });
}

/** Journals that an update turned out to need a new resource. */
export function turnIntoReplacement({ run, id, place }: ResourceWork, step: Step): Step {
  const replacement: Step = { state: "started", action: "replace", ...(step.properties && { properties: step.properties }) };
  run.store.transaction(() => {
    run.store.steps.put(place, replacement);
    const record = run.store.resources.get(run.stackId, id);
    if (!record) return;
    const { attempted: _, ...kept } = record;
    setResource(run, run.stack(), {
      record: { ...kept, status: "UPDATE_IN_PROGRESS" },
      reason: REPLACING,
      ...(step.properties && { properties: step.properties }),
    });
  });
  return replacement;
}

/** The parts of a record that come from the template's declaration and the stack. */
export function declarationOf({ run, id, declared }: ResourceWork) {
  return {
    deletionPolicy: policyOf(declared.DeletionPolicy, id, "DeletionPolicy"),
    updateReplacePolicy: policyOf(declared.UpdateReplacePolicy, id, "UpdateReplacePolicy"),
    dependsOn: declared.dependsOn,
    tags: run.operation().tags,
    ...(declared.Metadata !== undefined && { metadata: declared.Metadata }),
  };
}

/** Whether nothing of the declaration changed that is told of as a change. */
export function isDeclaredSame(work: ResourceWork, record: ResourceRecord): boolean {
  const { deletionPolicy, updateReplacePolicy, metadata } = declarationOf(work);
  return (
    record.deletionPolicy === deletionPolicy &&
    record.updateReplacePolicy === updateReplacePolicy &&
    isSame(record.metadata, metadata) &&
    record.status.endsWith("COMPLETE")
  );
}
