import type { CreateChangeSetInput, CreateChangeSetOutput } from "@aws-sdk/client-cloudformation";
import type { Call } from "../../gateway/service.ts";
import type { ChangeSetRecord } from "../change-set-record.ts";
import { changesOutput } from "../change-output.ts";
import type { CloudFormation } from "../cloudformation.ts";
import { setStatus } from "../deploy/journal.ts";
import type { Deployment, StackRecord } from "../deploy/records.ts";
import { checkUpdatable } from "../deploy/start.ts";
import { validationError } from "../engine/errors.ts";
import { changeSetExists, notAvailable } from "../errors.ts";
import { newStack } from "../new-stack.ts";
import { deploymentOf, plan } from "../planning.ts";

const NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set.";

/**
 * Plans a deployment and keeps the plan. For a new stack the stack is made, in REVIEW_IN_PROGRESS.
 * @throws AwsError for everything that can be known to fail, before anything is made
 */
export async function createChangeSet(
  cloudformation: CloudFormation,
  input: CreateChangeSetInput,
  call: Call,
): Promise<CreateChangeSetOutput> {
  checkInput(input);
  const { StackName = "", ChangeSetName = "", ChangeSetType: type = "UPDATE", ClientToken } = input;
  const found = cloudformation.find(call, StackName);
  const earlier = found && cloudformation.store.changeSets.get(found.id, ChangeSetName);
  if (earlier && ClientToken !== undefined && earlier.clientToken === ClientToken) return { Id: earlier.id, StackId: earlier.stackId };
  if (earlier) throw changeSetExists(ChangeSetName);
  const isReview = found?.status === "REVIEW_IN_PROGRESS";
  checkState(found, { type, input, isReview });
  const stack = found ?? newStack(cloudformation.core, StackName, call);
  const present = found && !isReview ? found : undefined;
  const deployment = await deploymentOf(cloudformation, input, { owner: { stack, ...(present && { present: present.deployment }) }, call });
  // Where another request was faster while the template was read, all of this is asked again.
  if (hasMoved(cloudformation, { found, input, call })) return createChangeSet(cloudformation, input, call);
  const record = recordOf(cloudformation, input, { call, stack, present, deployment });
  keep(cloudformation, record, found ? undefined : { stack, deployment });
  return { Id: record.id, StackId: stack.id };
}

interface Planned {
  readonly call: Call;
  readonly stack: StackRecord;
  /** The stack as it runs; a new one, or one that is only planned yet, does not. */
  readonly present: StackRecord | undefined;
  readonly deployment: Deployment;
}

function recordOf(
  cloudformation: CloudFormation,
  {
    ChangeSetName = "",
    ChangeSetType,
    ImportExistingResources,
    IncludeNestedStacks,
    Description,
    OnStackFailure,
    ClientToken,
  }: CreateChangeSetInput,
  { call, stack, present, deployment }: Planned,
): ChangeSetRecord {
  const { isChange, changes } = plan(cloudformation, deployment, { stack, present });
  return {
    id: changeSetId(cloudformation, ChangeSetName, call),
    name: ChangeSetName,
    stackId: stack.id,
    type: ChangeSetType === "CREATE" ? "CREATE" : "UPDATE",
    ...(isChange
      ? { status: "CREATE_COMPLETE", executionStatus: "AVAILABLE" }
      : { status: "FAILED", executionStatus: "UNAVAILABLE", reason: NO_CHANGES }),
    created: cloudformation.core.clock.now().toISOString(),
    deployment,
    changes: changesOutput(changes, deployment.parameters, present?.deployment.parameters ?? []),
    importsExisting: ImportExistingResources ?? false,
    includesNestedStacks: IncludeNestedStacks ?? false,
    operations: stack.operations,
    ...(Description !== undefined && { description: Description }),
    ...(OnStackFailure !== undefined && { onFailure: OnStackFailure }),
    ...(ClientToken !== undefined && { clientToken: ClientToken }),
  };
}

interface Seen {
  readonly found: StackRecord | undefined;
  readonly input: CreateChangeSetInput;
  readonly call: Call;
}

function hasMoved({ find, store }: CloudFormation, { found, input: { StackName = "", ChangeSetName = "" }, call }: Seen): boolean {
  const now = find(call, StackName);
  return (
    now?.id !== found?.id ||
    now?.status !== found?.status ||
    (now !== undefined && store.changeSets.get(now.id, ChangeSetName) !== undefined)
  );
}

function keep(
  { store, deployer }: CloudFormation,
  record: ChangeSetRecord,
  fresh: { readonly stack: StackRecord; readonly deployment: Deployment } | undefined,
): void {
  store.transaction(() => {
    if (fresh)
      setStatus(
        deployer,
        { ...fresh.stack, deployment: { ...fresh.stack.deployment, tags: fresh.deployment.tags } },
        { status: "REVIEW_IN_PROGRESS", reason: "User Initiated" },
      );
    store.changeSets.put(record);
  });
}

function checkInput({ ChangeSetName = "", ChangeSetType, DeploymentMode, ResourcesToImport = [] }: CreateChangeSetInput): void {
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(ChangeSetName))
    throw validationError(
      `1 validation error detected: Value '${ChangeSetName}' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
    );
  if (ChangeSetType === "IMPORT" || ResourcesToImport.length > 0) throw notAvailable("ChangeSetType IMPORT");
  if (DeploymentMode !== undefined) throw notAvailable("DeploymentMode");
}

interface StateCheck {
  readonly type: string;
  readonly input: CreateChangeSetInput;
  readonly isReview: boolean;
}

function checkState(found: StackRecord | undefined, { type, input, isReview }: StateCheck): void {
  const { StackName = "", ChangeSetName = "" } = input;
  if (type === "CREATE") {
    if (found && !isReview)
      throw validationError(`Stack [${StackName}] already exists and cannot be created again with the changeSet [${ChangeSetName}].`);
    return;
  }
  if (!found || isReview) throw validationError(`Stack [${StackName}] does not exist`);
  checkUpdatable(found);
}

function changeSetId({ core }: CloudFormation, name: string, { account, region }: Call): string {
  return `arn:aws:cloudformation:${region}:${account}:changeSet/${name}/${core.random.uuid()}`;
}
