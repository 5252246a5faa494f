import type {
  DefinitionRepository,
  GetWorkflowResponse,
  GetWorkflowVersionResponse,
  WorkflowListItem,
  WorkflowVersionListItem,
} from "../../../model/generated/types.ts";
import type { Definition, Version, Workflow } from "../store.ts";

/** What the members of an export are filled with. */
export interface Exports {
  readonly definition?: string;
  readonly readme?: string;
}

/** A repository as it was asked for: what is known of it before it was read. */
const askedRepository = ({ connectionArn, fullRepositoryId, sourceReference }: DefinitionRepository) => ({
  connectionArn,
  fullRepositoryId,
  sourceReference,
});

const common = (definition: Definition) => ({
  arn: definition.arn,
  status: definition.status,
  type: "PRIVATE" as const,
  description: definition.description,
  engine: definition.engine,
  main: definition.main,
  digest: definition.digest,
  parameterTemplate: definition.parameterTemplate,
  storageType: definition.storageType,
  storageCapacity: definition.storageCapacity,
  creationTime: definition.creationTime,
  statusMessage: definition.statusMessage,
  tags: definition.tags,
  metadata: {},
  accelerators: definition.accelerators,
  uuid: definition.uuid,
  containerRegistryMap: definition.containerRegistryMap,
  definitionRepositoryDetails:
    definition.repositoryDetails ?? (definition.source.kind === "repository" ? askedRepository(definition.source.repository) : undefined),
  readmePath: definition.readmePath,
  profiles: definition.profiles,
  profileParameterTemplates: definition.profileParameterTemplates,
});

export const describeWorkflow = (workflow: Workflow, exports: Exports): GetWorkflowResponse => ({
  id: workflow.id,
  name: workflow.name,
  ...common(workflow),
  ...exports,
});

export const describeVersion = (version: Version, exports: Exports): GetWorkflowVersionResponse => ({
  workflowId: version.workflowId,
  versionName: version.versionName,
  workflowBucketOwnerId: version.source.kind === "s3" ? version.source.ownerId : undefined,
  ...common(version),
  ...exports,
});

export const workflowItem = ({ arn, id, name, status, digest, creationTime }: Workflow): WorkflowListItem => ({
  arn,
  id,
  name,
  status,
  type: "PRIVATE",
  digest,
  creationTime,
  metadata: {},
});

export const versionItem = ({
  arn,
  workflowId,
  versionName,
  description,
  status,
  digest,
  creationTime,
}: Version): WorkflowVersionListItem => ({
  arn,
  workflowId,
  versionName,
  description,
  status,
  type: "PRIVATE",
  digest,
  creationTime,
  metadata: {},
});
