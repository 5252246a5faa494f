import { codebuildRequest, startBuild } from "./codebuild.ts";
import { lambdaIntegration } from "./lambda.ts";
import { publish, putEvents } from "./messages.ts";
import { startExecution } from "./nested-execution.ts";
import { parseResource } from "./resource.ts";
import { sdkCall } from "./sdk-call.ts";
import { operationName, sdkModel, sdkService } from "./sdk-services.ts";
import type { Integration } from "./task.ts";

/** The optimized integrations, by service and operation. */
const OPTIMIZED: Readonly<Record<string, Integration>> = {
  "lambda:invoke": lambdaIntegration,
  "codebuild:startBuild": startBuild,
  "codebuild:stopBuild": codebuildRequest("stopBuild"),
  "codebuild:batchGetBuilds": codebuildRequest("batchGetBuilds"),
  "events:putEvents": putEvents,
  "sns:publish": publish,
  "states:startExecution": startExecution,
};

export const optimizedIntegration = (service: string, operation: string): Integration | undefined => OPTIMIZED[`${service}:${operation}`];

/** Any operation of any service of the local accounts. */
export const sdkIntegration = (service: string, operation: string): Integration => ({
  patterns: ["waitForTaskToken"],
  request: (task) => sdkCall(task, { service, operation, parameters: task.call.parameters }),
});

/** Why a Resource can't be used; undefined when it can. */
export async function resourceProblem(text: string): Promise<string | undefined> {
  const resource = parseResource(text);
  if (resource === undefined)
    return `The resource provided ${text} is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.`;
  if (resource.kind === "function") return undefined;
  const { service, operation, pattern } = resource;
  const integration = resource.kind === "sdk" ? await knownSdkOperation(service, operation) : optimizedIntegration(service, operation);
  if (integration === undefined) return `The resource provided ${text} is not provided by the local accounts.`;
  if (pattern !== "request" && !integration.patterns.includes(pattern))
    return `The resource provided ${text} is not recognized: ${service}:${operation} has no .${pattern}.`;
  return undefined;
}

async function knownSdkOperation(name: string, operation: string): Promise<Integration | undefined> {
  const service = sdkService(name);
  const model = service && (await sdkModel(service));
  const isKnown = /^[a-z]/.test(operation) && model?.operations.has(operationName(operation)) === true;
  return isKnown ? sdkIntegration(name, operation) : undefined;
}
