import type {
  ContinueUpdateRollbackInput,
  ContinueUpdateRollbackOutput,
  CreateStackInput,
  CreateStackOutput,
  DeleteStackInput,
  RollbackStackInput,
  RollbackStackOutput,
  UpdateStackInput,
  UpdateStackOutput,
  UpdateTerminationProtectionInput,
  UpdateTerminationProtectionOutput,
} from "@aws-sdk/client-cloudformation";
import { type AnyOperation, type Call, operation } from "../../gateway/service.ts";
import { accessRules } from "../access.ts";
import type { CloudFormation } from "../cloudformation.ts";
import type { OnFailure } from "../deploy/records.ts";
import { checkUpdatable, continueRollback, startCreation, startDeletion, startRollback, startUpdate } from "../deploy/start.ts";
import { validationError } from "../engine/errors.ts";
import { notAvailable, stackExists, stackMissing } from "../errors.ts";
import { newStack } from "../new-stack.ts";
import { deploymentOf, plan } from "../planning.ts";

/** The operations that change stacks. */
export function stackOperations(cloudformation: CloudFormation): Readonly<Record<string, AnyOperation>> {
  const access = accessRules(cloudformation);
  return {
    CreateStack: operation<CreateStackInput, CreateStackOutput>({
      access: ({ StackName, RoleARN }, call) => [access.on("CreateStack", StackName, call), ...access.passing(RoleARN)],
      run: (input, call) => create(cloudformation, input, call),
    }),
    UpdateStack: operation<UpdateStackInput, UpdateStackOutput>({
      access: ({ StackName, RoleARN }, call) => [access.on("UpdateStack", StackName, call), ...access.passing(RoleARN)],
      run: (input, call) => update(cloudformation, input, call),
    }),
    DeleteStack: operation<DeleteStackInput, Record<string, never>>({
      access: ({ StackName, RoleARN }, call) => [access.on("DeleteStack", StackName, call), ...access.passing(RoleARN)],
      run: (input, call) => remove(cloudformation, input, call),
    }),
    UpdateTerminationProtection: operation<UpdateTerminationProtectionInput, UpdateTerminationProtectionOutput>({
      access: ({ StackName }, call) => [access.on("UpdateTerminationProtection", StackName, call)],
      run({ StackName, EnableTerminationProtection = false }, call) {
        const stack = cloudformation.present(call, StackName);
        cloudformation.store.stacks.put({ ...stack, hasTerminationProtection: EnableTerminationProtection });
        return { StackId: stack.id };
      },
    }),
    ...rollbackOperations(cloudformation),
  };
}

function rollbackOperations(cloudformation: CloudFormation): Readonly<Record<string, AnyOperation>> {
  const access = accessRules(cloudformation);
  return {
    RollbackStack: operation<RollbackStackInput, RollbackStackOutput>({
      access: ({ StackName, RoleARN }, call) => [access.on("RollbackStack", StackName, call), ...access.passing(RoleARN)],
      async run(input, call) {
        const stack = cloudformation.present(call, input.StackName);
        startRollback(cloudformation.deployer, stack, requestOf(input, call));
        await cloudformation.carryOn(stack.id);
        return { StackId: stack.id };
      },
    }),
    ContinueUpdateRollback: operation<ContinueUpdateRollbackInput, ContinueUpdateRollbackOutput>({
      access: ({ StackName, RoleARN }, call) => [access.on("ContinueUpdateRollback", StackName, call), ...access.passing(RoleARN)],
      async run(input, call) {
        const stack = cloudformation.present(call, input.StackName);
        continueRollback(cloudformation.deployer, stack, { ...requestOf(input, call), skip: input.ResourcesToSkip ?? [] });
        await cloudformation.carryOn(stack.id);
        return {};
      },
    }),
  };
}

interface Requested {
  readonly RoleARN?: string | undefined;
  readonly ClientRequestToken?: string | undefined;
}

const requestOf = ({ RoleARN, ClientRequestToken }: Requested, call: Call) => ({
  principal: call.caller,
  ...(RoleARN !== undefined && { roleArn: RoleARN }),
  ...(ClientRequestToken !== undefined && { clientRequestToken: ClientRequestToken }),
});

async function create(cloudformation: CloudFormation, input: CreateStackInput, call: Call): Promise<CreateStackOutput> {
  refuse(input);
  if (input.TimeoutInMinutes !== undefined) throw notAvailable("TimeoutInMinutes");
  const { StackName = "", OnFailure, DisableRollback } = input;
  if (OnFailure !== undefined && DisableRollback !== undefined)
    throw validationError("You can specify either DisableRollback or OnFailure, but not both.");
  if (cloudformation.find(call, StackName)) throw stackExists(StackName);
  const fresh = newStack(cloudformation.core, StackName, call);
  const deployment = await deploymentOf(cloudformation, input, { owner: { stack: fresh }, call });
  plan(cloudformation, deployment, { stack: fresh, present: undefined });
  const onFailure: OnFailure = DisableRollback ? "DO_NOTHING" : (OnFailure ?? "ROLLBACK");
  // Another request may have been faster while the template was read.
  if (cloudformation.find(call, StackName)) throw stackExists(StackName);
  const stack = { ...fresh, hasTerminationProtection: input.EnableTerminationProtection ?? false };
  startCreation(cloudformation.deployer, stack, {
    ...requestOf(input, call),
    deployment,
    onFailure,
    retainsExceptOnCreate: input.RetainExceptOnCreate ?? false,
  });
  await cloudformation.carryOn(stack.id);
  return { StackId: stack.id };
}

function refuse(input: CreateStackInput | UpdateStackInput): void {
  const member = (["StackPolicyBody", "StackPolicyURL"] as const).find((name) => input[name] !== undefined);
  if (member) throw notAvailable(member);
}

async function update(cloudformation: CloudFormation, input: UpdateStackInput, call: Call): Promise<UpdateStackOutput> {
  refuse(input);
  const found = cloudformation.present(call, input.StackName);
  if (found.status === "REVIEW_IN_PROGRESS") throw stackMissing(input.StackName ?? "");
  checkUpdatable(found);
  const deployment = await deploymentOf(cloudformation, input, { owner: { stack: found, present: found.deployment }, call });
  // Another request may have been faster while the template was read: the stack is looked at again.
  const stack = cloudformation.present(call, found.id);
  checkUpdatable(stack);
  if (!plan(cloudformation, deployment, { stack, present: stack }).isChange) throw validationError("No updates are to be performed.");
  const onFailure: OnFailure = input.DisableRollback ? "DO_NOTHING" : "ROLLBACK";
  startUpdate(cloudformation.deployer, stack, {
    ...requestOf(input, call),
    deployment,
    onFailure,
    retainsExceptOnCreate: input.RetainExceptOnCreate ?? false,
  });
  await cloudformation.carryOn(stack.id);
  return { StackId: stack.id };
}

async function remove(cloudformation: CloudFormation, input: DeleteStackInput, call: Call): Promise<Record<string, never>> {
  const { store, deployer } = cloudformation;
  const stack = cloudformation.find(call, input.StackName ?? "");
  // What is not there is deleted already.
  if (!stack || stack.status === "DELETE_COMPLETE") return {};
  if (stack.hasTerminationProtection)
    throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
  const { RetainResources: retain = [], DeletionMode } = input;
  if (DeletionMode === "FORCE_DELETE_STACK") throw notAvailable("DeletionMode FORCE_DELETE_STACK");
  if (retain.length > 0 && stack.status !== "DELETE_FAILED")
    throw validationError(
      `Invalid operation on stack [${stack.id}]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.`,
    );
  store.transaction(() => {
    for (const changeSet of store.changeSets.list(stack.id)) store.changeSets.delete(changeSet);
    startDeletion(deployer, stack, { ...requestOf(input, call), retain });
  });
  await cloudformation.carryOn(stack.id);
  return {};
}
