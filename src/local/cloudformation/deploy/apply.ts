import { dependencyGraph } from "../engine/changes.ts";
import type { InstanceResource } from "../engine/instance.ts";
import type { StepPlace } from "../store.ts";
import { begin, type ResourceWork } from "./begin.ts";
import { carryOut, fail } from "./carry-out.ts";
import type { Deployment, Step } from "./records.ts";
import { breathe, preparedOf, type Run } from "./run.ts";
import { runGraph } from "./run-graph.ts";

/** A resource that could not be made. */
export interface Failure {
  readonly logicalId: string;
  readonly action: "create" | "update";
}

/**
 * Creates, updates and replaces every resource of a deployment, in the order of their dependencies. After a failure
 * nothing more begins. With stage RESTORE, resources that were replaced are taken back first.
 * @returns what failed, now or before the stage was resumed
 */
export async function applyDeployment(run: Run, stage: "APPLY" | "RESTORE", deployment: Deployment): Promise<readonly Failure[]> {
  const prepared = preparedOf(run, deployment);
  const { number } = run.operation();
  const namesIn = (state: Step["state"]) =>
    run.store.steps.list({ stackId: run.stackId, operation: number, stage }).filter(({ step }) => step.state === state);
  const done = new Set(namesIn("done").map(({ name }) => name));
  let hasFailed = namesIn("failed").length > 0;
  await runGraph({
    graph: new Map([...dependencyGraph(prepared.instance)].filter(([id]) => !done.has(id))),
    parallel: run.parallel,
    begun: new Set(namesIn("started").map(({ name }) => name)),
    isStopped: () => hasFailed || run.signal.aborted || run.operation().superseded !== undefined,
    work: async (id) => {
      await breathe(run);
      const declared = prepared.instance.resources[id] as InstanceResource;
      const place: StepPlace = { stackId: run.stackId, operation: number, stage, name: id };
      const isDone = await applyResource({ run, prepared, id, place, declared });
      hasFailed ||= !isDone;
      return isDone;
    },
  });
  if (run.signal.aborted) throw run.signal.reason;
  return namesIn("failed").map(({ name, step }) => ({ logicalId: name, action: step.action === "create" ? "create" : "update" }));
}

async function applyResource(work: ResourceWork): Promise<boolean> {
  const { run, place } = work;
  const begun = run.store.steps.get(place);
  try {
    await carryOut(work, begun ?? begin(work), begun !== undefined);
    return true;
  } catch (error) {
    if (run.signal.aborted) throw error;
    fail(work, error);
    return false;
  }
}
