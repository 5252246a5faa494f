import { operations } from "../../model/generated/tables.ts";
import { readRequest } from "../../model/request.ts";
import { routeOf } from "../../model/route.ts";
import type { OperationName } from "../../model/validate.ts";
import { notImplemented } from "../gateway/aws-error.ts";
import type { AwsErrorLike, Route, WireRequest, WireResponse } from "../gateway/service.ts";
import { invalid } from "./errors.ts";

/** Which operation a request names, its members, and how answers and errors travel: rest-json by the tables of `src/model`. */
export function route(request: WireRequest): Route | undefined {
  const found = routeOf(request.method, request.path);
  if (found === undefined) return undefined;
  if (found.kind === "other") throw notImplemented("omics", found.operation);
  const { operation, labels } = found;
  return {
    operation,
    input: () => Promise.resolve(readRequest(operation, { labels, query: new URLSearchParams(request.query), body: bodyOf(request) })),
    output: (result) => answer(operation, result),
    error,
  };
}

function bodyOf({ bytes }: WireRequest): Readonly<Record<string, unknown>> {
  if (bytes === undefined || bytes.length === 0) return {};
  const body = parsed(bytes);
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("The request body is not a JSON object");
  if (isDeeper(body, DEEPEST)) throw invalid(`The request body is nested more than ${DEEPEST} deep`);
  return body as Readonly<Record<string, unknown>>;
}

/** Deeper JSON than anybody sends on purpose would overflow the stack of whatever reads it. */
const DEEPEST = 500;

function isDeeper(value: object, depth: number): boolean {
  let level: readonly object[] = [value];
  for (let left = depth; left > 0 && level.length > 0; left--)
    level = level.flatMap(
      (item) => Object.values(item).filter((inner: unknown) => typeof inner === "object" && inner !== null) as object[],
    );
  return level.length > 0;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw invalid("The request body is not JSON");
  }
}

const JSON_TYPE = { "content-type": "application/json" };

/** 204 and operations without an output shape have no body: clients that parse one fail. */
function answer(operation: OperationName, result: unknown): WireResponse {
  const described = operations[operation];
  const hasBody = "output" in described && described.status !== 204;
  return hasBody ? { status: described.status, headers: JSON_TYPE, body: JSON.stringify(result ?? {}) } : { status: described.status };
}

/** Names of the model, for what the gateway and IAM name otherwise: iam:PassRole is refused in IAM's own word. */
const MODEL_NAMES: Readonly<Record<string, string>> = { AccessDenied: "AccessDeniedException", InternalFailure: "InternalServerException" };

const error = ({ status, code, message }: AwsErrorLike): WireResponse => ({
  status,
  headers: { ...JSON_TYPE, "x-amzn-errortype": MODEL_NAMES[code] ?? code },
  body: JSON.stringify({ message }),
});
