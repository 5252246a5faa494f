import type { States } from "./service-parts.ts";
import { invalidArn } from "./errors.ts";
import { machineKey, machineKeyOfArn, type StateMachine, type Store } from "./store.ts";

/**
 * Deletes a machine with its executions. Running ones are stopped first; until they have ended the machine is DELETING.
 * Deleting what is not there succeeds.
 */
export function removeMachine(states: States, arn: string): object {
  const key = machineKeyOfArn(arn);
  if (key === undefined) throw invalidArn(arn, "a state machine");
  const machine = states.store.machines.get(key);
  if (machine === undefined || machine.status === "DELETING") return {};
  states.store.machines.put(key, { ...machine, status: "DELETING" });
  finishDeletion(states, machine);
  return {};
}

/** Goes on with deletions that the end of the process interrupted. */
export function resumeDeletions(states: States): void {
  for (const { value } of states.store.machines.list([])) if (value.status === "DELETING") finishDeletion(states, value);
}

function finishDeletion(states: States, machine: StateMachine): void {
  const running = states.store.executions
    .list(machineKey(machine))
    .map(({ value }) => value)
    .filter(({ status }) => status === "RUNNING");
  if (running.length === 0) return forget(states.store, machine);
  states.core.background(`deletion of ${machine.arn}`, async () => {
    await Promise.all(running.map(({ arn }) => states.runner.stop(arn, {})));
    forget(states.store, machine);
  });
}

function forget(store: Store, machine: StateMachine): void {
  const key = machineKey(machine);
  store.transaction(() => {
    for (const collection of [store.executions, store.byStart, store.journals, store.revisions])
      for (const entry of collection.list(key)) collection.delete(entry.key);
    for (const entry of store.callbacks.find("machine", machine.arn)) store.callbacks.delete(entry.key);
    store.machines.delete(key);
  });
}
