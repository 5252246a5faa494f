import { isArn, parseArn } from "../../../kit/arn.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import { TaskError } from "../asl/errors.ts";
import { isObject, type Json, parseJson } from "../asl/json.ts";
import { sdkMetadata } from "./sdk-call.ts";
import type { Integration, Task } from "./task.ts";

interface Invocation {
  readonly FunctionName: string;
  readonly Payload: Uint8Array;
  readonly Qualifier?: string;
  readonly InvocationType?: string;
  readonly ClientContext?: string;
}

interface Answer {
  readonly StatusCode?: number;
  readonly FunctionError?: string;
  readonly Payload?: Uint8Array;
  readonly ExecutedVersion?: string;
}

/** A function's own ARN as Resource: the payload goes in and its result comes out as they are. */
export async function invokeFunction(task: Task, functionArn: string): Promise<Json> {
  const answer = await invoke(task, { FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(task.call.parameters)) });
  return payloadOf(answer);
}

/** `lambda:invoke`. https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html */
export const lambdaIntegration: Integration = {
  patterns: ["waitForTaskToken"],
  async request(task) {
    const answer = await invoke(task, invocationOf(task.call.parameters));
    return {
      ExecutedVersion: answer.ExecutedVersion ?? "$LATEST",
      Payload: payloadOf(answer),
      ...sdkMetadata(task),
      StatusCode: answer.StatusCode ?? 200,
    };
  },
};

function invocationOf(parameters: Json): Invocation {
  const { FunctionName, Payload, Qualifier, InvocationType, ClientContext } = isObject(parameters) ? parameters : {};
  if (typeof FunctionName !== "string") throw new Error("The Parameters of lambda:invoke need the field FunctionName");
  return {
    FunctionName,
    Payload: Buffer.from(Payload === undefined ? "{}" : JSON.stringify(Payload)),
    ...(typeof Qualifier === "string" && { Qualifier }),
    ...(typeof InvocationType === "string" && { InvocationType }),
    ...(typeof ClientContext === "string" && { ClientContext }),
  };
}

async function invoke(task: Task, input: Invocation): Promise<Answer> {
  const account = isArn(input.FunctionName) ? parseArn(input.FunctionName).account : undefined;
  let answer: Answer;
  try {
    answer = await task.core.dispatcher.call<Answer>({
      service: "lambda",
      operation: "Invoke",
      input,
      as: task.as,
      region: task.region,
      ...(account && { account }),
    });
  } catch (error) {
    if (error instanceof AwsError) throw serviceError(task, error);
    throw error;
  }
  if (answer.FunctionError !== undefined) throw functionError(Buffer.from(answer.Payload ?? []).toString("utf8"));
  return answer;
}

const MODELLED =
  /^(ResourceNotFoundException|TooManyRequestsException|ServiceException|InvalidParameterValueException|InvalidRequestContentException|RequestTooLargeException)$/;

function serviceError({ core }: Task, { code, message, status }: AwsError): TaskError {
  const name = MODELLED.test(code) ? code : "AWSLambdaException";
  return new TaskError(`Lambda.${name}`, `${message} (Service: Lambda, Status Code: ${status}, Request ID: ${core.random.uuid()})`);
}

/** An error of the function's own: its type is the error's name and all of its payload the cause. */
function functionError(payload: string): TaskError {
  const parsed = readJson(payload);
  const type = isObject(parsed) ? parsed["errorType"] : undefined;
  if (typeof type === "string") return new TaskError(type, payload);
  return new TaskError(
    "Lambda.Unknown",
    `The cause could not be determined because Lambda did not return an error type. Returned payload: ${payload}`,
  );
}

function payloadOf({ Payload }: Answer): Json {
  const text = Buffer.from(Payload ?? []).toString("utf8");
  return text === "" ? {} : (readJson(text) ?? text);
}

function readJson(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
