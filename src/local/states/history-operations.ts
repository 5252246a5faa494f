import type { GetExecutionHistoryInput, GetExecutionHistoryOutput, HistoryEvent } from "@aws-sdk/client-sfn";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { findExecution, pageToken, readPageToken, type States } from "./service-parts.ts";
import { executionKey, revive } from "./store.ts";

const DATA = new Set(["input", "output", "parameters", "assignedVariables"]);
/** As AWS: at most 1000 a page, 100 unless said. */
const PAGE = 100;

/** The history of executions. */
export const historyOperations = (states: States): Readonly<Record<string, AnyOperation>> => ({
  GetExecutionHistory: operation<GetExecutionHistoryInput, GetExecutionHistoryOutput>({
    access: ({ executionArn = "" }) => [{ action: "states:GetExecutionHistory", resource: executionArn }],
    run: (input) => history(states, input),
  }),
});

/** Journal entries without an event are passed over: they are for resuming alone. */
function history(states: States, input: GetExecutionHistoryInput): GetExecutionHistoryOutput {
  const execution = findExecution(states, input.executionArn);
  const limit = Math.min(input.maxResults || PAGE, 1_000);
  const events: HistoryEvent[] = [];
  let after = readPageToken(input.nextToken);
  for (;;) {
    const page = states.store.journals.list(executionKey(execution), {
      limit: 500,
      reverse: input.reverseOrder === true,
      ...(after && { after }),
    });
    for (const { key, value } of page) {
      const { event } = revive(value);
      if (event !== undefined && events.length === limit) return { events, ...(after && { nextToken: pageToken(after) }) };
      if (event !== undefined) events.push(input.includeExecutionData === false ? withoutData(event) : event);
      after = key;
    }
    if (page.length < 500) return { events };
  }
}

function withoutData(event: HistoryEvent): HistoryEvent {
  const entries = Object.entries(event).map(([name, value]) => [
    name,
    isDetails(name) ? withoutMembers(value as object) : (value as unknown),
  ]);
  return Object.fromEntries(entries) as HistoryEvent;
}

const isDetails = (name: string) => name.endsWith("EventDetails");
const withoutMembers = (details: object) => Object.fromEntries(Object.entries(details).filter(([name]) => !DATA.has(name)));
