import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { ErrorShape, Member, Operation, Shape } from "../../src/model/shape.ts";

/** The parts of botocore's `service-2.json` that the tables are made of. */
interface ServiceModel {
  readonly operations: Readonly<Record<string, RawOperation>>;
  readonly shapes: Readonly<Record<string, RawShape>>;
}

interface RawOperation {
  readonly http: { readonly method: Operation["method"]; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly errors?: readonly { readonly shape: string }[];
  readonly endpoint?: { readonly hostPrefix?: string };
}

interface RawShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly members?: Readonly<Record<string, RawMember>>;
  readonly required?: readonly string[];
  readonly union?: boolean;
  readonly document?: boolean;
  readonly exception?: boolean;
  readonly fault?: boolean;
  readonly error?: { readonly httpStatusCode: number };
}

interface RawMember {
  readonly shape: string;
  readonly location?: string;
  readonly idempotencyToken?: boolean;
}

/** The tables of one service model. */
export interface Tables {
  readonly operations: Record<string, Operation>;
  /** Operations of the service whose requests are not described: method, path and name only. */
  readonly others: Record<string, Pick<Operation, "method" | "uri">>;
  readonly shapes: Record<string, Shape>;
  readonly errors: Record<string, ErrorShape>;
}

/** Reads `service-2.json` or `service-2.json.gz` and keeps what the wanted operations reach. */
export function readModel(file: string, isWanted: (uri: string) => boolean): Tables {
  const bytes = readFileSync(file);
  const text = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  const model = JSON.parse(text.toString("utf8")) as ServiceModel;
  const tables: Tables = { operations: {}, others: {}, shapes: {}, errors: {} };
  for (const [name, raw] of Object.entries(model.operations).sort(byName)) {
    const { method, requestUri: uri } = raw.http;
    if (isWanted(uri)) addOperation(model, tables, { name, raw });
    else tables.others[name] = { method, uri };
  }
  return sorted(tables);
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const sortRecord = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(byName)) as Record<string, T>;

const sorted = (tables: Tables): Tables => ({
  operations: sortRecord(tables.operations),
  others: sortRecord(tables.others),
  shapes: sortRecord(tables.shapes),
  errors: sortRecord(tables.errors),
});

function addOperation(model: ServiceModel, tables: Tables, { name, raw }: { name: string; raw: RawOperation }): void {
  const output = raw.output?.shape;
  tables.operations[name] = {
    method: raw.http.method,
    uri: raw.http.requestUri,
    status: raw.http.responseCode ?? 200,
    hostPrefix: raw.endpoint?.hostPrefix ?? "",
    input: raw.input?.shape ?? "Unit",
    ...(output !== undefined && { output }),
    errors: (raw.errors ?? []).map((error) => error.shape).sort(),
  };
  for (const shape of [raw.input?.shape, output]) if (shape !== undefined) addShape(model, tables, shape);
  for (const { shape } of raw.errors ?? []) addError(model, tables, shape);
}

function addError(model: ServiceModel, tables: Tables, name: string): void {
  const raw = model.shapes[name];
  if (raw?.error === undefined) throw new Error(`the model has no HTTP status for the error ${name}`);
  tables.errors[name] = { status: raw.error.httpStatusCode, fault: raw.fault ? "server" : "client" };
}

function addShape(model: ServiceModel, tables: Tables, name: string): void {
  if (tables.shapes[name] !== undefined) return;
  const raw = model.shapes[name];
  if (raw === undefined) throw new Error(`the model has no shape ${name}`);
  tables.shapes[name] = shapeOf(raw);
  const reached = [raw.member, raw.key, raw.value, ...Object.values(raw.members ?? {})];
  for (const next of reached) if (next !== undefined) addShape(model, tables, next.shape);
}

function shapeOf(raw: RawShape): Shape {
  const limits = { ...(raw.min !== undefined && { min: raw.min }), ...(raw.max !== undefined && { max: raw.max }) };
  switch (raw.type) {
    case "string":
      return {
        type: "string",
        ...limits,
        ...(raw.pattern !== undefined && { pattern: raw.pattern }),
        ...(raw.enum !== undefined && { enum: raw.enum }),
      };
    case "integer":
    case "long":
      return { type: raw.type, ...limits };
    case "list":
      return { type: "list", member: raw.member?.shape ?? "", ...limits };
    case "map":
      return { type: "map", key: raw.key?.shape ?? "", value: raw.value?.shape ?? "", ...limits };
    case "structure":
      return raw.document ? { type: "document" } : structureOf(raw);
    case "boolean":
    case "timestamp":
    case "blob":
      return { type: raw.type };
    default:
      throw new Error(`the model has a type nobody expected: ${raw.type}`);
  }
}

function structureOf(raw: RawShape): Shape {
  const members = Object.entries(raw.members ?? {}).map(([name, member]) => [name, memberOf(member)] as const);
  return {
    type: "structure",
    ...(raw.union && { union: true as const }),
    ...(raw.required?.length && { required: raw.required }),
    members: Object.fromEntries(members),
  };
}

const memberOf = (raw: RawMember): Member => ({
  shape: raw.shape,
  ...((raw.location === "uri" || raw.location === "querystring") && { location: raw.location }),
  ...(raw.idempotencyToken && { idempotencyToken: true as const }),
});
