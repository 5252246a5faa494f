import type { Parameter, ParameterTemplate, TemplateEntry } from "../../inspection.ts";
import type { Config } from "../config/read-config.ts";
import type { Value, ValueMap } from "../evaluate/types.ts";
import { isList, isMap, isQuantity, isUnknown, numeric, textOf } from "../evaluate/values.ts";
import type { Project } from "../project.ts";
import { placeOf, type SourceFile } from "../syntax/source-file.ts";
import { readSchema } from "./schema.ts";
import { paramsOf, type ScriptParam } from "./script-params.ts";

/** The parameters of a pipeline, as HealthOmics stores them and as `omx` checks a run's inputs against them. */
export interface Parameters {
  readonly parameterTemplate: ParameterTemplate;
  readonly parameters: readonly Parameter[];
}

/** By the schema where there is one, else by the main file and the configuration beside it. */
export function readParameters(
  project: Project,
  main: SourceFile,
  given: { readonly config: Config; readonly params: ValueMap },
): Parameters {
  const schema = readSchema(project);
  if (schema !== undefined) {
    const entries = [...schema].map(([name, { entry }]) => [name, entry] as const);
    return { parameterTemplate: Object.fromEntries(entries), parameters: [...schema.values()].map(({ parameter }) => parameter) };
  }
  const inMain = paramsOf(main, "all");
  const inConfig = given.config.file === undefined ? new Map<string, ScriptParam>() : paramsOf(given.config.file, "statements");
  const names = [...new Set([...inConfig.keys(), ...inMain.keys()])];
  const found = names.flatMap((name) => told([inConfig.get(name), inMain.get(name)]));
  const entries = found.map((param) => [param.name, { description: null, optional: isOptional(param) } satisfies TemplateEntry] as const);
  return { parameterTemplate: Object.fromEntries(entries), parameters: found.map((param) => describe(param, given.params)) };
}

/** The mention that says most: one with a type, else one with a value, else the first. */
function told(mentions: readonly (ScriptParam | undefined)[]): readonly ScriptParam[] {
  const all = mentions.filter((each) => each !== undefined);
  const [first] = all;
  const typed = all.find(({ type }) => type !== undefined);
  const valued = all.find(({ value }) => value !== undefined);
  if (first === undefined) return [];
  const best = typed ?? valued ?? first;
  return [best.value === undefined && valued?.value !== undefined ? { ...best, value: valued.value } : best];
}

/** A typed parameter may be left out with a default, a question mark, or as a Boolean (false then). */
const isOptional = ({ value, type }: ScriptParam): boolean => value !== undefined || type?.endsWith("?") === true || type === "Boolean";

function describe(param: ScriptParam, params: ValueMap): Parameter {
  const { name, file, offset, type, value } = param;
  const known = value === undefined ? undefined : (params.get(name) ?? null);
  const isFile = type !== undefined && /\bPath\b/.test(type);
  return {
    name,
    type: type ?? (value?.kind === "template" ? "string" : typeOf(known)),
    optional: isOptional(param),
    ...(known !== undefined && value !== undefined && { default: asJson(known, file.text.slice(value.start, value.end)) }),
    file: file.path,
    line: placeOf(file.text, offset).line,
    ...(isFile && { isFile }),
  };
}

/** JSON Schema's name for a default's type; "any" where there is none. */
function typeOf(value: Value | undefined): string {
  if (value === undefined || value === null || isUnknown(value)) return "any";
  const number = numeric(value);
  if (number !== undefined) return typeof value === "number" && Number.isInteger(number) ? "integer" : "number";
  if (typeof value === "string" || isQuantity(value)) return "string";
  if (typeof value === "boolean") return "boolean";
  return isList(value) ? "array" : isMap(value) ? "object" : "any";
}

/** The value as JSON; its source where it is an expression that only a run can evaluate. */
function asJson(value: Value, source: string): unknown {
  if (value === null || typeof value === "boolean") return value;
  const number = numeric(value);
  if (number !== undefined) return number;
  if (typeof value === "string") return value.includes("\u0001") ? source : value;
  if (isQuantity(value)) return textOf(value) ?? source;
  if (isList(value)) return value.map((each) => asJson(each, source));
  return isMap(value) ? Object.fromEntries([...value].map(([name, each]) => [name, asJson(each, source)])) : source;
}
