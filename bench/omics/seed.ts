import { join } from "node:path";
import { openDatabase } from "../../src/local/storage/database.ts";
import { createStore } from "../../src/local/omics/create-store.ts";
import type { Run, Task, Workflow } from "../../src/local/omics/store.ts";

const PLACE = { account: "111122223333", region: "us-east-1" } as const;

/** How many of each are stored. */
export interface Stored {
  readonly workflows: number;
  readonly runs: number;
}

/**
 * Copies one workflow and one run, which the service made itself, until so many are stored; each twentieth run is in
 * the group, and names repeat every hundred.
 */
export function storeMany(
  dataDir: string,
  {
    workflowId,
    runId,
    groupId,
    stored,
  }: { readonly workflowId: string; readonly runId: string; readonly groupId: string; readonly stored: Stored },
): void {
  const database = openDatabase(join(dataDir, "state.sqlite"));
  const store = createStore(database);
  const key = (id: string) => [PLACE.account, PLACE.region, id];
  const workflow = store.workflows.get(key(workflowId));
  const run = store.runs.get(key(runId));
  if (workflow === undefined || run === undefined) throw new Error("there is nothing to copy");
  const tasks = store.tasks.list(key(runId)).map(({ value }) => value);
  store.transaction(() => {
    for (let index = 0; index < stored.workflows; index++) {
      const id = String(9_000_000 + index);
      store.workflows.put(
        key(id),
        copyOf<Workflow>(workflow, { id, arn: workflow.arn.replace(workflowId, id), name: `workflow-${index % 100}` }),
      );
    }
    for (let index = 0; index < stored.runs; index++) {
      const id = String(9_000_000 + index);
      const group = index % 20 === 0 ? { runGroupId: groupId } : {};
      store.runs.put(
        key(id),
        copyOf<Run>(run, {
          id,
          arn: run.arn.replace(runId, id),
          name: `run-${index % 100}`,
          status: index % 10 === 0 ? "FAILED" : "COMPLETED",
          ...group,
        }),
      );
      for (const task of tasks) store.tasks.put([...key(id), task.taskId], copyOf<Task>(task, { runId: id, ask: `${task.ask}-${id}` }));
    }
  });
  database.close();
}

const copyOf = <T extends object>(of: T, change: Partial<T>): T => ({ ...of, ...change });
