import { invalid } from "../errors.ts";
import type { Quotas } from "../quotas.ts";
import type { Definition } from "../store.ts";

/**
 * Refuses parameters that are too large, that the template does not know, or lacks. A WDL parameter may carry the
 * workflow's name in front. (The guide lets a run without a required value fail later; the API reference refuses it.)
 * @throws AwsError ValidationException
 */
export function checkParameters(parameters: unknown, definition: Definition, quotas: Quotas): void {
  const given = parameters ?? {};
  if (typeof given !== "object" || Array.isArray(given)) throw invalid("parameters must be a JSON object");
  const bytes = Buffer.byteLength(JSON.stringify(given));
  if (bytes > quotas.parameterBytes) throw invalid(`parameters have ${bytes} bytes; ${quotas.parameterBytes} are the most`);
  const { parameterTemplate: template } = definition;
  if (template === undefined) return;
  const names = new Set(Object.keys(given).map((name) => (name in template ? name : withoutPrefix(name, definition))));
  const unknown = [...names].filter((name) => !(name in template));
  if (unknown.length > 0)
    throw invalid(`The workflow has no parameter ${list(unknown)}; its parameters are ${list(Object.keys(template))}`);
  const missing = Object.entries(template).filter(([name, { optional }]) => optional !== true && !names.has(name));
  if (missing.length > 0) throw invalid(`The workflow needs the parameter ${list(missing.map(([name]) => name))}`);
}

const withoutPrefix = (name: string, { entryName }: Definition): string =>
  entryName !== undefined && name.startsWith(`${entryName}.`) ? name.slice(entryName.length + 1) : name;

const SHOWN = 20;

const list = (names: readonly string[]): string =>
  names
    .slice(0, SHOWN)
    .map((name) => `'${name}'`)
    .join(", ") + (names.length > SHOWN ? `, and ${names.length - SHOWN} more` : "");
