import type { LoggingConfiguration } from "@aws-sdk/client-sfn";
import type { Principal } from "../authorization/principal.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import { isArray, isObject, type Json } from "./asl/json.ts";
import { type Diagnostic, validateDefinition } from "./asl/validate.ts";
import { invalidDefinition, invalidLogging, logDestinationDenied, managedRuleDenied, roleNotAssumable } from "./errors.ts";
import { resourceProblem } from "./integrations/integrations.ts";
import { assumeRole } from "./run-task.ts";
import type { StateMachine } from "./store.ts";

/** Everything wrong with a definition, its Resources included. */
export async function diagnose(definition: string): Promise<readonly Diagnostic[]> {
  const problems = new Map<string, string | undefined>();
  for (const resource of taskResources(readJson(definition))) problems.set(resource, await resourceProblem(resource));
  return validateDefinition(definition, (resource) => problems.get(resource));
}

/** @throws AwsError InvalidDefinition with all diagnostics */
export async function checkDefinition(definition: string): Promise<void> {
  const found = await diagnose(definition);
  if (found.length === 0) return;
  throw invalidDefinition(found.map(({ code, message, location }) => `${code}: ${message}${location ? ` at ${location}` : ""}`).join(", "));
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** The Resource of each Task state, however deep. */
function taskResources(value: Json): readonly string[] {
  if (isArray(value)) return value.flatMap(taskResources);
  if (!isObject(value)) return [];
  const { Type, Resource } = value;
  return [...(Type === "Task" && typeof Resource === "string" ? [Resource] : []), ...Object.values(value).flatMap(taskResources)];
}

/** The rule that Step Functions keeps in EventBridge to hear the end of each kind of job. */
const MANAGED_RULES: readonly (readonly [pattern: RegExp, rule: string])[] = [
  [/:states:[^:]*:\d*:codebuild:startBuild\.sync/, "StepFunctionsGetEventForCodeBuildStartBuildRule"],
  [/:states:[^:]*:\d*:states:startExecution\.sync/, "StepFunctionsGetEventsForStepFunctionsExecutionRule"],
];

type Checked = Pick<StateMachine, "arn" | "roleArn" | "account" | "region" | "logging"> & { readonly definition: string };

/**
 * What AWS refuses when a machine is made: a role that Step Functions can't take, or that may not deliver logs or keep the rules
 * that `.sync` needs.
 * @throws AwsError AccessDeniedException, InvalidLoggingConfiguration
 */
export function checkRole(core: Core, machine: Checked): void {
  const role = takeRole(core, machine);
  const { region, account, definition, roleArn } = machine;
  const may = (action: string, resource: string) => isAllowed(core, role, { action, resource, region });
  if (isLogging(machine.logging) && !may("logs:CreateLogDelivery", "*")) throw logDestinationDenied();
  for (const [pattern, rule] of MANAGED_RULES) {
    const arn = `arn:aws:events:${region}:${account}:rule/${rule}`;
    const isNeeded = taskResources(readJson(definition)).some((resource) => pattern.test(resource));
    if (isNeeded && !["PutRule", "PutTargets", "DescribeRule"].every((action) => may(`events:${action}`, arn)))
      throw managedRuleDenied(roleArn);
  }
}

function takeRole(core: Core, { roleArn, arn }: Checked): Principal {
  try {
    return assumeRole(core, { roleArn, stateMachineArn: arn });
  } catch (error) {
    if (error instanceof AwsError) throw roleNotAssumable();
    throw error;
  }
}

function isAllowed(
  core: Core,
  role: Principal,
  { action, resource, region }: { readonly action: string; readonly resource: string; readonly region: string },
): boolean {
  try {
    core.directory.authorize(role, { action, resource }, { context: {}, region });
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

const isLogging = ({ level }: LoggingConfiguration): boolean => level !== undefined && level !== "OFF";

/** The configuration with its defaults. @throws AwsError InvalidLoggingConfiguration */
export function checkLogging(given: LoggingConfiguration | undefined): LoggingConfiguration {
  const logging = { ...given, level: given?.level ?? "OFF", includeExecutionData: given?.includeExecutionData ?? false };
  if (!isLogging(logging)) return logging;
  if (logging.destinations?.length !== 1) throw invalidLogging("Must specify exactly one Log Destination.");
  const arn = logging.destinations[0]?.cloudWatchLogsLogGroup?.logGroupArn ?? "";
  if (!/^arn:[^:]+:logs:[^:]+:\d{12}:log-group:[^:]+:\*$/.test(arn))
    throw invalidLogging(
      `the log group's ARN must end in ":*", as in arn:aws:logs:us-east-1:111122223333:log-group:name:*; it is "${arn}"`,
    );
  return logging;
}
