import type { Json, Properties, ResourceProvider } from "../resource-provider.ts";
import { differences, type Difference } from "./differences.ts";
import { formatError, validationError } from "./errors.ts";
import { inOrder } from "./graph.ts";
import type { Instance, InstanceResource } from "./instance.ts";
import { evaluateValue } from "./intrinsics/evaluate.ts";
import { evaluateOutputs, type PlannedOutput } from "./outputs.ts";
import { type Policy, policyOf } from "./policies.ts";
import type { Providers } from "./providers.ts";
import { conformProperties } from "./shapes.ts";
import { type ResourceView, scopeOf, type StackScope } from "./stack-scope.ts";
import { isSame, UNKNOWN, type Value } from "./values.ts";

/** A resource as the stack has it. */
export interface ExistingResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
  readonly properties: Properties;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly metadata?: Json;
  readonly deletionPolicy: Policy;
  readonly updateReplacePolicy: Policy;
}

/** Parts of a resource's declaration that a change can touch. */
export type ChangeScope = "Properties" | "Metadata" | "DeletionPolicy" | "UpdateReplacePolicy" | "Tags";

/** What an operation would do to one resource. */
export interface PlannedChange {
  readonly action: "Add" | "Modify" | "Remove";
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId?: string;
  /** For Modify. Conditional where only the making of another resource decides. */
  readonly replacement?: "True" | "False" | "Conditional";
  readonly scope: readonly ChangeScope[];
  readonly differences: readonly Difference[];
  /** What becomes of the physical resource that is removed or replaced. */
  readonly policy: Policy;
  /** Properties before and after, for Add and Modify; unknown values stand where only the operation tells. */
  readonly before?: Properties;
  readonly after?: Value;
}

/** What changes are computed from. */
export interface ChangeRequest {
  readonly instance: Instance;
  readonly scope: Omit<StackScope, "resources">;
  readonly providers: Providers;
  readonly existing: readonly ExistingResource[];
  /** Whether the stack's tags differ from those its resources were made with. */
  readonly hasNewTags?: boolean;
}

/** What an operation would do, and what the stack's outputs would be. */
export interface ChangePlan {
  readonly changes: readonly PlannedChange[];
  readonly outputs: readonly PlannedOutput[];
}

/**
 * What it would take to get from the existing resources to the instance, in the order in which it would be done; removals
 * come last.
 * @throws AwsError ValidationError for types nobody provides, properties nobody knows, unresolvable expressions and cycles
 */
export function planChanges(request: ChangeRequest): ChangePlan {
  const { instance, providers } = request;
  const existing = new Map(request.existing.map((resource) => [resource.logicalId, resource]));
  checkTypes(instance, { providers, existing });
  const views = new Map<string, ResourceView>();
  const changes: PlannedChange[] = [];
  const problems: string[] = [];
  for (const id of inOrder(dependencyGraph(instance))) {
    const declared = instance.resources[id] as InstanceResource;
    const provider = providers.of(declared.Type);
    const evaluated = evaluateValue(declared.Properties ?? {}, scopeOf({ ...request.scope, resources: views }));
    const conformed = conformProperties(evaluated, provider.properties, provider.required);
    if (conformed.problems.length > 0)
      problems.push(`Properties validation failed for resource ${id} with message:\n[${conformed.problems.join(", ")}]`);
    const target: Target = { id, declared, provider, after: conformed.value, hasNewTags: request.hasNewTags ?? false };
    const change = planResource(target, existing.get(id));
    if (change) changes.push(change);
    views.set(id, viewAfter(change, { provider, existing: existing.get(id) }));
  }
  if (problems.length > 0) throw validationError(problems.join("\n"));
  const outputs = evaluateOutputs(instance, scopeOf({ ...request.scope, resources: views }));
  return { changes: [...changes, ...removals(instance, existing)], outputs };
}

/** The dependencies of an instance's resources. */
export const dependencyGraph = (instance: Instance): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(instance.resources).map(([id, { dependsOn }]) => [id, dependsOn]));

interface Checked {
  readonly providers: Providers;
  readonly existing: ReadonlyMap<string, ExistingResource>;
}

function checkTypes(instance: Instance, { providers, existing }: Checked): void {
  const missing = providers.missing(Object.values(instance.resources).map(({ Type }) => Type));
  if (missing.length > 0) throw formatError(`Unrecognized resource types: [${missing.join(", ")}]`);
  const retyped = Object.entries(instance.resources).filter(([id, { Type }]) => (existing.get(id)?.type ?? Type) !== Type);
  if (retyped.length > 0)
    throw validationError(
      `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${retyped.map(([id]) => id).join(", ")}]`,
    );
}

interface Target {
  readonly id: string;
  readonly declared: InstanceResource;
  readonly provider: ResourceProvider;
  readonly after: Value;
  readonly hasNewTags: boolean;
}

function planResource(
  { id, declared, provider, after, hasNewTags }: Target,
  existing: ExistingResource | undefined,
): PlannedChange | undefined {
  const deletionPolicy = policyOf(declared.DeletionPolicy, id, "DeletionPolicy");
  const policy = policyOf(declared.UpdateReplacePolicy, id, "UpdateReplacePolicy");
  const named = { logicalId: id, type: declared.Type };
  if (!existing) return { ...named, action: "Add", scope: [], differences: [], policy: deletionPolicy, after };
  const found = differences({ before: existing.properties, after, expression: declared.Properties ?? {}, replaceOn: provider.replaceOn });
  const scope: readonly (ChangeScope | false)[] = [
    found.length > 0 && "Properties",
    !isSame(existing.metadata, declared.Metadata) && "Metadata",
    existing.deletionPolicy !== deletionPolicy && "DeletionPolicy",
    existing.updateReplacePolicy !== policy && "UpdateReplacePolicy",
    hasNewTags && "Tags" in provider.properties && "Tags",
  ];
  const touched = scope.filter((part) => part !== false);
  if (touched.length === 0) return undefined;
  const change = { ...named, action: "Modify" as const, physicalId: existing.physicalId, scope: touched, differences: found, policy };
  return { ...change, replacement: replacementOf(found), before: existing.properties, after };
}

function replacementOf(found: readonly Difference[]): "True" | "False" | "Conditional" {
  const replacing = found.filter(({ requiresRecreation }) => requiresRecreation !== "Never");
  if (replacing.length === 0) return "False";
  return replacing.some(({ requiresRecreation }) => requiresRecreation === "Always") ? "True" : "Conditional";
}

function viewAfter(
  change: PlannedChange | undefined,
  { provider, existing }: { readonly provider: ResourceProvider; readonly existing: ExistingResource | undefined },
): ResourceView {
  if (!existing || change?.replacement === "True" || change?.replacement === "Conditional")
    return { ref: UNKNOWN, attributes: undefined, provider };
  // An update in place keeps the name; what its attributes become, only the update tells.
  const isUpdated = change?.scope.includes("Properties");
  return { ref: existing.physicalId, attributes: isUpdated ? undefined : existing.attributes, provider };
}

function removals(instance: Instance, existing: ReadonlyMap<string, ExistingResource>): readonly PlannedChange[] {
  return [...existing.values()]
    .filter(({ logicalId }) => !(logicalId in instance.resources))
    .map(({ logicalId, type, physicalId, deletionPolicy, properties }) => ({
      action: "Remove",
      logicalId,
      type,
      physicalId,
      scope: [],
      differences: [],
      policy: deletionPolicy,
      before: properties,
    }));
}
