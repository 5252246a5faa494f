import type { Database } from "../storage/database.ts";
import { withLists } from "./lists.ts";
import { runItem } from "./runs/describe.ts";
import {
  isActive,
  type Remembered,
  type Run,
  type RunGroup,
  type RunItem,
  type Store,
  type Task,
  type Version,
  type Workflow,
} from "./store.ts";
import { versionItem, workflowItem } from "./workflows/describe.ts";

const whetherCreating = ({ status }: { readonly status?: string | undefined }): string | undefined =>
  status === "CREATING" ? "yes" : undefined;

/** What HealthOmics keeps. */
export const createStore = (database: Database): Store => ({
  workflows: withLists(database, "omics.workflows", {
    documents: database.collection<Workflow>("omics.workflows", { creating: whetherCreating }),
    itemOf: workflowItem,
    countedBy: 2,
    lists: { name: ({ name }) => name },
  }),
  versions: withLists(database, "omics.versions", {
    documents: database.collection<Version>("omics.versions", { creating: whetherCreating }),
    itemOf: versionItem,
    countedBy: 3,
  }),
  runs: withLists(database, "omics.runs", {
    documents: database.collection<Run>("omics.runs", { active: ({ status }) => (isActive(status) ? "yes" : undefined) }),
    itemOf: itemOfRun,
    countedBy: 2,
    lists: {
      name: ({ shown }) => shown.name,
      group: ({ runGroupId }) => runGroupId,
      status: ({ shown }) => shown.status,
      removable: ({ isRemovable }) => (isRemovable ? "yes" : undefined),
    },
    indexes: { active: ({ shown }) => (isActive(shown.status ?? "COMPLETED") ? "yes" : undefined) },
  }),
  tasks: database.collection<Task>("omics.tasks", {
    ask: (task) => task.ask,
    active: (task) => (isActive(task.status) ? "yes" : undefined),
  }),
  runGroups: database.collection<RunGroup>("omics.runGroups"),
  remembered: database.collection<Remembered>("omics.requests"),
  sequences: database.collection<{ readonly last: number }>("omics.sequences"),
  secrets: database.collection<{ readonly secret: string }>("omics.secrets"),
  logPositions: database.collection<{ readonly position: number }>("omics.logPositions"),
  transaction: (work) => database.transaction(work),
});

const itemOfRun = (run: Run): RunItem => ({
  shown: runItem(run),
  storageType: run.storageType,
  ...(run.runGroupId !== undefined && { runGroupId: run.runGroupId }),
  ...(run.retentionMode === "REMOVE" && !isActive(run.status) && { isRemovable: true }),
});
