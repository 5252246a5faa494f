import type { Json } from "../resource-provider.ts";
import type { Conditions } from "./conditions.ts";
import { formatError, templateError } from "./errors.ts";
import { asIntrinsic, references } from "./template/expressions.ts";
import type { OutputDeclaration, ResourceDeclaration, Template } from "./template/template.ts";
import { isList, isObject } from "./values.ts";

/** What a template comes to under given parameters: conditions decided, Fn::If replaced by the branch that holds. */
export interface Instance {
  readonly resources: Readonly<Record<string, InstanceResource>>;
  readonly outputs: Readonly<Record<string, OutputDeclaration>>;
}

export interface InstanceResource extends ResourceDeclaration {
  /** Logical ids this resource needs, by reference or by DependsOn, in order of appearance. */
  readonly dependsOn: readonly string[];
}

/**
 * The resources and outputs that exist under these conditions.
 * @throws AwsError ValidationError where something refers to what is not there
 */
export function instantiate(template: Template, conditions: Conditions): Instance {
  checkDeclared(template);
  const isThere = (member: { readonly Condition?: string }, place: string): boolean =>
    member.Condition === undefined || truth(member.Condition, { conditions, place });
  const resolve = (node: Json, place: string): Json => withoutConditions(node, { conditions, place });
  const declared = entriesWhere(template.resources, (resource, id) => isThere(resource, `/Resources/${id}/Condition`));
  const resources = declared.map(
    ([id, resource]) => [id, resolve(resource as unknown as Json, `/Resources/${id}`) as unknown as ResourceDeclaration] as const,
  );
  const outputs = entriesWhere(template.outputs, (output, id) => isThere(output, `/Outputs/${id}/Condition`)).map(
    ([id, output]) => [id, resolve(output as unknown as Json, `/Outputs/${id}`) as unknown as OutputDeclaration] as const,
  );
  const names: Names = { parameters: template.parameters, resources: Object.fromEntries(declared) };
  checkReferences(
    "Resources",
    resources.map(([, resource]) => resource.Properties ?? {}),
    names,
  );
  checkReferences(
    "Outputs",
    outputs.map(([, output]) => output as unknown as Json),
    names,
  );
  const ordered = resources.map(
    ([id, resource]) => [id, { ...resource, dependsOn: dependencies(resource, { template, resources: names.resources }) }] as const,
  );
  return { resources: Object.fromEntries(ordered), outputs: Object.fromEntries(outputs) };
}

/**
 * Checks that everything the template refers to is declared, in branches that are not taken too.
 * @throws AwsError ValidationError naming what is not
 */
export function checkDeclared(template: Template): void {
  checkReferences(
    "Resources",
    Object.values(template.resources).map(({ Properties }) => Properties ?? {}),
    template,
  );
  checkReferences("Outputs", Object.values(template.outputs) as unknown as readonly Json[], template);
}

const entriesWhere = <T>(record: Readonly<Record<string, T>>, test: (value: T, name: string) => boolean): readonly [string, T][] =>
  Object.entries(record).filter(([name, value]) => test(value, name));

interface Place {
  readonly conditions: Conditions;
  readonly place: string;
}

function truth(name: string, { conditions, place }: Place): boolean {
  const found = conditions[name];
  if (found === undefined) throw formatError(`Unresolved condition dependency ${name}, at [${place}]`);
  return found;
}

function withoutConditions(node: Json, place: Place): Json {
  const intrinsic = asIntrinsic(node);
  if (intrinsic?.name === "Fn::If") return branch(intrinsic.argument, place);
  if (isList<Json>(node)) return node.map((item, index) => withoutConditions(item, within(place, String(index))));
  if (!isObject(node)) return node;
  return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, withoutConditions(member, within(place, name))]));
}

const within = ({ conditions, place }: Place, member: string): Place => ({ conditions, place: `${place}/${member}` });

function branch(argument: Json, place: Place): Json {
  if (!isList<Json>(argument) || argument.length !== 3 || typeof argument[0] !== "string")
    throw templateError(
      `Fn::If requires a list argument with three parameters: the name of a condition, what stands where it holds, and what stands where not, at [${place.place}]`,
    );
  return withoutConditions((truth(argument[0], place) ? argument[1] : argument[2]) as Json, place);
}

const PSEUDO_PARAMETERS = new Set([
  "AWS::AccountId",
  "AWS::NoValue",
  "AWS::NotificationARNs",
  "AWS::Partition",
  "AWS::Region",
  "AWS::StackId",
  "AWS::StackName",
  "AWS::URLSuffix",
]);

interface Names {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<string, unknown>>;
}

function checkReferences(block: string, nodes: readonly Json[], { parameters, resources }: Names): void {
  const unresolved = new Set<string>();
  for (const node of nodes)
    for (const { kind, name } of references(node)) {
      if (kind === "GetAtt" && !(name in resources)) throw templateError(`instance of Fn::GetAtt references undefined resource ${name}`);
      if (!(name in resources) && !(name in parameters) && !PSEUDO_PARAMETERS.has(name)) unresolved.add(name);
    }
  if (unresolved.size > 0)
    throw formatError(`Unresolved resource dependencies [${[...unresolved].join(", ")}] in the ${block} block of the template`);
}

function dependencies(
  resource: ResourceDeclaration,
  names: { readonly template: Template; readonly resources: Names["resources"] },
): readonly string[] {
  const named = [resource.DependsOn ?? []].flat();
  const unknown = named.filter((name) => !(name in names.template.resources));
  if (unknown.length > 0)
    throw formatError(`Unresolved resource dependencies [${unknown.join(", ")}] in the Resources block of the template`);
  const used = [...references(resource.Properties ?? {})].map(({ name }) => name);
  // A DependsOn on a resource whose condition does not hold is no dependency.
  return [...new Set([...named, ...used])].filter((name) => name in names.resources);
}
