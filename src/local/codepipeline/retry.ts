import type { Execution, Store } from "./store.ts";

/** Makes a stage begin from the start when it is entered again: what succeeded in it counts no more. */
export function forgetStage(store: Store, { account, region, pipeline, id }: Execution, stage: string): void {
  for (const { key, value } of store.actions.list([account, region, pipeline, id])) if (value.stage === stage && value.status === "Succeeded") store.actions.put(key, { ...value, status: "Abandoned" });
}

/** Whether a stage that failed is to be tried again by itself: once, where its declaration says so. */
export const isRetriable = ({ declaration, retried = [] }: Execution, stage: string): boolean =>
  declaration.stages?.find(({ name }) => name === stage)?.onFailure?.result === "RETRY" && !retried.includes(stage);
