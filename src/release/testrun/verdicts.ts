import type { RunStatus } from "@aws-sdk/client-omics";

/** What a run's status means to whoever waits for it. A state that AWS adds stops this from compiling. */
export const VERDICTS = {
  PENDING: "wait",
  STARTING: "wait",
  RUNNING: "wait",
  STOPPING: "wait",
  COMPLETED: "ended",
  FAILED: "ended",
  CANCELLED: "ended",
  DELETED: "ended",
} as const satisfies Record<RunStatus, "wait" | "ended">;

/** Statuses after which nothing changes any more. */
export const ENDED: readonly string[] = Object.entries(VERDICTS)
  .filter(([, verdict]) => verdict === "ended")
  .map(([status]) => status);
