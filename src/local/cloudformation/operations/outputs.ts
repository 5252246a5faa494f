import type {
  Parameter,
  Stack,
  StackEvent,
  StackResourceDetail,
  StackResourceSummary,
  StackSummary,
  Tag,
} from "@aws-sdk/client-cloudformation";
import type { EventRecord, ResourceRecord, StackRecord } from "../deploy/records.ts";
import type { StackParameter } from "../engine/parameters.ts";

/** Parameters as they are told: what must not be echoed is not. */
export const parametersOutput = (parameters: readonly StackParameter[]): Parameter[] =>
  parameters.map(({ key, value, resolved, noEcho }) => ({
    ParameterKey: key,
    ParameterValue: noEcho ? "****" : value,
    ...(resolved !== undefined && { ResolvedValue: noEcho ? "****" : resolved }),
  }));

/** Tags in the order in which they were given. */
export const tagsOutput = (tags: Readonly<Record<string, string>>): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const NOT_CHECKED = { StackDriftStatus: "NOT_CHECKED" } as const;

/** A stack as DescribeStacks prints it. */
export function stackOutput(stack: StackRecord): Stack {
  const { deployment, updated, deleted, changeSetId, reason } = stack;
  return {
    ...named(stack),
    ...nested(stack),
    ...(deployment.description !== undefined && { Description: deployment.description }),
    Parameters: parametersOutput(deployment.parameters),
    CreationTime: new Date(stack.created),
    ...(updated !== undefined && { LastUpdatedTime: new Date(updated) }),
    ...(deleted !== undefined && { DeletionTime: new Date(deleted) }),
    StackStatus: stack.status,
    ...(reason !== undefined && { StackStatusReason: reason }),
    DisableRollback: stack.disableRollback,
    NotificationARNs: [],
    RollbackConfiguration: {},
    Capabilities: [...deployment.capabilities] as Stack["Capabilities"],
    Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
      OutputKey: key,
      OutputValue: value,
      ...(description !== undefined && { Description: description }),
      ...(exportName !== undefined && { ExportName: exportName }),
    })),
    ...(deployment.roleArn !== undefined && { RoleARN: deployment.roleArn }),
    Tags: tagsOutput(deployment.tags),
    EnableTerminationProtection: stack.hasTerminationProtection,
    DriftInformation: NOT_CHECKED,
    ...(changeSetId !== undefined && { ChangeSetId: changeSetId }),
  };
}

/** A stack as ListStacks prints it. */
export const stackSummary = (stack: StackRecord): StackSummary => ({
  ...named(stack),
  ...nested(stack),
  CreationTime: new Date(stack.created),
  StackStatus: stack.status,
  DriftInformation: NOT_CHECKED,
  ...(stack.deployment.description !== undefined && { TemplateDescription: stack.deployment.description }),
  ...(stack.updated !== undefined && { LastUpdatedTime: new Date(stack.updated) }),
  ...(stack.deleted !== undefined && { DeletionTime: new Date(stack.deleted) }),
  ...(stack.reason !== undefined && { StackStatusReason: stack.reason }),
});

const named = ({ id, name }: StackRecord) => ({ StackId: id, StackName: name });

const nested = ({ parentId, rootId }: StackRecord) => ({
  ...(parentId !== undefined && { ParentId: parentId }),
  ...(rootId !== undefined && { RootId: rootId }),
});

/** An event as DescribeStackEvents prints it. */
export const eventOutput = (stack: StackRecord, event: EventRecord): StackEvent => ({
  ...named(stack),
  EventId: event.id,
  LogicalResourceId: event.logicalId,
  ResourceType: event.type,
  Timestamp: new Date(event.time),
  ResourceStatus: event.status as StackEvent["ResourceStatus"],
  ...(event.physicalId !== undefined && { PhysicalResourceId: event.physicalId }),
  ...(event.reason !== undefined && { ResourceStatusReason: event.reason }),
  ...(event.properties !== undefined && { ResourceProperties: JSON.stringify(event.properties) }),
  ...(event.clientRequestToken !== undefined && { ClientRequestToken: event.clientRequestToken }),
});

/** A resource as ListStackResources prints it. */
export const resourceSummary = (record: ResourceRecord): StackResourceSummary => ({
  LogicalResourceId: record.logicalId,
  ResourceType: record.type,
  LastUpdatedTimestamp: new Date(record.updated),
  ResourceStatus: record.status,
  DriftInformation: { StackResourceDriftStatus: "NOT_CHECKED" },
  ...(record.physicalId !== undefined && { PhysicalResourceId: record.physicalId }),
  ...(record.reason !== undefined && { ResourceStatusReason: record.reason }),
});

/** A resource as DescribeStackResource prints it. */
export const resourceDetail = (stack: StackRecord, record: ResourceRecord): StackResourceDetail => ({
  ...named(stack),
  ...resourceSummary(record),
  ...(record.metadata !== undefined && { Metadata: JSON.stringify(record.metadata) }),
});
