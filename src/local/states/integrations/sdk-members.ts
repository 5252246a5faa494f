import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { NormalizedSchema } from "@smithy/core/schema";
import { isArray, isObject, type Json, type JsonObject } from "../asl/json.ts";

/** A parameter that the operation does not take, or not of this type. */
export class BadParameter extends Error {
  override readonly name = "BadParameter";
}

/**
 * The name of a member as Step Functions writes it: that of the Java SDK with a capital, `repositoryName` → `RepositoryName`,
 * `SSEKMSKeyId` → `SsekmsKeyId`.
 */
export function pascalName(member: string): string {
  let end = 1;
  while (end < member.length && isUpper(member[end]) && !(end < member.length - 1 && isLower(member[end + 1]))) end += 1;
  const lowered = member.slice(0, end).toLowerCase() + member.slice(end);
  return lowered.charAt(0).toUpperCase() + lowered.slice(1);
}

const isUpper = (character: string | undefined) => character !== undefined && /[A-Z]/.test(character);
const isLower = (character: string | undefined) => character !== undefined && /[a-z]/.test(character);

/** A task's parameters as the operation's input. @throws BadParameter naming the field */
export function toInput(schema: NormalizedSchema, value: Json, field = ""): unknown {
  if (value === null || schema.isDocumentSchema()) return value;
  if (schema.isStructSchema()) return toStruct(schema, value, field);
  if (schema.isListSchema()) return listOf(value, field).map((item, index) => toInput(schema.getValueSchema(), item, `${field}[${index}]`));
  if (schema.isMapSchema())
    return Object.fromEntries(
      Object.entries(objectOf(value, field)).map(([name, item]) => [name, toInput(schema.getValueSchema(), item, `${field}.${name}`)]),
    );
  if (schema.isTimestampSchema()) return new Date(typeof value === "number" ? value * 1_000 : stringOf(value, field));
  if (schema.isBlobSchema()) return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  if (schema.isStringSchema()) return stringOf(value, field);
  return value;
}

function toStruct(schema: NormalizedSchema, value: Json, field: string): Record<string, unknown> {
  const members = new Map([...schema.structIterator()].map(([name, member]) => [pascalName(name), { name, member }]));
  const input: Record<string, unknown> = {};
  for (const [given, item] of Object.entries(objectOf(value, field))) {
    const found = members.get(given);
    if (found === undefined)
      throw new BadParameter(`The field "${field === "" ? "" : `${field}.`}${given}" is not supported by Step Functions`);
    input[found.name] = toInput(found.member, item, field === "" ? given : `${field}.${given}`);
  }
  return input;
}

function objectOf(value: Json, field: string): JsonObject {
  if (!isObject(value)) throw new BadParameter(`The value for the field '${field}' must be an OBJECT`);
  return value;
}

function listOf(value: Json, field: string): readonly Json[] {
  if (!isArray(value)) throw new BadParameter(`The value for the field '${field}' must be an ARRAY`);
  return value;
}

function stringOf(value: Json, field: string): string {
  if (typeof value !== "string") throw new BadParameter(`The value for the field '${field}' must be a STRING`);
  return value;
}

/** How moments are written: ISO 8601 by SDK integrations, milliseconds since 1970 by optimized ones. */
export type TimestampForm = "iso" | "milliseconds";

/** An operation's output as a task's result. Bytes and streams are read as UTF-8 text. */
export async function fromOutput(schema: NormalizedSchema, value: unknown, timestamps: TimestampForm = "iso"): Promise<Json> {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return timestamps === "iso" ? value.toISOString() : value.getTime();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (value instanceof Readable) return text(value);
  if (Array.isArray(value)) {
    const item = schema.isListSchema() ? schema.getValueSchema() : schema;
    return Promise.all(value.map((one) => fromOutput(item, one, timestamps)));
  }
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object") return value as Json;
  return schema.isStructSchema() ? fromStruct(schema, value, timestamps) : fromMap(schema, value, timestamps);
}

async function fromStruct(schema: NormalizedSchema, value: object, timestamps: TimestampForm): Promise<JsonObject> {
  const members: [string, Json][] = [];
  for (const [name, member] of schema.structIterator()) {
    const item = (value as Record<string, unknown>)[name];
    if (item !== undefined && item !== null) members.push([pascalName(name), await fromOutput(member, item, timestamps)]);
  }
  return Object.fromEntries(members);
}

async function fromMap(schema: NormalizedSchema, value: object, timestamps: TimestampForm): Promise<Json> {
  if (!schema.isMapSchema()) return JSON.parse(JSON.stringify(value)) as Json;
  const members: [string, Json][] = [];
  for (const [name, item] of Object.entries(value)) members.push([name, await fromOutput(schema.getValueSchema(), item, timestamps)]);
  return Object.fromEntries(members);
}
