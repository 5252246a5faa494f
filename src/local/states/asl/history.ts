import type { HistoryEvent } from "@aws-sdk/client-sfn";

/** One event of GetExecutionHistory. Members as the service names them, timestamps as dates. */
export type { HistoryEvent };

/** An event before it has its place in the history. */
export type NewEvent = Omit<HistoryEvent, "id" | "previousEventId" | "timestamp">;

/** The event after which an execution may add nothing but its end. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const HISTORY_LIMIT = 25_000;

/** Inputs and outputs are never cut here: they are within the data limit. */
export const whole = { truncated: false } as const;
