/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [member: string]: Json;
}

/** The most bytes a state's input, output or result may have as UTF-8 text. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const DATA_LIMIT_BYTES = 262_144;

/** Whether the value is a JSON object (arrays and null are not). */
export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether the value is a JSON array. */
export const isArray = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** Reads JSON. @throws SyntaxError when the text is not JSON */
export const parseJson = (text: string): Json => JSON.parse(text) as Json;

/** Whether the value, written as JSON, is more than Step Functions carries between states. */
export function exceedsDataLimit(value: Json): boolean {
  const text = JSON.stringify(value);
  return text.length > DATA_LIMIT_BYTES || (text.length * 3 > DATA_LIMIT_BYTES && Buffer.byteLength(text) > DATA_LIMIT_BYTES);
}

/** A copy of the value whose equal members stand in one order, for comparing and for counting what is unique. */
export function canonical(value: Json): string {
  if (isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join(",")}}`;
}
