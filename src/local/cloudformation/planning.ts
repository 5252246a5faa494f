import type { Capability, Parameter, Tag } from "@aws-sdk/client-cloudformation";
import type { Call } from "../gateway/service.ts";
import type { CloudFormation } from "./cloudformation.ts";
import type { Deployment, StackRecord } from "./deploy/records.ts";
import { importedValue } from "./deploy/run.ts";
import { isAcknowledged, requiredCapabilities } from "./engine/capabilities.ts";
import { planChanges, type PlannedChange } from "./engine/changes.ts";
import { insufficientCapabilities, validationError } from "./engine/errors.ts";
import { type GivenParameter, resolveParameters, ssmNames, type StackParameter, withSsmValues } from "./engine/parameters.ts";
import { prepare } from "./engine/prepare.ts";
import type { PlannedOutput } from "./engine/outputs.ts";
import { parseTemplate, type Template } from "./engine/template/template.ts";
import { isSame, UNKNOWN } from "./engine/values.ts";
import { notAvailable } from "./errors.ts";
import { templateBody, type TemplateSource } from "./template-source.ts";

/** The members that requests for a new deployment have in common. */
export interface DeploymentRequest extends TemplateSource {
  readonly UsePreviousTemplate?: boolean | undefined;
  readonly Parameters?: readonly Parameter[] | undefined;
  readonly Capabilities?: readonly Capability[] | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly RoleARN?: string | undefined;
  readonly NotificationARNs?: readonly string[] | undefined;
  readonly ResourceTypes?: readonly string[] | undefined;
  readonly RollbackConfiguration?: { readonly RollbackTriggers?: readonly unknown[] | undefined } | undefined;
}

/** Whose deployment it is: the present one lends what the request leaves out. */
export interface DeploymentOwner {
  readonly stack: Pick<StackRecord, "id" | "name" | "account" | "region">;
  readonly present?: Deployment;
}

/**
 * The deployment a request asks for, its parameters resolved.
 * @throws AwsError in CloudFormation's words, before anything is made
 */
export async function deploymentOf(
  cloudformation: CloudFormation,
  request: DeploymentRequest,
  { owner, call }: { readonly owner: DeploymentOwner; readonly call: Call },
): Promise<Deployment> {
  refuseUnavailable(request);
  const { present } = owner;
  const body = await bodyOf(cloudformation, request, { present, call });
  const template = parseTemplate(body);
  const required = requiredCapabilities(template);
  if (!isAcknowledged(required, request.Capabilities ?? [])) throw insufficientCapabilities([required?.capability ?? ""]);
  const roleArn = request.RoleARN ?? present?.roleArn;
  const parameters = await parametersOf(cloudformation, { template, request, call, present, roleArn, stack: owner.stack });
  return {
    template: cloudformation.store.templates.put(body),
    ...(template.description !== undefined && { description: template.description }),
    parameters,
    tags: tagsOf(request.Tags) ?? present?.tags ?? {},
    capabilities: request.Capabilities ?? [],
    notificationArns: [],
    ...(roleArn !== undefined && { roleArn }),
  };
}

// Each of these would change what happens; none may be accepted and then ignored.
function refuseUnavailable({ NotificationARNs = [], ResourceTypes = [], RollbackConfiguration }: DeploymentRequest): void {
  if (NotificationARNs.length > 0) throw notAvailable("NotificationARNs");
  if (ResourceTypes.length > 0) throw notAvailable("ResourceTypes");
  if ((RollbackConfiguration?.RollbackTriggers ?? []).length > 0) throw notAvailable("RollbackConfiguration");
}

async function bodyOf(
  { core, store }: CloudFormation,
  request: DeploymentRequest,
  { present, call }: { readonly present: Deployment | undefined; readonly call: Call },
): Promise<string> {
  const given = await templateBody(core, request, call);
  if (request.UsePreviousTemplate && given !== undefined)
    throw validationError("You cannot specify both usePreviousTemplate and Template Body/Template URL.");
  if (request.UsePreviousTemplate && present) return store.templates.body(present.template);
  if (given === undefined) throw validationError("Either Template URL or Template Body must be specified.");
  return given;
}

function tagsOf(tags: readonly Tag[] | undefined): Readonly<Record<string, string>> | undefined {
  const reserved = tags?.find(({ Key = "" }) => /^aws:/i.test(Key));
  if (reserved) throw validationError(`Tag keys that start with aws: are reserved, ${reserved.Key} is one`);
  return tags && Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}

interface ParameterSources {
  readonly template: Template;
  readonly request: DeploymentRequest;
  readonly present: Deployment | undefined;
  readonly roleArn: string | undefined;
  readonly stack: DeploymentOwner["stack"];
  readonly call: Call;
}

async function parametersOf(
  { deployer }: CloudFormation,
  { template, request, present, roleArn, stack, call }: ParameterSources,
): Promise<readonly StackParameter[]> {
  const given = (request.Parameters ?? []).map(({ ParameterKey = "", ParameterValue, UsePreviousValue }): GivenParameter => ({
    key: ParameterKey,
    ...(ParameterValue !== undefined && { value: ParameterValue }),
    ...(UsePreviousValue === true && { usePreviousValue: true }),
  }));
  const parameters = resolveParameters({ template, given, ...(present && { previous: present.parameters }) });
  const names = [...new Set(ssmNames(template, parameters))];
  const asStack = deployer.callAs({ principal: call.caller, stack, ...(roleArn !== undefined && { roleArn }) });
  const found = new Map<string, string>();
  // GetParameters takes ten names.
  for (let start = 0; start < names.length; start += 10) {
    const answer = await asStack<{ Parameters?: readonly { Name?: string; Value?: string }[] }>("ssm", "GetParameters", {
      Names: names.slice(start, start + 10),
    });
    for (const { Name, Value } of answer.Parameters ?? []) if (Name !== undefined && Value !== undefined) found.set(Name, Value);
  }
  return withSsmValues(template, parameters, found);
}

/** What a deployment would do to a stack. */
export interface Plan {
  readonly changes: readonly PlannedChange[];
  /** Whether anything at all would be different afterwards: a resource, an output or the tags. */
  readonly isChange: boolean;
}

/**
 * Plans a deployment without carrying it out.
 * @param present the stack as it is; undefined for one that is to be created
 * @throws AwsError ValidationError for everything that can be known to fail
 */
export function plan(
  { store, deployer }: CloudFormation,
  deployment: Deployment,
  { stack, present }: { readonly stack: DeploymentOwner["stack"]; readonly present: StackRecord | undefined },
): Plan {
  const prepared = prepare({
    template: store.templates.parsed(deployment.template),
    parameters: deployment.parameters,
    stack: { ...stack, notificationArns: deployment.notificationArns },
    importValue: (name) => importedValue(store, { ...stack, name }),
  });
  const existing = present ? existingResources(store, stack.id) : [];
  const hasNewTags = present !== undefined && !isSame(present.deployment.tags, deployment.tags);
  const { changes, outputs } = planChanges({
    instance: prepared.instance,
    scope: prepared.scope,
    providers: deployer.providers,
    existing,
    hasNewTags,
  });
  const isChange = changes.length > 0 || hasNewTags || !present || areOutputsNew(present, outputs);
  return { changes, isChange };
}

const existingResources = (store: CloudFormation["store"], stackId: string) =>
  store.resources
    .list(stackId)
    .flatMap(({ physicalId, ...record }) =>
      physicalId === undefined || record.status === "CREATE_FAILED" ? [] : [{ ...record, physicalId }],
    );

function areOutputsNew({ outputs }: StackRecord, planned: readonly PlannedOutput[]): boolean {
  if (outputs.length !== planned.length) return true;
  return planned.some((output) => {
    const before = outputs.find(({ key }) => key === output.key);
    return (
      before === undefined ||
      before.exportName !== output.exportName ||
      before.description !== output.description ||
      (output.value !== UNKNOWN && output.value !== before.value)
    );
  });
}
