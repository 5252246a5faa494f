import type {
  Change,
  ChangeSource,
  PolicyAction,
  ResourceChange,
  ResourceChangeDetail,
  ResourceTargetDefinition,
} from "@aws-sdk/client-cloudformation";
import type { PlannedChange } from "./engine/changes.ts";
import type { Difference } from "./engine/differences.ts";
import { isList, isValueObject, scalarText, UNKNOWN, type Value } from "./engine/values.ts";
import type { StackParameter } from "./engine/parameters.ts";
import { masked, secretsOf } from "./engine/secrets.ts";
import type { Json, Properties } from "./resource-provider.ts";

/** What stands in a change set for a value that only the operation tells. */
const KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}";

/**
 * Planned changes as DescribeChangeSet prints them, property values included.
 * @param earlier the parameters the stack has: their secrets are not told either
 */
export function changesOutput(
  changes: readonly PlannedChange[],
  parameters: readonly StackParameter[],
  earlier: readonly StackParameter[],
): readonly Change[] {
  const names = new Set(parameters.map(({ key }) => key));
  const secrets = secretsOf([...parameters, ...earlier]);
  return changes.map((change) => ({ Type: "Resource", ResourceChange: resourceChange(withoutSecrets(change, secrets), names) }));
}

function withoutSecrets(change: PlannedChange, secrets: readonly string[]): PlannedChange {
  if (secrets.length === 0) return change;
  const { before, after } = change;
  const differences = change.differences.map((one): Difference => ({
    ...one,
    before: one.before === undefined ? undefined : masked<Json>(one.before, secrets),
    after: one.after === undefined ? undefined : masked<Value>(one.after, secrets),
  }));
  return {
    ...change,
    differences,
    ...(before && { before: masked(before as Json, secrets) as Properties }),
    ...(after !== undefined && { after: masked(after, secrets) }),
  };
}

function resourceChange(change: PlannedChange, parameters: ReadonlySet<string>): ResourceChange {
  const { action, logicalId, type, physicalId, replacement, scope, before, after } = change;
  const policyAction = policyActionOf(change);
  return {
    Action: action,
    LogicalResourceId: logicalId,
    ResourceType: type,
    Scope: [...scope],
    Details: detailsOf(change, parameters),
    ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
    ...(replacement && { Replacement: replacement }),
    ...(policyAction && { PolicyAction: policyAction }),
    ...(before && { BeforeContext: JSON.stringify({ Properties: before }) }),
    ...(after !== undefined && { AfterContext: JSON.stringify({ Properties: printable(after) }) }),
  };
}

function policyActionOf({ action, replacement, policy }: PlannedChange): PolicyAction | undefined {
  const isKept = policy !== "Delete";
  if (action === "Remove") return isKept ? "Retain" : "Delete";
  if (action !== "Modify" || replacement === "False") return undefined;
  return isKept ? "ReplaceAndRetain" : "ReplaceAndDelete";
}

function detailsOf({ scope, differences }: PlannedChange, parameters: ReadonlySet<string>): ResourceChangeDetail[] {
  const others = scope
    .filter((part) => part !== "Properties")
    .map((Attribute): ResourceChangeDetail => ({
      Target: { Attribute, RequiresRecreation: "Never" },
      Evaluation: "Static",
      ChangeSource: "DirectModification",
    }));
  return [...differences.map((difference) => detail(difference, parameters)), ...others];
}

function detail(difference: Difference, parameters: ReadonlySet<string>): ResourceChangeDetail {
  const { path, change, before, after, requiresRecreation, evaluation } = difference;
  const Target: ResourceTargetDefinition = {
    Attribute: "Properties",
    Name: path[0] ?? "",
    Path: `/Properties/${path.join("/")}`,
    RequiresRecreation: requiresRecreation,
    AttributeChangeType: change,
    ...(before !== undefined && { BeforeValue: text(before) }),
    ...(after !== undefined && { AfterValue: text(after) }),
  };
  return { Target, Evaluation: evaluation, ...sourceOf(difference, parameters) };
}

function sourceOf(
  { references, evaluation }: Difference,
  parameters: ReadonlySet<string>,
): { ChangeSource: ChangeSource; CausingEntity?: string } {
  const fromResource = references.find(({ name }) => !parameters.has(name) && !name.startsWith("AWS::"));
  if (evaluation === "Dynamic" && fromResource?.kind === "GetAtt")
    return { ChangeSource: "ResourceAttribute", CausingEntity: `${fromResource.name}.${fromResource.attribute ?? ""}` };
  if (evaluation === "Dynamic" && fromResource) return { ChangeSource: "ResourceReference", CausingEntity: fromResource.name };
  const parameter = references.find(({ name }) => parameters.has(name));
  return parameter ? { ChangeSource: "ParameterReference", CausingEntity: parameter.name } : { ChangeSource: "DirectModification" };
}

const text = (value: Value): string => (value === UNKNOWN ? KNOWN_AFTER_APPLY : (scalarText(value) ?? JSON.stringify(printable(value))));

function printable(value: Value): Value {
  if (value === UNKNOWN) return KNOWN_AFTER_APPLY;
  if (isList<Value>(value)) return value.map(printable);
  return isValueObject(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, printable(member)])) : value;
}
