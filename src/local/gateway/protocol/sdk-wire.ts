import type { AwsErrorLike, Route, Wire, WireRequest, WireResponse } from "../service.ts";
import { AwsError } from "../aws-error.ts";
import { readBody } from "../read-body.ts";
import { type BodyCodec, escapeXml, jsonCodec, xmlCodec } from "./codecs.ts";
import { readQueryInput } from "./query-input.ts";
import { isStream, readBindings, writeBindings } from "./rest-bindings.ts";
import { restRouter } from "./rest-router.ts";
import { missingMember, type ModelOperation, operationsOf } from "./shape-model.ts";

type SdkWire = Extract<Wire, { kind: "sdk" }>;
type Router = (request: WireRequest) => Route | undefined;

/** XML namespaces that clients of query services expect; the SDKs read answers without looking at it. */
const XML_NAMESPACE: Readonly<Record<string, string>> = {
  "com.amazonaws.s3": "http://s3.amazonaws.com/doc/2006-03-01/",
  "com.amazonaws.sts": "https://sts.amazonaws.com/doc/2011-06-15/",
  "com.amazonaws.iam": "https://iam.amazonaws.com/doc/2010-05-08/",
  "com.amazonaws.cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
  "com.amazonaws.sns": "http://sns.amazonaws.com/doc/2010-03-31/",
};

/** Routes requests of a service whose wire form the SDK's schemas describe. The model is loaded at the first request. */
export async function sdkRouter(service: string, wire: SdkWire): Promise<Router> {
  const operations = operationsOf(await wire.model());
  switch (wire.protocol) {
    case "json1.0":
    case "json1.1":
      return jsonRoutes(operations, wire.protocol === "json1.0" ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1");
    case "query":
      return queryRoutes(operations);
    case "rest-json":
      return restRoutes(operations, { codec: jsonCodec("application/json"), prefix: "", error: jsonError("application/json") });
    case "rest-xml":
      return restRoutes(operations, {
        codec: xmlCodec(`com.amazonaws.${service}`, XML_NAMESPACE[`com.amazonaws.${service}`] ?? ""),
        prefix: service === "s3" ? "/{Bucket}" : "",
        error: (error, requestId) => xmlError(error, requestId),
      });
  }
}

function jsonRoutes(operations: ReadonlyMap<string, ModelOperation>, contentType: string): Router {
  const codec = jsonCodec(contentType);
  return (request) => {
    const name = request.headers["x-amz-target"]?.split(".").at(-1) ?? "";
    const operation = operations.get(name);
    if (!operation) return undefined;
    return {
      operation: name,
      input: async () => checked(operation, await read(codec, operation, await readBody(request.body))),
      output: (result) => ({
        status: 200,
        headers: { "content-type": contentType },
        body: operation.output.isUnitSchema() ? "{}" : codec.write(operation.output, result ?? {}),
      }),
      error: jsonError(contentType),
    };
  };
}

async function read(codec: BodyCodec, operation: ModelOperation, body: Uint8Array): Promise<Record<string, unknown>> {
  try {
    return operation.input.isUnitSchema() ? {} : await codec.read(operation.input, body);
  } catch (error) {
    throw new AwsError(400, "SerializationException", `the body is not what ${operation.name} takes: ${(error as Error).message}`);
  }
}

function checked(operation: ModelOperation, input: Record<string, unknown>): Record<string, unknown> {
  const missing = operation.input.isUnitSchema() ? undefined : missingMember(operation.input, input);
  if (missing === undefined) return input;
  const member = missing.charAt(0).toLowerCase() + missing.slice(1);
  throw new AwsError(
    400,
    "ValidationException",
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

const jsonError =
  (contentType: string) =>
  (error: AwsErrorLike, _requestId: string): WireResponse => ({
    status: error.status,
    headers: { "content-type": contentType, "x-amzn-errortype": error.code },
    body: JSON.stringify({ __type: error.code, message: error.message, Message: error.message, ...error.details }),
  });

function queryRoutes(operations: ReadonlyMap<string, ModelOperation>): Router {
  return (request) => {
    const form = request.bytes?.length ? request.bytes.toString("utf8") : request.query;
    const name = new URLSearchParams(form).get("Action") ?? "";
    const operation = operations.get(name);
    if (!operation) return undefined;
    const codec = xmlCodec(operation.namespace, XML_NAMESPACE[operation.namespace] ?? "");
    return {
      operation: name,
      input: async () => checked(operation, operation.input.isUnitSchema() ? {} : readQueryInput(operation.input, form)),
      output: (result) => queryAnswer(operation, codec, result),
      error: queryError,
    };
  };
}

function queryAnswer(operation: ModelOperation, codec: BodyCodec, result: unknown): WireResponse {
  const { name } = operation;
  const written = operation.output.isUnitSchema() ? "" : codec.write(operation.output, result ?? {});
  const inner = written.replace(/^<[^>]*?(\/?)>/, "").replace(/<\/[^<>]+>$/, "");
  const xmlns = XML_NAMESPACE[operation.namespace] ?? "";
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body: `<${name}Response xmlns="${xmlns}"><${name}Result>${inner}</${name}Result><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></${name}Response>`,
  };
}

const queryError = (error: AwsErrorLike, requestId: string): WireResponse => ({
  status: error.status,
  headers: { "content-type": "text/xml" },
  body: `<ErrorResponse><Error><Type>${error.status < 500 ? "Sender" : "Receiver"}</Type><Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
});

export const xmlError = (error: AwsErrorLike, requestId: string): WireResponse => ({
  status: error.status,
  headers: { "content-type": "application/xml", ...error.headers },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message>${Object.entries(
    error.details,
  )
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join("")}<RequestId>${requestId}</RequestId></Error>`,
});

interface RestOptions {
  readonly codec: BodyCodec;
  readonly prefix: string;
  error(error: AwsErrorLike, requestId: string): WireResponse;
}

function restRoutes(operations: ReadonlyMap<string, ModelOperation>, { codec, prefix, error }: RestOptions): Router {
  const s3 = prefix !== "";
  const withBucket = restRouter(
    [...operations.values()].filter((operation) => !isRoot(operation)),
    prefix,
  );
  const atRoot = restRouter(
    [...operations.values()].filter((operation) => !s3 || isRoot(operation)),
    "",
  );
  return (request) => {
    const query = new URLSearchParams(request.query.replaceAll("+", "%20"));
    const match = (s3 && request.path !== "/" ? withBucket : atRoot)(request.method, request.path, query, request.headers);
    if (!match) return undefined;
    const { operation, labels } = match;
    return {
      operation: operation.name,
      error,
      input: async () => {
        const { input, payload } = await readBindings(operation.input, { labels, query, headers: request.headers });
        if (payload?.[1].isStreaming()) return checked(operation, { ...input, [payload[0]]: request.body });
        const body = await readBody(request.body);
        if (!payload) return checked(operation, { ...(await read(codec, operation, body)), ...input });
        if (body.byteLength === 0) return checked(operation, input);
        if (payload[1].isBlobSchema()) return checked(operation, { ...input, [payload[0]]: body });
        if (payload[1].isStringSchema()) return checked(operation, { ...input, [payload[0]]: Buffer.from(body).toString("utf8") });
        return checked(operation, { ...input, [payload[0]]: await codec.read(payload[1], body) });
      },
      output: (result) => restAnswer(operation, codec, (result ?? {}) as Record<string, unknown>),
    };
  };
}

/** S3's ListBuckets is the only operation that names no bucket. */
const isRoot = (operation: ModelOperation): boolean =>
  operation.http?.[1] === "/?x-id=ListBuckets" || operation.name === "ListBuckets" || operation.name === "ListDirectoryBuckets";

/** The one answer of S3 whose single member is its root (trait s3UnwrappedXmlOutput, which the SDK's schemas lack). */
const bucketLocation = ({ LocationConstraint }: Record<string, unknown>): string =>
  `<LocationConstraint xmlns="${XML_NAMESPACE["com.amazonaws.s3"]}">${String(LocationConstraint ?? "")}</LocationConstraint>`;

function restAnswer(operation: ModelOperation, codec: BodyCodec, output: Record<string, unknown>): WireResponse {
  const status = operation.http?.[2] ?? 200;
  if (operation.output.isUnitSchema()) return { status };
  const bound = writeBindings(operation.output, output);
  const partial = bound.headers["Content-Range"] === undefined ? status : 206;
  const response = { status: bound.status ?? partial, headers: { ...bound.headers } };
  if (operation.name === "GetBucketLocation") return { ...response, body: bucketLocation(output) };
  if (bound.payload) {
    const [schema, value] = bound.payload;
    if (isStream(value) || value instanceof Uint8Array || typeof value === "string") return { ...response, body: value };
    return { ...response, headers: { "content-type": codec.contentType, ...response.headers }, body: codec.write(schema, value) };
  }
  const members = [...operation.output.structIterator()].some(([, member]) => {
    const traits = member.getMergedTraits();
    return !traits.httpHeader && !traits.httpPayload && traits.httpPrefixHeaders === undefined && !traits.httpResponseCode;
  });
  if (!members || status === 204) return response;
  return {
    ...response,
    headers: { "content-type": codec.contentType, ...response.headers },
    body: codec.write(operation.output, bound.body),
  };
}
