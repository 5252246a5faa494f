import type {
  CreateStateMachineInput,
  CreateStateMachineOutput,
  DeleteStateMachineInput,
  DescribeStateMachineInput,
  DescribeStateMachineOutput,
  ListStateMachinesInput,
  ListStateMachinesOutput,
  UpdateStateMachineInput,
  UpdateStateMachineOutput,
  ValidateStateMachineDefinitionInput,
  ValidateStateMachineDefinitionOutput,
} from "@aws-sdk/client-sfn";
import { type Access, type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { removeMachine } from "./delete-machine.ts";
import { invalidName, notProvided, nothingToUpdate, stateMachineAlreadyExists, stateMachineDeleting } from "./errors.ts";
import { checkDefinition, checkLogging, checkRole, diagnose } from "./machine-checks.ts";
import { findMachine, pageToken, readPageToken, type States, tagContext } from "./service-parts.ts";
import { machineKey, type StateMachine } from "./store.ts";
import { readTags, tagAccess } from "./tag-operations.ts";

const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}$/u;

const passRole = (roleArn: string | undefined): readonly Access[] =>
  roleArn === undefined ? [] : [{ action: "iam:PassRole", resource: roleArn, context: { "iam:PassedToService": "states.amazonaws.com" } }];

const machineArn = ({ region, account }: Call, name: string) => `arn:aws:states:${region}:${account}:stateMachine:${name}`;

/** Operations on state machines. */
export const machineOperations = (states: States): Readonly<Record<string, AnyOperation>> => ({
  CreateStateMachine: operation<CreateStateMachineInput, CreateStateMachineOutput>({
    access: ({ name, roleArn, tags }, call) => [
      { action: "states:CreateStateMachine", resource: machineArn(call, name ?? ""), context: tagAccess(tags) },
      ...(tags?.length ? [{ action: "states:TagResource", resource: machineArn(call, name ?? ""), context: tagAccess(tags) }] : []),
      ...passRole(roleArn),
    ],
    run: (input, call) => create(states, input, call),
  }),
  UpdateStateMachine: operation<UpdateStateMachineInput, UpdateStateMachineOutput>({
    access: ({ stateMachineArn = "", roleArn }) => [
      { action: "states:UpdateStateMachine", resource: stateMachineArn, context: tagContext(states, stateMachineArn) },
      ...passRole(roleArn),
    ],
    run: (input) => update(states, input),
  }),
  DescribeStateMachine: operation<DescribeStateMachineInput, DescribeStateMachineOutput>({
    access: ({ stateMachineArn = "" }) => [
      { action: "states:DescribeStateMachine", resource: stateMachineArn, context: tagContext(states, stateMachineArn) },
    ],
    run: (input) => describe(states, findMachine(states, input.stateMachineArn), input.includedData === "METADATA_ONLY"),
  }),
  DeleteStateMachine: operation<DeleteStateMachineInput, object>({
    access: ({ stateMachineArn = "" }) => [
      { action: "states:DeleteStateMachine", resource: stateMachineArn, context: tagContext(states, stateMachineArn) },
    ],
    run: ({ stateMachineArn }) => removeMachine(states, stateMachineArn ?? ""),
  }),
  ListStateMachines: operation<ListStateMachinesInput, ListStateMachinesOutput>({
    access: () => [{ action: "states:ListStateMachines", resource: "*" }],
    run: (input, call) => list(states, input, call),
  }),
  ValidateStateMachineDefinition: operation<ValidateStateMachineDefinitionInput, ValidateStateMachineDefinitionOutput>({
    access: () => [{ action: "states:ValidateStateMachineDefinition", resource: "*" }],
    run: ({ definition = "", maxResults }) => validate(definition, maxResults || 100),
  }),
});

async function create(states: States, input: CreateStateMachineInput, call: Call): Promise<CreateStateMachineOutput> {
  const { name = "", definition = "", roleArn = "", tracingConfiguration } = input;
  if (!NAME.test(name)) throw invalidName(name);
  refuseWhatIsMissing(input);
  const arn = machineArn(call, name);
  const logging = checkLogging(input.loggingConfiguration);
  await checkDefinition(definition);
  checkRole(states.core, { arn, roleArn, account: call.account, region: call.region, logging, definition });
  const now = states.core.clock.now().toISOString();
  const machine: StateMachine = {
    arn,
    name,
    account: call.account,
    region: call.region,
    roleArn,
    logging,
    createdAt: now,
    updatedAt: now,
    status: "ACTIVE",
    revisionId: states.core.random.uuid(),
    isTraced: tracingConfiguration?.enabled ?? false,
    tags: readTags(input.tags),
  };
  const before = states.store.machines.get(machineKey(machine));
  if (before !== undefined) return again(states, before, { machine, definition });
  put(states, machine, definition);
  return { stateMachineArn: arn, creationDate: new Date(now) };
}

/** Creating the same again answers as the first time did; another definition under the name is refused. */
function again(
  states: States,
  before: StateMachine,
  { machine, definition }: { readonly machine: StateMachine; readonly definition: string },
): CreateStateMachineOutput {
  if (before.status === "DELETING") throw stateMachineDeleting(before.arn);
  const isSame =
    definitionOf(states, before) === definition &&
    JSON.stringify(before.logging) === JSON.stringify(machine.logging) &&
    before.isTraced === machine.isTraced;
  if (!isSame) throw stateMachineAlreadyExists(before.arn);
  return { stateMachineArn: before.arn, creationDate: new Date(before.createdAt) };
}

async function update(states: States, input: UpdateStateMachineInput): Promise<UpdateStateMachineOutput> {
  const before = findMachine(states, input.stateMachineArn);
  if (before.status === "DELETING") throw stateMachineDeleting(before.arn);
  refuseWhatIsMissing(input);
  const { definition = definitionOf(states, before), roleArn = before.roleArn, loggingConfiguration, tracingConfiguration } = input;
  if ([input.definition, input.roleArn, loggingConfiguration, tracingConfiguration].every((given) => given === undefined))
    throw nothingToUpdate();
  const logging = loggingConfiguration === undefined ? before.logging : checkLogging(loggingConfiguration);
  if (input.definition !== undefined) await checkDefinition(definition);
  const now = states.core.clock.now();
  const machine: StateMachine = {
    ...before,
    roleArn,
    logging,
    updatedAt: now.toISOString(),
    revisionId: states.core.random.uuid(),
    isTraced: tracingConfiguration?.enabled ?? before.isTraced,
  };
  checkRole(states.core, { ...machine, definition });
  put(states, machine, definition);
  return { updateDate: now, revisionId: machine.revisionId };
}

function put({ store }: States, machine: StateMachine, definition: string): void {
  store.transaction(() => {
    store.machines.put(machineKey(machine), machine);
    store.revisions.put([...machineKey(machine), machine.revisionId], { definition });
  });
}

const definitionOf = ({ store }: States, machine: StateMachine): string =>
  store.revisions.get([...machineKey(machine), machine.revisionId])?.definition ?? "";

function refuseWhatIsMissing(input: CreateStateMachineInput | UpdateStateMachineInput): void {
  if ("type" in input && input.type === "EXPRESS") throw notProvided("the type EXPRESS");
  if (input.publish === true) throw notProvided("versions (publish)");
  if (input.encryptionConfiguration?.type === "CUSTOMER_MANAGED_KMS_KEY") throw notProvided("encryption with a customer managed key");
}

function describe(states: States, machine: StateMachine, withoutDefinition: boolean): DescribeStateMachineOutput {
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    status: machine.status,
    definition: withoutDefinition ? "" : definitionOf(states, machine),
    roleArn: machine.roleArn,
    type: "STANDARD",
    creationDate: new Date(machine.createdAt),
    loggingConfiguration: machine.logging,
    tracingConfiguration: { enabled: machine.isTraced },
    revisionId: machine.revisionId,
    encryptionConfiguration: { type: "AWS_OWNED_KEY" },
  };
}

function list({ store }: States, { maxResults, nextToken }: ListStateMachinesInput, { account, region }: Call): ListStateMachinesOutput {
  const after = readPageToken(nextToken);
  const limit = maxResults || 100;
  const found = store.machines.list([account, region], { limit: limit + 1, ...(after && { after }) });
  const stateMachines = found.slice(0, limit).map(({ value }) => ({
    stateMachineArn: value.arn,
    name: value.name,
    type: "STANDARD" as const,
    creationDate: new Date(value.createdAt),
  }));
  const last = found.length > limit ? found[limit - 1] : undefined;
  return { stateMachines, ...(last && { nextToken: pageToken(last.key) }) };
}

async function validate(definition: string, limit: number): Promise<ValidateStateMachineDefinitionOutput> {
  const diagnostics = await diagnose(definition);
  return {
    result: diagnostics.length === 0 ? "OK" : "FAIL",
    diagnostics: diagnostics.slice(0, limit),
    truncated: diagnostics.length > limit,
  };
}
