import type { Json } from "../../resource-provider.ts";
import { formatError, validationError } from "../errors.ts";
import { isList, isObject, type JsonObject } from "../values.ts";
import { readTemplate } from "./parse.ts";

/** A template whose structure has been checked: sections exist, expressions are not yet looked into. */
export interface Template {
  /** The text as it was given, byte for byte. */
  readonly body: string;
  readonly description?: string;
  /** Names of macros; only AWS::LanguageExtensions is among them. */
  readonly transforms: readonly string[];
  readonly metadata?: Json;
  readonly parameters: Readonly<Record<string, ParameterDeclaration>>;
  readonly rules: Readonly<Record<string, JsonObject>>;
  readonly mappings: Readonly<Record<string, JsonObject>>;
  readonly conditions: Readonly<Record<string, Json>>;
  readonly resources: Readonly<Record<string, ResourceDeclaration>>;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
}

export interface ParameterDeclaration {
  readonly Type: string;
  readonly Default?: Json;
  readonly NoEcho?: Json;
  readonly AllowedValues?: readonly Json[];
  readonly AllowedPattern?: string;
  readonly MinLength?: Json;
  readonly MaxLength?: Json;
  readonly MinValue?: Json;
  readonly MaxValue?: Json;
  readonly Description?: string;
  readonly ConstraintDescription?: string;
}

export interface ResourceDeclaration {
  readonly Type: string;
  readonly Properties?: JsonObject;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly Metadata?: Json;
  readonly DeletionPolicy?: Json;
  readonly UpdateReplacePolicy?: Json;
}

export interface OutputDeclaration {
  readonly Value: Json;
  readonly Description?: string;
  readonly Condition?: string;
  readonly Export?: { readonly Name: Json };
}

const SECTIONS = [
  "AWSTemplateFormatVersion",
  "Description",
  "Metadata",
  "Parameters",
  "Rules",
  "Mappings",
  "Conditions",
  "Transform",
  "Resources",
  "Outputs",
];
const RESOURCE_MEMBERS = [
  "Type",
  "Properties",
  "DependsOn",
  "Condition",
  "Metadata",
  "DeletionPolicy",
  "UpdateReplacePolicy",
  "CreationPolicy",
  "UpdatePolicy",
];
const PARAMETER_MEMBERS = [
  "Type",
  "Default",
  "NoEcho",
  "AllowedValues",
  "AllowedPattern",
  "MinLength",
  "MaxLength",
  "MinValue",
  "MaxValue",
  "Description",
  "ConstraintDescription",
];

/** The one macro whose functions are part of this engine. */
export const LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions";

/**
 * Reads a template and checks its structure: sections, members, logical ids, resource declarations.
 * @throws AwsError ValidationError in CloudFormation's words
 */
export function parseTemplate(body: string): Template {
  const raw = readTemplate(body);
  const strange = Object.keys(raw).filter((name) => !SECTIONS.includes(name));
  if (strange.length > 0) throw validationError(`Invalid template property or properties [${strange.join(", ")}]`);
  checkVersion(raw["AWSTemplateFormatVersion"]);
  const resources = section(raw, "Resources");
  if (Object.keys(resources).length === 0) throw formatError("At least one Resources member must be defined.");
  const template = {
    body,
    ...(typeof raw["Description"] === "string" && { description: raw["Description"] }),
    ...(raw["Metadata"] !== undefined && { metadata: raw["Metadata"] }),
    transforms: transforms(raw["Transform"]),
    parameters: section(raw, "Parameters") as unknown as Template["parameters"],
    rules: section(raw, "Rules"),
    mappings: section(raw, "Mappings"),
    conditions: section(raw, "Conditions", () => true),
    resources: resources as unknown as Template["resources"],
    outputs: section(raw, "Outputs") as unknown as Template["outputs"],
  };
  checkParameters(template.parameters);
  for (const [id, resource] of Object.entries(resources)) checkResource(id, resource);
  checkOutputs(template.outputs);
  return template;
}

function checkVersion(version: Json | undefined): void {
  if (version !== undefined && version !== "2010-09-09")
    throw formatError(`Unsupported template version [${String(version)}]: write "2010-09-09".`);
}

function transforms(given: Json | undefined): readonly string[] {
  if (given === undefined) return [];
  const names = (isList<Json>(given) ? given : [given]).map((item) => (isObject(item) ? item["Name"] : item));
  const foreign = names.filter((name) => name !== LANGUAGE_EXTENSIONS);
  if (foreign.length > 0)
    throw validationError(
      `Transform ${foreign.map(String).join(", ")} is not available in the local accounts: no macro runs here. ` +
        "Expand the template before it is deployed.",
    );
  return names as readonly string[];
}

/** A section's members, each an object unless `accepts` says otherwise. */
function section(raw: JsonObject, name: string, accepts: (member: Json) => boolean = isObject): Readonly<Record<string, JsonObject>> {
  const found = raw[name];
  if (found === undefined) return {};
  if (!isObject(found)) throw formatError(`[/${name}] expected a map of names to objects.`);
  for (const [id, member] of Object.entries(found)) {
    if (member === null) throw formatError(`[/${name}/${id}] 'null' values are not allowed in templates`);
    if (!accepts(member)) throw formatError(`Every ${name} member must be an object: [/${name}/${id}]`);
    if (name !== "Mappings" && name !== "Rules" && !/^[A-Za-z0-9]{1,255}$/.test(id))
      throw formatError(`${name} name '${id}' is non alphanumeric.`);
  }
  return found as Readonly<Record<string, JsonObject>>;
}

function checkParameters(parameters: Template["parameters"]): void {
  for (const [id, declaration] of Object.entries(parameters)) {
    if (typeof declaration.Type !== "string") throw formatError(`Every Parameters object must contain a Type member: [/Parameters/${id}]`);
    const strange = Object.keys(declaration).find((member) => !PARAMETER_MEMBERS.includes(member));
    if (strange) throw formatError(`Invalid template parameter property '${strange}'`);
  }
}

function checkResource(id: string, resource: JsonObject): void {
  if (typeof resource["Type"] !== "string") throw formatError(`[/Resources/${id}] Every Resources object must contain a Type member.`);
  const strange = Object.keys(resource).find((member) => !RESOURCE_MEMBERS.includes(member));
  if (strange) throw validationError(`Invalid template resource property '${strange}'`);
  const policy = ["CreationPolicy", "UpdatePolicy"].find((member) => resource[member] !== undefined);
  if (policy) throw validationError(`[/Resources/${id}/${policy}] ${policy} is not available in the local accounts.`);
  if (resource["Properties"] !== undefined && !isObject(resource["Properties"]))
    throw formatError(`[/Resources/${id}/Properties] Properties must be an object.`);
  const nothing = pathOfNull(resource, `/Resources/${id}`);
  if (nothing) throw formatError(`[${nothing}] 'null' values are not allowed in templates`);
  checkDependsOn(id, resource["DependsOn"]);
}

function checkDependsOn(id: string, dependsOn: Json | undefined): void {
  const names = isList<Json>(dependsOn) ? dependsOn : [dependsOn ?? ""];
  if (!names.every((name) => typeof name === "string"))
    throw formatError(`[/Resources/${id}/DependsOn] DependsOn must be a string or list of strings.`);
}

function checkOutputs(outputs: Template["outputs"]): void {
  for (const [id, output] of Object.entries(outputs)) {
    if (output.Value === undefined) throw formatError(`Output ${id} is malformed. The Value member is missing.`);
    if (output.Export !== undefined && (!isObject(output.Export) || output.Export.Name === undefined))
      throw formatError(`[/Outputs/${id}/Export] Every Export object must contain a Name member.`);
  }
}

function pathOfNull(value: Json, path: string): string | undefined {
  if (value === null) return path;
  if (typeof value !== "object") return undefined;
  for (const [name, member] of Object.entries(value) as [string, Json][]) {
    const found = pathOfNull(member, `${path}/${name}`);
    if (found) return found;
  }
  return undefined;
}
