import type {
  ChangeSetSummary,
  CreateChangeSetInput,
  CreateChangeSetOutput,
  DeleteChangeSetInput,
  DeleteChangeSetOutput,
  DescribeChangeSetInput,
  DescribeChangeSetOutput,
  ExecuteChangeSetInput,
  ExecuteChangeSetOutput,
  ListChangeSetsInput,
  ListChangeSetsOutput,
} from "@aws-sdk/client-cloudformation";
import { type AnyOperation, type Call, operation } from "../../gateway/service.ts";
import { accessRules } from "../access.ts";
import type { ChangeSetRecord } from "../change-set-record.ts";
import type { CloudFormation } from "../cloudformation.ts";
import type { StackRecord } from "../deploy/records.ts";
import { startCreation, startUpdate } from "../deploy/start.ts";
import { changeSetMissing, changeSetStatus } from "../errors.ts";
import { pageOf } from "../page.ts";
import { createChangeSet } from "./create-change-set.ts";
import { parametersOutput, tagsOutput } from "./outputs.ts";

/** Changes on one page of DescribeChangeSet; AWS gives no number. */
const CHANGES = 100;

/** The operations on change sets. */
export function changeSetOperations(cloudformation: CloudFormation): Readonly<Record<string, AnyOperation>> {
  const { store } = cloudformation;
  const access = accessRules(cloudformation);
  const stackOf = ({ StackName, ChangeSetName }: Named): string | undefined =>
    StackName ?? store.changeSets.byId(ChangeSetName ?? "")?.stackId;
  return {
    CreateChangeSet: operation<CreateChangeSetInput, CreateChangeSetOutput>({
      access: ({ StackName, RoleARN }, call) => [access.on("CreateChangeSet", StackName, call), ...access.passing(RoleARN)],
      run: (input, call) => createChangeSet(cloudformation, input, call),
    }),
    DescribeChangeSet: operation<DescribeChangeSetInput, DescribeChangeSetOutput>({
      access: (input, call) => [access.on("DescribeChangeSet", stackOf(input), call)],
      run: (input, call) => describe(cloudformation, input, call),
    }),
    ExecuteChangeSet: operation<ExecuteChangeSetInput, ExecuteChangeSetOutput>({
      access: (input, call) => [access.on("ExecuteChangeSet", stackOf(input), call)],
      run: (input, call) => execute(cloudformation, input, call),
    }),
    DeleteChangeSet: operation<DeleteChangeSetInput, DeleteChangeSetOutput>({
      access: (input, call) => [access.on("DeleteChangeSet", stackOf(input), call)],
      run(input, call) {
        const found = findChangeSet(cloudformation, input, call);
        // Deleting one that is gone succeeds, by name too, as long as the stack is there.
        if (found) store.changeSets.delete(found);
        else if (input.StackName !== undefined) cloudformation.present(call, input.StackName);
        return {};
      },
    }),
    ListChangeSets: operation<ListChangeSetsInput, ListChangeSetsOutput>({
      access: ({ StackName }, call) => [access.on("ListChangeSets", StackName, call)],
      run({ StackName, NextToken }, call) {
        const stack = cloudformation.present(call, StackName);
        const { items, next } = pageOf(store.changeSets.list(stack.id), { token: NextToken, size: 100 });
        return { Summaries: items.map((changeSet) => summary(changeSet, stack)), ...(next !== undefined && { NextToken: next }) };
      },
    }),
  };
}

interface Named {
  readonly StackName?: string | undefined;
  readonly ChangeSetName?: string | undefined;
}

/** The change set by its id, or by its name and that of its stack. */
export function findChangeSet(
  cloudformation: CloudFormation,
  { StackName, ChangeSetName = "" }: Named,
  call: Call,
): ChangeSetRecord | undefined {
  if (ChangeSetName.startsWith("arn:")) return cloudformation.store.changeSets.byId(ChangeSetName);
  const stack = cloudformation.find(call, StackName ?? "");
  return stack && cloudformation.store.changeSets.get(stack.id, ChangeSetName);
}

function required(cloudformation: CloudFormation, input: Named, call: Call): ChangeSetRecord {
  const found = findChangeSet(cloudformation, input, call);
  if (!found) throw changeSetMissing(input.ChangeSetName ?? "");
  return found;
}

function describe(cloudformation: CloudFormation, input: DescribeChangeSetInput, call: Call): DescribeChangeSetOutput {
  const changeSet = required(cloudformation, input, call);
  const stack = cloudformation.present(call, changeSet.stackId);
  const { items, next } = pageOf(changeSet.changes, { token: input.NextToken, size: CHANGES });
  const { deployment } = changeSet;
  return {
    ...summary(changeSet, stack),
    Changes: items.map((change) => (input.IncludePropertyValues ? change : withoutValues(change))),
    Parameters: parametersOutput(deployment.parameters),
    Tags: tagsOutput(deployment.tags),
    Capabilities: [...deployment.capabilities] as DescribeChangeSetOutput["Capabilities"],
    NotificationARNs: [],
    RollbackConfiguration: {},
    ...(changeSet.onFailure && { OnStackFailure: changeSet.onFailure }),
    ...(next !== undefined && { NextToken: next }),
  };
}

function withoutValues({ ResourceChange, ...change }: ChangeSetRecord["changes"][number]): ChangeSetRecord["changes"][number] {
  if (!ResourceChange) return change;
  const { BeforeContext: _before, AfterContext: _after, ...rest } = ResourceChange;
  const Details = rest.Details?.map(({ Target, ...detail }) => {
    const { BeforeValue: _b, AfterValue: _a, Path: _p, AttributeChangeType: _t, ...target } = Target ?? {};
    return { ...detail, Target: target };
  });
  return { ...change, ResourceChange: { ...rest, Details } };
}

const summary = (changeSet: ChangeSetRecord, stack: StackRecord): ChangeSetSummary => ({
  ChangeSetName: changeSet.name,
  ChangeSetId: changeSet.id,
  StackId: stack.id,
  StackName: stack.name,
  CreationTime: new Date(changeSet.created),
  Status: changeSet.status,
  ExecutionStatus: changeSet.executionStatus,
  IncludeNestedStacks: changeSet.includesNestedStacks,
  ImportExistingResources: changeSet.importsExisting,
  ...(changeSet.reason !== undefined && { StatusReason: changeSet.reason }),
  ...(changeSet.description !== undefined && { Description: changeSet.description }),
});

async function execute(cloudformation: CloudFormation, input: ExecuteChangeSetInput, call: Call): Promise<ExecuteChangeSetOutput> {
  const { store, deployer } = cloudformation;
  const changeSet = required(cloudformation, input, call);
  const stack = cloudformation.present(call, changeSet.stackId);
  if (changeSet.executionStatus !== "AVAILABLE")
    throw changeSetStatus(changeSet.id, changeSet.executionStatus === "UNAVAILABLE" ? changeSet.status : changeSet.executionStatus);
  if (changeSet.operations !== stack.operations) throw changeSetStatus(changeSet.id, "OBSOLETE");
  const onFailure = input.DisableRollback ? "DO_NOTHING" : (changeSet.onFailure ?? "ROLLBACK");
  const request = {
    deployment: changeSet.deployment,
    principal: call.caller,
    onFailure,
    changeSetId: changeSet.id,
    importsExisting: changeSet.importsExisting,
    retainsExceptOnCreate: input.RetainExceptOnCreate ?? false,
    ...(input.ClientRequestToken !== undefined && { clientRequestToken: input.ClientRequestToken }),
  };
  store.transaction(() => {
    if (changeSet.type === "CREATE") startCreation(deployer, stack, request);
    else startUpdate(deployer, stack, request);
    // The others were planned against what now changes.
    for (const other of store.changeSets.list(stack.id)) if (other.name !== changeSet.name) store.changeSets.delete(other);
    store.changeSets.put({ ...changeSet, executionStatus: "EXECUTE_COMPLETE" });
  });
  await cloudformation.carryOn(stack.id);
  return {};
}
