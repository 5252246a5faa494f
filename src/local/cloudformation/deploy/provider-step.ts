import { generatedName, stepToken } from "../engine/names.ts";
import type { ExistingRequest, Properties, ResourceProvider, ResourceRequest, ResourceState, StackContext } from "../resource-provider.ts";
import type { StepPlace } from "../store.ts";
import { withDynamicReferences } from "./dynamic-references.ts";
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
  const { run, logicalId, type, place, step } = given;
  const token = tokenOf(given);
  const stack = stackContext(run);
  return {
    logicalId, type, properties, stack, token,
    resumed: given.isResumed,
    signal: run.signal,
    call: run.call,
    suggestedName: (limit, options) => generatedName({ stack: stack.name, logicalId, token, limit }, options),
    announce(physicalId) {
      const present = run.store.steps.get(place) ?? step;
      run.store.steps.put(place, { ...present, physicalId });
    },
  };
}

function stackContext(run: Run): StackContext {
  const { id, name, account, region } = run.stack();
  return { id, name, account, region, tags: run.operation().tags };
}
