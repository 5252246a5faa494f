import { TaskError } from "../asl/errors.ts";
import { isArray, isObject, type Json } from "../asl/json.ts";
import { sdkCall, sdkMetadata } from "./sdk-call.ts";
import type { Integration, Task } from "./task.ts";

const asText = (value: Json): Json => (typeof value === "string" ? value : JSON.stringify(value));

/** `sns:publish`: a Message that is no text is sent as JSON. https://docs.aws.amazon.com/step-functions/latest/dg/connect-sns.html */
export const publish: Integration = {
  patterns: ["waitForTaskToken"],
  async request(task) {
    const given = isObject(task.call.parameters) ? task.call.parameters : {};
    const parameters = { ...given, ...(given["Message"] !== undefined && { Message: asText(given["Message"]) }) };
    const answer = await sdkCall(task, {
      service: "sns",
      operation: "publish",
      parameters,
      naming: { prefix: "SNS", unknown: "AmazonSNSException" },
    });
    return { ...(isObject(answer) ? answer : {}), ...sdkMetadata(task) };
  },
};

/** `events:putEvents`: Detail is sent as JSON, the execution and its machine are added to Resources. https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html */
export const putEvents: Integration = {
  patterns: ["waitForTaskToken"],
  async request(task) {
    const { Entries } = isObject(task.call.parameters) ? task.call.parameters : {};
    const parameters = { Entries: (isArray(Entries) ? Entries : []).map((entry) => toEntry(task, entry)) };
    const answer = await sdkCall(task, {
      service: "eventbridge",
      operation: "putEvents",
      parameters,
      naming: { prefix: "EventBridge", unknown: "AmazonEventBridgeException" },
    });
    const result = isObject(answer) ? answer : {};
    if (Number(result["FailedEntryCount"] ?? 0) > 0) throw new TaskError("EventBridge.FailedEntry", JSON.stringify(result));
    return { ...result, ...sdkMetadata(task) };
  },
};

function toEntry({ executionArn, stateMachineArn }: Task, entry: Json): Json {
  if (!isObject(entry)) return entry;
  const resources = isArray(entry["Resources"]) ? entry["Resources"] : [];
  return {
    ...entry,
    ...(entry["Detail"] !== undefined && { Detail: asText(entry["Detail"]) }),
    Resources: [...resources, stateMachineArn, executionArn],
  };
}
