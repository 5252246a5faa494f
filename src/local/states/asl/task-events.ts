import type { Failure } from "./errors.ts";
import { type HistoryEvent, type NewEvent, whole } from "./history.ts";
import { type Json, parseJson } from "./json.ts";

/** What is told when a task is scheduled. */
export interface Scheduled {
  readonly parameters: Json;
  readonly timeoutSeconds: number | undefined;
  readonly heartbeatSeconds: number | undefined;
  readonly roleArn: string | undefined;
}

/** The history events of one attempt of a task, in the family that its Resource belongs to. */
export interface TaskEvents {
  /** What error texts call the resource. */
  readonly label: string;
  scheduled(plan: Scheduled): NewEvent;
  readonly started: NewEvent;
  submitted(output: Json): NewEvent;
  succeeded(output: Json): NewEvent;
  /** `isSubmitted` tells a task that was accepted and failed later from one that never began. */
  failed(failure: Failure, isSubmitted: boolean): NewEvent;
  timedOut(failure: Failure): NewEvent;
}

/** Whether the Resource is a Lambda function's own ARN, whose events are named after Lambda. */
export const isFunctionArn = (resource: string): boolean => /^arn:[^:]+:lambda:/.test(resource);

/** Whether the task ends by SendTaskSuccess or SendTaskFailure. */
export const waitsForToken = (resource: string): boolean => resource.endsWith(".waitForTaskToken");

/** The events for a Resource. */
export const taskEvents = (resource: string, region: string): TaskEvents =>
  isFunctionArn(resource) ? functionEvents(resource) : serviceEvents(resource, region);

function functionEvents(resource: string): TaskEvents {
  return {
    label: resource,
    scheduled: ({ parameters, timeoutSeconds, roleArn }) => ({
      type: "LambdaFunctionScheduled",
      lambdaFunctionScheduledEventDetails: {
        resource,
        input: JSON.stringify(parameters),
        inputDetails: whole,
        ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
        ...(roleArn === undefined ? {} : { taskCredentials: { roleArn } }),
      },
    }),
    started: { type: "LambdaFunctionStarted" },
    submitted: () => ({ type: "LambdaFunctionStarted" }),
    succeeded: (output) => ({
      type: "LambdaFunctionSucceeded",
      lambdaFunctionSucceededEventDetails: { output: JSON.stringify(output), outputDetails: whole },
    }),
    failed: (failure) => ({ type: "LambdaFunctionFailed", lambdaFunctionFailedEventDetails: told(failure) }),
    timedOut: (failure) => ({ type: "LambdaFunctionTimedOut", lambdaFunctionTimedOutEventDetails: told(failure) }),
  };
}

function serviceEvents(arn: string, region: string): TaskEvents {
  const parts = arn.split(":").slice(5);
  const resource = parts.at(-1) ?? "";
  const of = { resourceType: parts.slice(0, -1).join(":"), resource };
  const isLong = /\.(sync(:2)?|waitForTaskToken)$/.test(resource) || arn.endsWith(".sync:2");
  const named = arn.endsWith(".sync:2") ? { resourceType: parts.slice(0, -2).join(":"), resource: parts.slice(-2).join(":") } : of;
  return {
    label: named.resourceType,
    scheduled: (plan) => ({ type: "TaskScheduled", taskScheduledEventDetails: { ...named, region, ...scheduledDetails(plan) } }),
    started: { type: "TaskStarted", taskStartedEventDetails: named },
    submitted: (output) => ({
      type: "TaskSubmitted",
      taskSubmittedEventDetails: { ...named, output: JSON.stringify(output), outputDetails: whole },
    }),
    succeeded: (output) => ({
      type: "TaskSucceeded",
      taskSucceededEventDetails: { ...named, output: JSON.stringify(output), outputDetails: whole },
    }),
    failed: (failure, isSubmitted) =>
      isLong && !isSubmitted
        ? { type: "TaskSubmitFailed", taskSubmitFailedEventDetails: { ...named, ...told(failure) } }
        : { type: "TaskFailed", taskFailedEventDetails: { ...named, ...told(failure) } },
    timedOut: (failure) => ({ type: "TaskTimedOut", taskTimedOutEventDetails: { ...named, ...told(failure) } }),
  };
}

const scheduledDetails = ({ parameters, timeoutSeconds, heartbeatSeconds, roleArn }: Scheduled) => ({
  parameters: JSON.stringify(parameters),
  ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
  ...(heartbeatSeconds === undefined ? {} : { heartbeatInSeconds: heartbeatSeconds }),
  ...(roleArn === undefined ? {} : { taskCredentials: { roleArn } }),
});

const told = ({ error, cause }: Failure) => ({
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
});

/** The parameters that a scheduling event shows. */
export const scheduledParameters = (event: HistoryEvent): Json =>
  parseJson(event.taskScheduledEventDetails?.parameters ?? event.lambdaFunctionScheduledEventDetails?.input ?? "null");

/** The output that a submitting or succeeding event shows; undefined for any other event. */
export function shownOutput(event: HistoryEvent): Json | undefined {
  const details = event.taskSucceededEventDetails ?? event.lambdaFunctionSucceededEventDetails ?? event.taskSubmittedEventDetails;
  return details?.output === undefined ? undefined : parseJson(details.output);
}
