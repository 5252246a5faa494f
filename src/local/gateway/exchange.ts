import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { parseAccountId } from "../../kit/account-id.ts";
import { authenticate, type Authenticated, presentedBy } from "./authenticate.ts";
import { AwsError, notImplemented } from "./aws-error.ts";
import { accountOf, globalContext } from "./dispatcher.ts";
import { sdkRouter, xmlError } from "./protocol/sdk-wire.ts";
import { readBody } from "./read-body.ts";
import { openBody } from "./request-body.ts";
import type { Call, PathHandler, Route, Service, WireRequest, WireResponse } from "./service.ts";
import type { Gateway } from "./server.ts";
import type { Presented, SignedRequest } from "./signed-request.ts";
import { isDiskFull } from "../storage/disk-full.ts";

/** What came over the wire, nothing decoded. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: Readable;
  readonly remoteAddress: string;
  readonly requestId: string;
}

type ErrorWriter = Route["error"];

/** The life of a request: find the service, verify the signature, open the body, route, ask IAM, run, answer. */
export async function answer(gateway: Gateway, incoming: Incoming): Promise<WireResponse> {
  const path = findPath(gateway, incoming);
  if (path) return path.handle({ ...incoming, body: incoming.raw });
  let writeError: ErrorWriter = plainError(incoming);
  try {
    const presented = presentedBy(signedRequest(incoming, ""));
    const service = findService(gateway, incoming, presented);
    writeError = await errorWriter(gateway, service, incoming);
    const { request, caller } = await open(gateway, { incoming, presented, service });
    const route = (await routerOf(gateway, service))(request);
    if (!route) throw notImplemented(service.name, describeRequest(incoming));
    writeError = route.error;
    const call = callOf(gateway, { incoming, caller });
    return route.output(await gateway.dispatcher.run(service, route.operation, await route.input(), call));
  } catch (error) {
    return writeError(asAwsError(gateway, error, incoming), incoming.requestId);
  }
}

function findPath(gateway: Gateway, { path, headers }: Incoming): PathHandler | undefined {
  if (headers["authorization"]?.startsWith("AWS4-HMAC-SHA256 ")) return undefined;
  return gateway.paths.find(({ prefix }) => path.startsWith(prefix) || path === prefix.replace(/\/$/, ""));
}

/** The service named by the signature; a request without one can only be meant for S3. */
function findService(gateway: Gateway, incoming: Incoming, presented: Presented | undefined): Service {
  const name = presented ? presented.scope.service || "s3" : "s3";
  const service = gateway.services.get(name);
  if (!service) throw notImplemented(name, describeRequest(incoming));
  return service;
}

interface Opening {
  readonly incoming: Incoming;
  readonly presented: Presented | undefined;
  readonly service: Service;
}

async function open(gateway: Gateway, { incoming, presented, service }: Opening): Promise<{ request: WireRequest; caller: Authenticated }> {
  if (service.name === "s3") {
    const unsigned = presented?.kind === "header" ? undefined : "UNSIGNED-PAYLOAD";
    const caller = authenticate(signedRequest(incoming, incoming.headers["x-amz-content-sha256"] ?? unsigned ?? ""), presented, gateway);
    const body = openBody(incoming.raw, { headers: incoming.headers, ...(caller.chunks && { chunks: caller.chunks }) });
    return { request: { ...incoming, body }, caller };
  }
  // What is too long is read to its end all the same: a sender that is cut off never reads why.
  const bytes = await readBody(incoming.raw.iterator({ destroyOnReturn: false }));
  const digest = createHash("sha256").update(bytes).digest("hex");
  const caller = authenticate(signedRequest(incoming, digest), presented, gateway);
  return { request: { ...incoming, bytes, body: Readable.from([bytes], { objectMode: false }) }, caller };
}

const signedRequest = ({ method, path, query, headers }: Incoming, payloadSha256: string): SignedRequest => ({
  method,
  rawPath: path,
  rawQuery: query,
  headers,
  payloadSha256,
});

async function routerOf(gateway: Gateway, service: Service): Promise<(request: WireRequest) => Route | undefined> {
  const known = gateway.routers.get(service.name);
  if (known) return known;
  const { wire } = service;
  const router = wire.kind === "http" ? (request: WireRequest) => wire.route(request) : await sdkRouter(service.name, wire);
  gateway.routers.set(service.name, router);
  return router;
}

function callOf(gateway: Gateway, { incoming, caller }: { readonly incoming: Incoming; readonly caller: Authenticated }): Call {
  const region = caller.presented?.scope.region || gateway.settings.region;
  return {
    caller: caller.caller,
    account: parseAccountId(accountOf(caller.caller, gateway.settings.accounts[0]?.id ?? "000000000000")),
    region,
    requestId: incoming.requestId,
    endpoint: gateway.endpoint(),
    context: {
      ...globalContext(gateway.clock, region),
      "aws:SourceIp": incoming.remoteAddress.replace(/^::ffff:/, ""),
      "aws:UserAgent": incoming.headers["user-agent"] ?? "",
    },
    http: { method: incoming.method, headers: incoming.headers, rawPath: incoming.path, rawQuery: incoming.query },
  };
}

/** Errors that happen before a route is known are still written in the service's own form. */
async function errorWriter(gateway: Gateway, service: Service, incoming: Incoming): Promise<ErrorWriter> {
  if (service.wire.kind === "http") return plainError(incoming);
  await routerOf(gateway, service);
  switch (service.wire.protocol) {
    case "rest-xml":
      return xmlError;
    case "query":
      return queryError;
    default:
      return plainError(incoming);
  }
}

/** In JSON, unless the request is a form: those clients read XML, in one of two shapes. */
function plainError({ headers }: Incoming): ErrorWriter {
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return headers["authorization"]?.includes("/ec2/aws4_request") ? ec2Error : queryError;
  return (error) => ({
    status: error.status,
    headers: { "content-type": "application/json", "x-amzn-errortype": error.code },
    body: JSON.stringify({ __type: error.code, message: error.message }),
  });
}

const inXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const queryError: ErrorWriter = ({ status, code, message }, requestId) => ({
  status,
  headers: { "content-type": "text/xml" },
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${inXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
});

const ec2Error: ErrorWriter = ({ status, code, message }, requestId) => ({
  status,
  headers: { "content-type": "text/xml" },
  body: `<Response><Errors><Error><Code>${code}</Code><Message>${inXml(message)}</Message></Error></Errors><RequestID>${requestId}</RequestID></Response>`,
});

const describeRequest = ({ method, path, headers }: Incoming): string => headers["x-amz-target"]?.split(".").at(-1) ?? `${method} ${path}`;

function asAwsError(gateway: Gateway, error: unknown, incoming: Incoming): AwsError {
  if (error instanceof AwsError) return error;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  gateway.log("gateway", `${describeRequest(incoming)} (${incoming.requestId}): ${stack ?? message}`);
  return isDiskFull(error)
    ? new AwsError(500, "InternalFailure", "the disk of the local accounts is full; free some space and try again")
    : new AwsError(500, "InternalFailure", `the local accounts failed: ${message}`);
}
