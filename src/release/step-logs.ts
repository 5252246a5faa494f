import { DescribeLogStreamsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand } from "@aws-sdk/client-codebuild";
import { paginateGetExecutionHistory } from "@aws-sdk/client-sfn";
import { type AwsClients, chosenClients } from "../aws/chosen-clients.ts";
import { codebuild } from "../aws/services/codebuild.ts";
import { logs } from "../aws/services/logs.ts";
import { states } from "../aws/services/states.ts";
import type { Target } from "../aws/target.ts";

/** A line of a log. */
export interface LogLine {
  /** Where it was written: a build, `run/<id>/engine`, `run/<id>/task/<id>`. */
  readonly source: string;
  /** ISO time. */
  readonly at: string;
  readonly message: string;
}

/** An action of a pipeline: a build by its id, a state machine's execution by its ARN. */
export interface LoggedStep {
  readonly externalId?: string;
}

export type LogClients = Pick<AwsClients, "codebuild" | "logs" | "states">;

/** What logs are read with. */
export const logClients = (target: Target): LogClients => chosenClients(target, { codebuild, logs, states });

/** Where HealthOmics writes (guide, "Monitoring with CloudWatch Logs"). */
const RUN_LOGS = "/aws/omics/WorkflowLog";

/** What a step of a release wrote: a build's log, or the logs of a test's runs; nothing for other steps. */
export async function* readStepLog(clients: LogClients, { externalId = "" }: LoggedStep): AsyncGenerator<LogLine> {
  if (externalId.includes(":execution:")) yield* readRunLogs(clients, externalId);
  else if (/^[\w-]+:[0-9a-f-]{36}$/.test(externalId)) yield* readBuildLog(clients, externalId);
}

/** The end of what a step wrote: of one that failed, mostly why. */
export async function lastLines(clients: LogClients, step: LoggedStep, count = 15): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { message } of readStepLog(clients, step)) {
    lines.push(message.trimEnd());
    if (lines.length > count) lines.shift();
  }
  return lines;
}

async function* readBuildLog({ codebuild, logs }: LogClients, buildId: string): AsyncGenerator<LogLine> {
  const { builds } = await codebuild.send(new BatchGetBuildsCommand({ ids: [buildId] }));
  const { groupName, streamName } = builds?.[0]?.logs ?? {};
  if (groupName && streamName) yield* readStream({ logs }, { group: groupName, stream: streamName, source: buildId });
}

/** The engine's log of each run that a test started, then those of its tasks. */
async function* readRunLogs({ states, logs }: LogClients, executionArn: string): AsyncGenerator<LogLine> {
  for (const run of await startedRuns({ states }, executionArn)) {
    const { logStreams = [] } = await logs.send(
      new DescribeLogStreamsCommand({ logGroupName: RUN_LOGS, logStreamNamePrefix: `run/${run}/` }),
    );
    for (const { logStreamName: stream = "" } of logStreams) yield* readStream({ logs }, { group: RUN_LOGS, stream, source: stream });
  }
}

async function startedRuns({ states }: Pick<LogClients, "states">, executionArn: string): Promise<readonly string[]> {
  const runs: string[] = [];
  for await (const page of paginateGetExecutionHistory({ client: states }, { executionArn }))
    for (const { taskSucceededEventDetails: task } of page.events ?? [])
      if (task?.resource === "startRun") runs.push((JSON.parse(task.output ?? "{}") as { Id: string }).Id);
  return runs;
}

interface Stream {
  readonly group: string;
  readonly stream: string;
  readonly source: string;
}

async function* readStream({ logs }: Pick<LogClients, "logs">, { group, stream, source }: Stream): AsyncGenerator<LogLine> {
  let nextToken: string | undefined;
  for (;;) {
    const page = await logs.send(
      new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: true, ...(nextToken && { nextToken }) }),
    );
    for (const { timestamp = 0, message = "" } of page.events ?? []) yield { source, at: new Date(timestamp).toISOString(), message };
    // The same token again means that there is nothing more.
    if (!page.nextForwardToken || page.nextForwardToken === nextToken) return;
    nextToken = page.nextForwardToken;
  }
}
