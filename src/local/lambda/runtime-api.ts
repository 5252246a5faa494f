import { text } from "node:stream/consumers";
import type { PathHandler, WireRequest, WireResponse } from "../gateway/service.ts";
import type { Handover } from "./conversation.ts";
import type { Lambda } from "./service-parts.ts";
import type { Worker } from "./worker.ts";

const ROUTE = /^\/_lambda\/([0-9a-f]+)\/2018-06-01\/runtime\/(invocation\/next|init\/error|invocation\/([^/]+)\/(response|error))$/;
const CODE = /^\/_lambda\/code\/([0-9a-f]+)$/;

/**
 * What processes of functions say to Lambda, at a path that only the process itself knows; and downloads of code.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export const runtimeApi = (lambda: Lambda): PathHandler => ({
  prefix: "/_lambda/",
  async handle(request) {
    const code = lambda.downloads.get(CODE.exec(request.path)?.[1] ?? "");
    if (code !== undefined) return { status: 200, headers: { "content-type": "application/zip" }, body: lambda.core.blobs.open(code) };
    const [, token = "", step = "", requestId = "", kind] = ROUTE.exec(request.path) ?? [];
    const worker = lambda.pool.worker(token);
    if (worker === undefined)
      return { status: 403, body: JSON.stringify({ errorType: "Forbidden", errorMessage: "this is no process of a function" }) };
    if (step === "invocation/next") return next(worker);
    return answer(worker, request, { requestId, kind });
  },
});

async function next(worker: Worker): Promise<WireResponse> {
  const gone = new Promise<undefined>((resolve) => worker.ended.addEventListener("abort", () => resolve(undefined), { once: true }));
  const handover = await Promise.race([worker.conversation.next(), gone]);
  if (handover === undefined) return { status: 410 };
  return { status: 200, headers: headersOf(handover), body: handover.invocation.payload };
}

const headersOf = ({ invocation, deadlineMs, functionArn }: Handover): Record<string, string> => ({
  "content-type": "application/json",
  "lambda-runtime-aws-request-id": invocation.requestId,
  "lambda-runtime-deadline-ms": String(deadlineMs),
  "lambda-runtime-invoked-function-arn": functionArn,
  ...(invocation.clientContext !== undefined && {
    "lambda-runtime-client-context": Buffer.from(invocation.clientContext, "base64").toString("utf8"),
  }),
});

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ANSWER_BYTES = 6_291_556;

async function answer(
  worker: Worker,
  request: WireRequest,
  { requestId, kind }: { readonly requestId: string; readonly kind: string | undefined },
): Promise<WireResponse> {
  const payload = await text(request.body);
  if (kind === undefined) worker.conversation.fail(payload);
  else if (Buffer.byteLength(payload) > ANSWER_BYTES) worker.conversation.answer(requestId, { payload: tooLarge(payload), isError: true });
  else worker.conversation.answer(requestId, { payload, isError: kind === "error" });
  return { status: 202, headers: { "content-type": "application/json" }, body: JSON.stringify({ status: "OK" }) };
}

const tooLarge = (payload: string): string =>
  JSON.stringify({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: `Response payload size (${Buffer.byteLength(payload)} bytes) exceeded maximum allowed payload size (${ANSWER_BYTES} bytes).`,
  });
