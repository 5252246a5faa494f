import type { HistoryEvent } from "@aws-sdk/client-sfn";
import { parseArn } from "../../kit/arn.ts";
import type { Core } from "../gateway/service.ts";
import type { Execution } from "./store.ts";

const FATAL = new Set(["ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"]);
const ERROR = /(Failed|TimedOut|Aborted)$/;
const DATA = new Set(["input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails"]);

/**
 * Writes an event to the log group of the machine's logging configuration, where its level asks for it.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
 */
export function logEvent(core: Core, execution: Execution, event: HistoryEvent): void {
  const { level, includeExecutionData, destinations } = execution.logging;
  if (!isLogged(level, event.type ?? "")) return;
  const line = JSON.stringify(toLine(execution, event, includeExecutionData === true));
  for (const { cloudWatchLogsLogGroup } of destinations ?? []) {
    const { account, region, resource } = parseArn(cloudWatchLogsLogGroup?.logGroupArn ?? "");
    const group = resource.replace(/^log-group:/, "").replace(/:\*$/, "");
    core.logs.append({ account, region, group, stream: streamOf(execution) }, [line]);
  }
}

function isLogged(level: string | undefined, type: string): boolean {
  if (level === "ALL") return true;
  return (level === "ERROR" && ERROR.test(type)) || (level === "FATAL" && FATAL.has(type));
}

const streamOf = ({ machine, startedAt, name }: Execution): string =>
  `states/${machine}/${startedAt.slice(0, 16).replaceAll(/[T:]/g, "-")}/${name}`;

function toLine(execution: Execution, event: HistoryEvent, withData: boolean) {
  const { id, type, previousEventId, timestamp, ...details } = event;
  const own = Object.values(details).find((value) => typeof value === "object") ?? {};
  const shown = Object.entries(own).filter(([name]) => withData || !DATA.has(name));
  return {
    id: String(id),
    type,
    details: Object.fromEntries(shown),
    previous_event_id: String(previousEventId),
    event_timestamp: String(timestamp?.getTime()),
    execution_arn: execution.arn,
  };
}
