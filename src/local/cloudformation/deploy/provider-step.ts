import { generatedName, stepToken } from "../engine/names.ts";
import type { ExistingRequest, Properties, ResourceProvider, ResourceRequest, ResourceState, StackContext } from "../resource-provider.ts";
import type { StepPlace } from "../store.ts";
import { withDynamicReferences } from "./dynamic-references.ts";
import { writeEvent } from "./journal.ts";
import type { Step } from "./records.ts";
import type { Run } from "./run.ts";

/** A step of a stage: which resource, and the provider that does it. */
export interface ProviderStep {
  readonly run: Run;
  readonly place: StepPlace;
  readonly logicalId: string;
  readonly type: string;
  /** What the step was journalled with. */
  readonly step: Step;
  /** Whether an earlier attempt at the step began. */
  readonly isResumed: boolean;
}

/** The client token of a step: the same for every attempt. */
export const tokenOf = ({ place, step }: Pick<ProviderStep, "place" | "step">): string =>
  stepToken([place.stackId, place.operation, place.stage, place.name, step.action]);

/** Makes the physical resource of a step of action create or replace. */
export async function createResource(given: ProviderStep): Promise<ResourceState> {
  const properties = await resolvedProperties(given);
  return providerOf(given).create(requestOf(given, properties));
}

/** An update's both ends. */
export interface UpdateStep extends ProviderStep {
  readonly physicalId: string;
  readonly previousProperties: Properties;
}

/** Changes the physical resource in place. */
export async function updateResource(given: UpdateStep): Promise<ResourceState | "REPLACE"> {
  const properties = await resolvedProperties(given);
  const request = requestOf(given, properties);
  return providerOf(given).update({ ...request, physicalId: given.physicalId, previousProperties: given.previousProperties });
}

/** Removes a physical resource. */
export async function deleteResource(given: ProviderStep & { readonly physicalId: string }): Promise<void> {
  const request: ExistingRequest = { ...requestOf(given, given.step.properties ?? {}), physicalId: given.physicalId };
  await providerOf(given).delete(request);
}

const providerOf = ({ run, type }: ProviderStep): ResourceProvider => run.providers.of(type);

const resolvedProperties = ({ run, step }: ProviderStep): Promise<Properties> => withDynamicReferences(step.properties ?? {}, run.call);

function requestOf(given: ProviderStep, properties: Properties): ResourceRequest {
  const { run, logicalId, type } = given;
  const token = tokenOf(given);
  const stack = stackContext(run);
  return {
    logicalId,
    type,
    properties,
    stack,
    token,
    resumed: given.isResumed,
    signal: run.signal,
    call: run.call,
    suggestedName: (limit, options) => generatedName({ stack: stack.name, logicalId, token, limit }, options),
    announce: (physicalId) => announce(given, physicalId),
  };
}

/** Keeps the physical id that a provider announces, and tells of it the first time. */
function announce({ run, place, step, logicalId, type }: ProviderStep, physicalId: string): void {
  run.store.transaction(() => {
    const present = run.store.steps.get(place) ?? step;
    run.store.steps.put(place, { ...present, physicalId });
    const status = step.action === "create" ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS";
    if (present.physicalId === undefined && (step.action === "create" || step.action === "replace"))
      writeEvent(run, run.stack(), { logicalId, type, status, physicalId, reason: INITIATED, properties: step.properties });
  });
}

/** The reason of the event that first names a physical id. */
export const INITIATED = "Resource creation Initiated";

function stackContext(run: Run): StackContext {
  const { id, name, account, region } = run.stack();
  return { id, name, account, region, tags: run.operation().tags };
}
