import type { InvocationRequest, InvocationResponse } from "@aws-sdk/client-lambda";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { badPayload, payloadTooLarge } from "./errors.ts";
import { findFunction, functionAccess, type Lambda } from "./service-parts.ts";
import type { FunctionDocument } from "./store.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const SYNC_BYTES = 6_291_556;
const ASYNC_BYTES = 1_048_576;

/** The operation everything is about. */
export const invokeOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  Invoke: operation<InvocationRequest, InvocationResponse>({
    access: (input, call) => [functionAccess(lambda, "InvokeFunction", call, input)],
    run(input, call) {
      const of = findFunction(lambda, call, input);
      if (input.InvocationType === "DryRun") return { StatusCode: 204 };
      const payload = readPayload(input.Payload, input.InvocationType === "Event" ? ASYNC_BYTES : SYNC_BYTES);
      return input.InvocationType === "Event"
        ? queue(lambda, of, { payload, requestId: call.requestId })
        : invoke(lambda, of, { input, payload, call });
    },
  }),
});

function queue(
  { queue: waiting }: Lambda,
  { arn }: FunctionDocument,
  { payload, requestId }: { readonly payload: string; readonly requestId: string },
): InvocationResponse {
  waiting.put({ functionArn: arn, payload, requestId });
  return { StatusCode: 202 };
}

interface Request {
  readonly input: InvocationRequest;
  readonly payload: string;
  readonly call: Call;
}

async function invoke({ pool }: Lambda, of: FunctionDocument, { input, payload, call }: Request): Promise<InvocationResponse> {
  const result = await pool.invoke(of, { payload, requestId: call.requestId, clientContext: input.ClientContext });
  return {
    StatusCode: 200,
    ExecutedVersion: "$LATEST",
    Payload: Buffer.from(result.payload),
    ...(result.functionError !== undefined && { FunctionError: result.functionError }),
    ...(input.LogType === "Tail" && { LogResult: Buffer.from(result.logTail).toString("base64") }),
  };
}

function readPayload(bytes: Uint8Array | undefined, limit: number): string {
  const text = Buffer.from(bytes ?? []).toString("utf8");
  if (text === "") return "{}";
  if (Buffer.byteLength(text) > limit) throw payloadTooLarge(Buffer.byteLength(text), limit);
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw badPayload((error as Error).message);
  }
}
