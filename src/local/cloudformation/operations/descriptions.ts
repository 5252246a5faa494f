import type {
  DescribeStackEventsInput,
  DescribeStackEventsOutput,
  DescribeStackResourceInput,
  DescribeStackResourceOutput,
  DescribeStackResourcesInput,
  DescribeStackResourcesOutput,
  DescribeStacksInput,
  DescribeStacksOutput,
  ListStackResourcesInput,
  ListStackResourcesOutput,
  ListStacksInput,
  ListStacksOutput,
} from "@aws-sdk/client-cloudformation";
import { type AnyOperation, type Call, operation } from "../../gateway/service.ts";
import { accessRules } from "../access.ts";
import type { CloudFormation } from "../cloudformation.ts";
import type { ResourceRecord, StackRecord } from "../deploy/records.ts";
import { validationError } from "../engine/errors.ts";
import { stackMissing, stackWithIdMissing } from "../errors.ts";
import { pageOf, readToken, writeToken } from "../page.ts";
import { eventOutput, resourceDetail, resourceSummary, stackOutput, stackSummary } from "./outputs.ts";

/** AWS's pages hold up to 100 of everything, or 1 MB. */
const PAGE = 100;

/** The operations that tell of stacks. */
export function descriptionOperations(cloudformation: CloudFormation): Readonly<Record<string, AnyOperation>> {
  const { store } = cloudformation;
  const access = accessRules(cloudformation);
  return {
    DescribeStacks: operation<DescribeStacksInput, DescribeStacksOutput>({
      access: ({ StackName }, call) => [access.on("DescribeStacks", StackName, call)],
      run({ StackName, NextToken }, call) {
        if (StackName !== undefined) return { Stacks: [stackOutput(cloudformation.described(call, StackName))] };
        const { items, next } = pageOf(newestFirst(store.stacks.ofAccount(call)).filter(isLive), { token: NextToken, size: PAGE });
        return { Stacks: items.map(stackOutput), ...(next !== undefined && { NextToken: next }) };
      },
    }),
    ListStacks: operation<ListStacksInput, ListStacksOutput>({
      access: () => [{ action: "cloudformation:ListStacks", resource: "*" }],
      run({ StackStatusFilter = [], NextToken }, call) {
        const wanted = newestFirst(store.stacks.ofAccount(call)).filter(
          ({ status }) => StackStatusFilter.length === 0 || StackStatusFilter.includes(status),
        );
        const { items, next } = pageOf(wanted, { token: NextToken, size: PAGE });
        return { StackSummaries: items.map(stackSummary), ...(next !== undefined && { NextToken: next }) };
      },
    }),
    DescribeStackEvents: operation<DescribeStackEventsInput, DescribeStackEventsOutput>({
      access: ({ StackName }, call) => [access.on("DescribeStackEvents", StackName, call)],
      run: (input, call) => events(cloudformation, input, call),
    }),
    ...resourceOperations(cloudformation),
  };
}

function resourceOperations(cloudformation: CloudFormation): Readonly<Record<string, AnyOperation>> {
  const { store } = cloudformation;
  const access = accessRules(cloudformation);
  return {
    DescribeStackResource: operation<DescribeStackResourceInput, DescribeStackResourceOutput>({
      access: ({ StackName }, call) => [access.on("DescribeStackResource", StackName, call)],
      run({ StackName, LogicalResourceId = "" }, call) {
        const stack = existing(cloudformation, StackName, call);
        const record = store.resources.get(stack.id, LogicalResourceId);
        if (!record) throw validationError(`Resource ${LogicalResourceId} does not exist for stack ${stack.name}`);
        return { StackResourceDetail: resourceDetail(stack, record) };
      },
    }),
    DescribeStackResources: operation<DescribeStackResourcesInput, DescribeStackResourcesOutput>({
      access: ({ StackName }, call) => [access.on("DescribeStackResources", StackName, call)],
      run: (input, call) => resources(cloudformation, input, call),
    }),
    ListStackResources: operation<ListStackResourcesInput, ListStackResourcesOutput>({
      access: ({ StackName }, call) => [access.on("ListStackResources", StackName, call)],
      run({ StackName, NextToken }, call) {
        const stack = existing(cloudformation, StackName, call);
        const { items, next } = pageOf(store.resources.list(stack.id), { token: NextToken, size: PAGE });
        return { StackResourceSummaries: items.map(resourceSummary), ...(next !== undefined && { NextToken: next }) };
      },
    }),
  };
}

const isLive = ({ status }: StackRecord): boolean => status !== "DELETE_COMPLETE";

const newestFirst = (stacks: readonly StackRecord[]): readonly StackRecord[] =>
  stacks.toSorted((a, b) => b.created.localeCompare(a.created));

function existing(cloudformation: CloudFormation, name: string | undefined, call: Call): StackRecord {
  const stack = cloudformation.find(call, name ?? "");
  if (!stack) throw validationError(`Stack '${name ?? ""}' does not exist`);
  return stack;
}

function events(
  { find, store }: CloudFormation,
  { StackName = "", NextToken }: DescribeStackEventsInput,
  call: Call,
): DescribeStackEventsOutput {
  const stack = find(call, StackName);
  if (!stack) throw stackMissing(StackName);
  // The token names the last event told: events that come meanwhile do not shift the page.
  const after = NextToken === undefined ? {} : { after: String(readToken(NextToken)).padStart(8, "0") };
  const found = store.events.list(stack.id, { limit: PAGE + 1, ...after });
  const page = found.slice(0, PAGE);
  const last = page.at(-1);
  return {
    StackEvents: page.map(({ event }) => eventOutput(stack, event)),
    ...(found.length > PAGE && last && { NextToken: writeToken(Number(last.position)) }),
  };
}

function resources(
  cloudformation: CloudFormation,
  { StackName, LogicalResourceId, PhysicalResourceId }: DescribeStackResourcesInput,
  call: Call,
): DescribeStackResourcesOutput {
  const stack = StackName === undefined ? ownerOf(cloudformation, PhysicalResourceId, call) : cloudformation.described(call, StackName);
  const records = cloudformation.store.resources.list(stack.id);
  const wanted = records.filter(({ logicalId }) => LogicalResourceId === undefined || logicalId === LogicalResourceId);
  if (LogicalResourceId !== undefined && wanted.length === 0)
    throw validationError(`Resource ${LogicalResourceId} does not exist for stack ${stack.name}`);
  return { StackResources: wanted.slice(0, PAGE).map((record) => resourceOutput(stack, record)) };
}

function resourceOutput(stack: StackRecord, record: ResourceRecord) {
  const { LastUpdatedTimestamp: Timestamp, ...rest } = resourceSummary(record);
  return { StackId: stack.id, StackName: stack.name, ...rest, Timestamp };
}

function ownerOf({ store }: CloudFormation, physicalId: string | undefined, call: Call): StackRecord {
  if (physicalId === undefined) throw validationError("Either stack name or physical resource ID must be specified.");
  const owner = store.stacks
    .ofAccount(call)
    .filter(isLive)
    .find(({ id }) => store.resources.list(id).some((record) => record.physicalId === physicalId));
  if (!owner) throw stackWithIdMissing(physicalId);
  return owner;
}
