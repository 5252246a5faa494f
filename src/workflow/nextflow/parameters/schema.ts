import type { Parameter, TemplateEntry } from "../../inspection.ts";
import { tell, type Project } from "../project.ts";

/** A parameter as `nextflow_schema.json` declares it. */
export interface SchemaParameter {
  readonly entry: TemplateEntry;
  readonly parameter: Parameter;
}

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json | undefined;
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The parameters of the schema beside the main file: its own properties and those of the groups that `allOf` joins
 * (guide, "Parameter templates"). Undefined where there is no schema, or none that HealthOmics uses: the scripts count then.
 */
export function readSchema(project: Project): ReadonlyMap<string, SchemaParameter> | undefined {
  const path = project.folder === "" ? "nextflow_schema.json" : `${project.folder}/nextflow_schema.json`;
  const text = project.tree.text(path);
  if (text === undefined) return undefined;
  const schema = parse(project, path, text);
  if (schema === undefined) return undefined;
  const lines = keyLines(text);
  const found = new Map<string, SchemaParameter>();
  for (const group of [schema, ...groupsOf(schema)]) addGroup(found, group, { path, lines });
  return found;
}

function parse(project: Project, path: string, text: string): JsonObject | undefined {
  const refuse = (message: string): undefined =>
    tell(project, { rule: "nextflow-schema-unusable", severity: "warning", file: path, line: 1, column: 1, message }) as undefined;
  let schema: Json;
  try {
    schema = JSON.parse(text) as Json;
  } catch (error) {
    return refuse(
      `this is not JSON (${error instanceof Error ? error.message : String(error)}); HealthOmics reads the parameters from the scripts instead`,
    );
  }
  if (!isObject(schema)) return refuse("this is no JSON Schema object; HealthOmics reads the parameters from the scripts instead");
  const draft = schema["$schema"];
  if (typeof draft === "string" && !/draft-07|2020-12/.test(draft)) {
    return refuse(`${draft} is neither draft-07 nor 2020-12; HealthOmics reads the parameters from the scripts instead`);
  }
  return schema;
}

/** The groups that `allOf` names, by reference or in place. */
function groupsOf(schema: JsonObject): readonly JsonObject[] {
  const all = schema["allOf"];
  if (!Array.isArray(all)) return [];
  return all.flatMap((each: Json): readonly JsonObject[] => {
    if (!isObject(each)) return [];
    const reference = each["$ref"];
    const group = typeof reference === "string" ? referenced(schema, reference) : each;
    return group === undefined ? [] : [group];
  });
}

function referenced(schema: JsonObject, reference: string): JsonObject | undefined {
  const match = /^#\/(definitions|\$defs)\/([^/]+)$/.exec(reference);
  const section = match?.[1] === undefined ? undefined : schema[match[1]];
  const name = decodeURIComponent((match?.[2] ?? "").replace(/%(?![0-9a-fA-F]{2})/g, "%25"))
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
  const group = isObject(section) && Object.hasOwn(section, name) ? section[name] : undefined;
  return isObject(group) ? group : undefined;
}

interface Source {
  readonly path: string;
  readonly lines: ReadonlyMap<string, number>;
}

function addGroup(found: Map<string, SchemaParameter>, group: JsonObject, { path, lines }: Source): void {
  const { properties, required } = group;
  if (!isObject(properties)) return;
  const names: readonly Json[] = Array.isArray(required) ? required : [];
  for (const [name, property] of Object.entries(properties)) {
    if (found.has(name)) continue;
    const declared = isObject(property) ? property : {};
    const optional = !names.includes(name);
    const { description } = declared;
    found.set(name, {
      entry: { description: typeof description === "string" ? description : null, optional },
      parameter: { ...typed(declared), name, optional, file: path, line: lines.get(name) ?? 1 },
    });
  }
}

const FILE_FORMATS = new Set(["file-path", "directory-path", "path", "file-path-pattern"]);

function typed(property: JsonObject): Pick<Parameter, "type" | "default" | "enum" | "isFile"> {
  const { type, format, enum: values, default: value } = property;
  const isFile = typeof format === "string" && FILE_FORMATS.has(format);
  return {
    type: typeName(type),
    ...(value !== undefined && { default: value }),
    ...(Array.isArray(values) && { enum: values }),
    ...(isFile && { isFile }),
  };
}

/** JSON Schema's type; several with a bar between, "any" where none is given. */
function typeName(type: Json | undefined): string {
  if (typeof type === "string") return type;
  const names: readonly Json[] = Array.isArray(type) ? type : [];
  const texts = names.filter((each) => typeof each === "string");
  return texts.length > 0 ? texts.join("|") : "any";
}

/** The line of each key that an object follows: where a property is declared. */
function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let line = 1;
  let counted = 0;
  for (const match of text.matchAll(/"((?:[^"\\\n]|\\.)*)"\s*:\s*\{/g)) {
    const name = match[1] ?? "";
    for (let at = text.indexOf("\n", counted); at >= 0 && at < match.index; at = text.indexOf("\n", at + 1)) {
      line++;
      counted = at + 1;
    }
    if (!lines.has(name)) lines.set(name, line);
  }
  return lines;
}
