import type { Readable } from "node:stream";
import type { Clock } from "../../../kit/clock.ts";
import type { Core, PathHandler, WireRequest, WireResponse } from "../../gateway/service.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import { isObject } from "../engine/values.ts";
import type { Json } from "../resource-provider.ts";

/** What a custom resource's function answers. */
export interface CustomResponse {
  readonly Status: "SUCCESS" | "FAILED";
  readonly Reason?: string;
  readonly PhysicalResourceId?: string;
  readonly Data?: Json;
}

/** An answer that is waited for. */
export interface Expected {
  /** Where the answer is to be PUT. */
  readonly url: string;
  /** Rejects when the time is over, or the signal aborts. */
  readonly response: Promise<CustomResponse>;
  isAnswered(): boolean;
}

/** Answers of custom resources: expected here, kept durably when they come. */
export interface Responses extends PathHandler {
  /** Expects the answer to a step; one that came before a restart is there at once. */
  expect(token: string, limit: Limit): Expected;
}

/** How long an answer is waited for. */
export interface Limit {
  readonly seconds: number;
  readonly signal: AbortSignal;
}

interface ResponseRecord {
  /** Part of the URL: nobody answers who was not asked. */
  readonly secret: string;
  readonly response?: CustomResponse;
}

const PREFIX = "/cloudformation-responses/";
const LARGEST = 4096;
const TIMED_OUT = "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId";

/** Opens the mailbox of custom resources' answers. */
export function openResponses(core: Pick<Core, "database" | "clock" | "random" | "endpoint">): Responses {
  const records = core.database.collection<ResponseRecord>("cloudformation.responses");
  const waiting: Waiting = new Map();
  return {
    prefix: PREFIX,
    async handle(request) {
      const [token = "", secret] = request.path.slice(PREFIX.length).split("/");
      const record = records.get([token]);
      if (!record || record.secret !== secret) return refusal(403, "AccessDenied: nobody waits for an answer at this address");
      if (request.method !== "PUT") return refusal(405, "MethodNotAllowed: an answer is PUT");
      const response = await read(request);
      if (!response) return refusal(400, "the answer of a custom resource is a JSON object of at most 4096 bytes with a Status");
      // The first answer counts.
      if (!record.response) records.put([token], { ...record, response });
      waiting.get(token)?.(record.response ?? response);
      return { status: 200, body: "" };
    },
    expect(token, limit) {
      const record = records.get([token]) ?? { secret: core.random.hex(32) };
      records.put([token], record);
      const response = record.response ? Promise.resolve(record.response) : answerTo(token, limit, { clock: core.clock, waiting });
      return {
        url: `${core.endpoint()}${PREFIX}${token}/${record.secret}`,
        response,
        isAnswered: () => records.get([token])?.response !== undefined,
      };
    },
  };
}

/** By token: who wants to know of an answer when it comes. */
type Waiting = Map<string, (response: CustomResponse) => void>;

function answerTo(
  token: string,
  { seconds, signal }: Limit,
  { clock, waiting }: { readonly clock: Clock; readonly waiting: Waiting },
): Promise<CustomResponse> {
  const over = new AbortController();
  const answered = new Promise<CustomResponse>((resolve) => waiting.set(token, resolve));
  const timedOut = clock.sleep(seconds * 1000, AbortSignal.any([signal, over.signal])).then(() => {
    throw new AwsError(408, "NotStabilized", `${TIMED_OUT} [${token}].`);
  });
  const first = Promise.race([answered, timedOut]).finally(() => {
    waiting.delete(token);
    over.abort();
  });
  // The loser of a race whose winner nobody awaits any more must not bring the process down.
  first.catch(() => undefined);
  timedOut.catch(() => undefined);
  return first;
}

const refusal = (status: number, body: string): WireResponse => ({ status, headers: { "content-type": "text/plain" }, body });

async function read({ body }: WireRequest): Promise<CustomResponse | undefined> {
  const text = await textOf(body);
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isResponse(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const isResponse = (value: unknown): value is CustomResponse =>
  isObject(value) && (value["Status"] === "SUCCESS" || value["Status"] === "FAILED");

async function textOf(body: Readable): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return bytes.length > LARGEST ? undefined : bytes.toString("utf8");
}
