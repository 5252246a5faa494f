import type { NormalizedSchema } from "@smithy/core/schema";
import { FromStringShapeDeserializer, ToStringShapeSerializer } from "@smithy/core/protocols";
import type { Readable } from "node:stream";

// Headers carry http-date unless a member says otherwise (Smithy, "httpHeader trait"); queries and labels date-time.
const settings = { timestampFormat: { useTrait: true, default: 5 as const }, httpBindings: true };
const fromText = new FromStringShapeDeserializer(settings);
const toText = new ToStringShapeSerializer(settings);

export interface BoundRequest {
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
}

/** Members that travel outside the body, and the member that is the body, if one is. */
export async function readBindings(
  schema: NormalizedSchema,
  request: BoundRequest,
): Promise<{ input: Record<string, unknown>; payload?: readonly [string, NormalizedSchema] }> {
  const input: Record<string, unknown> = {};
  let payload: readonly [string, NormalizedSchema] | undefined;
  for (const [name, member] of schema.structIterator()) {
    const traits = member.getMergedTraits();
    if (traits.httpPayload) payload = [name, member];
    else if (traits.httpPrefixHeaders !== undefined) input[name] = prefixed(request.headers, traits.httpPrefixHeaders.toLowerCase());
    else {
      const found = await bound(name, member, request);
      if (found !== undefined) input[name] = found;
    }
  }
  return payload ? { input, payload } : { input };
}

async function bound(name: string, member: NormalizedSchema, request: BoundRequest): Promise<unknown> {
  const { httpLabel, httpQuery, httpHeader } = member.getMergedTraits();
  if (httpLabel) return scalar(member, request.labels[name]);
  if (httpHeader) {
    const text = request.headers[httpHeader.toLowerCase()];
    if (text === undefined || !member.isListSchema()) return scalar(member, text);
    return Promise.all(text.split(",").map((part) => scalar(member.getValueSchema(), part.trim())));
  }
  if (!httpQuery) return undefined;
  if (!member.isListSchema()) return scalar(member, request.query.get(httpQuery) ?? undefined);
  const all = request.query.getAll(httpQuery);
  return all.length > 0 ? Promise.all(all.map((part) => scalar(member.getValueSchema(), part))) : undefined;
}

const scalar = async (schema: NormalizedSchema, text: string | undefined): Promise<unknown> =>
  text === undefined ? undefined : await fromText.read(schema, text);

const prefixed = (headers: Readonly<Record<string, string>>, prefix: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

export interface BoundResponse {
  readonly headers: Record<string, string>;
  status?: number;
  /** Members that go into the body. */
  readonly body: Record<string, unknown>;
  payload?: readonly [NormalizedSchema, unknown];
}

/** Parts an answer into headers, status and body as its schema demands. */
export function writeBindings(schema: NormalizedSchema, output: Readonly<Record<string, unknown>>): BoundResponse {
  const response: BoundResponse = { headers: {}, body: {} };
  for (const [name, member] of schema.structIterator()) {
    const value = output[name];
    if (value === undefined || value === null) continue;
    const traits = member.getMergedTraits();
    if (traits.httpPayload) response.payload = [member, value];
    else if (traits.httpResponseCode) response.status = Number(value);
    else if (traits.httpPrefixHeaders !== undefined)
      for (const [key, text] of Object.entries(value as Record<string, string>)) response.headers[traits.httpPrefixHeaders + key] = text;
    else if (traits.httpHeader) response.headers[traits.httpHeader] = headerText(member, value);
    else response.body[name] = value;
  }
  return response;
}

function headerText(member: NormalizedSchema, value: unknown): string {
  if (value instanceof Date) return value.toUTCString();
  if (Array.isArray(value)) return value.map(String).join(", ");
  if (typeof value === "string") return value;
  toText.write(member, value);
  return toText.flush();
}

/** Whether the value is a stream of bytes. */
export const isStream = (value: unknown): value is Readable => typeof value === "object" && value !== null && "pipe" in value;
