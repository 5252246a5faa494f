const WORKFLOW_SIDE = /^\/(workflow|run|runGroup|runCache|runBatch|configuration|shares?|tags)(\/|$)/;

/** Whether a path belongs to HealthOmics's workflow side: workflows, runs, groups, caches, batches, configurations, shares, tags. */
export const isWorkflowSide = (uri: string): boolean => WORKFLOW_SIDE.test(uri);
