import { createHash } from "node:crypto";
import type { NormalizedSchema } from "@smithy/core/schema";
import { AwsError } from "../../gateway/aws-error.ts";
import { TaskError } from "../asl/errors.ts";
import { isObject, type Json } from "../asl/json.ts";
import { BadParameter, fromOutput, type TimestampForm, toInput } from "./sdk-members.ts";
import { operationName, sdkModel, type SdkModel, type SdkService, sdkService } from "./sdk-services.ts";
import type { Task } from "./task.ts";

/** A call of an operation as a task makes it. */
export interface SdkCall {
  /** The service's name in `aws-sdk:<name>`. */
  readonly service: string;
  readonly operation: string;
  readonly parameters: Json;
  /** How errors are named; those of SDK integrations unless given. */
  readonly naming?: ErrorNaming;
  readonly timestamps?: TimestampForm;
}

/** The names an optimized integration gives to errors: `StepFunctions.` and, for errors that no model knows, `AWSStepFunctionsException`. */
export interface ErrorNaming {
  readonly prefix: string;
  readonly unknown: string;
}

/**
 * Calls an operation with PascalCase parameters and gives its PascalCase output.
 * @throws TaskError named as Step Functions names errors of that service; an Error when the parameters don't fit the operation
 */
export async function sdkCall(task: Task, { service: name, operation, parameters, naming, timestamps }: SdkCall): Promise<Json> {
  const service = sdkService(name);
  const model = service && (await sdkModel(service));
  const described = model?.operations.get(operationName(operation));
  if (service === undefined || model === undefined || described === undefined)
    throw new Error(`aws-sdk:${name}:${operation} is not provided here`);
  const input = withToken(described.input, inputOf(described.input, parameters, name), task);
  try {
    const output = await task.core.dispatcher.call({
      service: service.signingName,
      operation: described.name,
      input,
      as: task.as,
      region: task.region,
    });
    return described.output.isUnitSchema() ? {} : await fromOutput(described.output, output ?? {}, timestamps);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw toTaskError(task, error, { model, service, naming });
  }
}

function inputOf(schema: NormalizedSchema, parameters: Json, name: string): Record<string, unknown> {
  try {
    const given = isObject(parameters) ? parameters : {};
    return schema.isUnitSchema() ? {} : (toInput(schema, given) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof BadParameter)) throw error;
    throw new Error(`The Parameters '${JSON.stringify(parameters)}' could not be used to start the Task of ${name}: [${error.message}]`);
  }
}

/** Client tokens are made of the attempt's key, so that a call made again after a kill finds what the first did. */
function withToken(schema: NormalizedSchema, input: Record<string, unknown>, { call }: Task): Record<string, unknown> {
  if (schema.isUnitSchema()) return input;
  const member = [...schema.structIterator()].find(([name, inner]) => inner.isIdempotencyToken() && input[name] === undefined)?.[0];
  return member === undefined ? input : { ...input, [member]: attemptToken(call.idempotencyKey) };
}

/** A text in the form of a UUID that is the same for the same attempt. */
export function attemptToken(idempotencyKey: string): string {
  const hex = createHash("sha256").update(idempotencyKey).digest("hex");
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
}

interface Naming {
  readonly model: SdkModel;
  readonly service: SdkService;
  readonly naming: ErrorNaming | undefined;
}

function toTaskError(task: Task, error: AwsError, named: Naming): TaskError {
  const { service, naming } = named;
  const requestId = task.core.random.uuid();
  return new TaskError(
    `${naming?.prefix ?? service.prefix}.${errorName(error.code, named)}`,
    `${error.message} (Service: ${service.prefix}, Status Code: ${error.status}, Request ID: ${requestId})`,
  );
}

/** Errors that a model knows keep their name, with `Exception` at its end; others carry the service's own. */
function errorName(code: string, { model, service, naming }: Naming): string {
  // S3's model has AccessDenied by now; Step Functions goes on to call it S3Exception.
  const known = code === "AccessDenied" ? undefined : model.errors.get(code);
  if (known === undefined) return naming?.unknown ?? `${service.prefix}Exception`;
  return known.endsWith("Exception") ? known : `${known}Exception`;
}

/** What optimized integrations add to an answer. */
export function sdkMetadata({ core }: Task): Record<string, Json> {
  const requestId = core.random.uuid();
  return {
    SdkHttpMetadata: {
      AllHttpHeaders: { "x-amzn-RequestId": [requestId] },
      HttpHeaders: { "x-amzn-RequestId": requestId },
      HttpStatusCode: 200,
    },
    SdkResponseMetadata: { RequestId: requestId },
  };
}
