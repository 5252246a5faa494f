import type {
  CreateWorkflowRequest,
  CreateWorkflowResponse,
  CreateWorkflowVersionRequest,
  CreateWorkflowVersionResponse,
} from "../../../model/generated/types.ts";
import type { Call } from "../../gateway/service.ts";
import { versionArn, workflowArn, type Place } from "../arns.ts";
import { conflict, quotaExceeded } from "../errors.ts";
import { once } from "../idempotency.ts";
import { nextId } from "../ids.ts";
import type { Omics } from "../omics.ts";
import { provisionedGib } from "../storage-sizes.ts";
import type { Definition, DefinitionSource, Version, Workflow } from "../store.ts";
import { findWorkflow } from "./find.ts";
import { checkDefinitionRequest, readmeSourceOf, type DefinitionRequest } from "./request.ts";

/** CreateWorkflow: answers CREATING at once; the definition is read and checked afterwards. */
export async function createWorkflow(omics: Omics, input: CreateWorkflowRequest, call: Call): Promise<CreateWorkflowResponse> {
  checkDefinitionRequest(input, omics.quotas);
  const source = await sourceOf(omics, input);
  const { account, region } = call;
  const isThere = ({ id }: { readonly id: string }) => omics.store.workflows.get([account, region, id]) !== undefined;
  const { response, isNew } = once(omics.store, { operation: "CreateWorkflow", requestId: input.requestId, input, call, isThere }, () => {
    if (omics.store.workflows.count([account, region]) >= omics.quotas.workflows)
      throw quotaExceeded(`The account has ${omics.quotas.workflows} workflows, the most it can have`);
    const id = nextId(omics, "workflow", call);
    const workflow: Workflow = {
      ...definitionOf(omics, { input, call, source, arn: workflowArn(call, id) }),
      id,
      ...(input.name && { name: input.name }),
    };
    omics.store.workflows.put([account, region, id], workflow);
    const { arn, status, tags, uuid } = workflow;
    return { arn, id, status, tags, uuid };
  });
  if (isNew) omics.publish({ account, region, workflowId: response.id });
  return response;
}

/** CreateWorkflowVersion: inherits nothing from the workflow. */
export async function createVersion(omics: Omics, input: CreateWorkflowVersionRequest, call: Call): Promise<CreateWorkflowVersionResponse> {
  checkDefinitionRequest(input, omics.quotas);
  const source = await sourceOf(omics, input);
  const { account, region } = call;
  const { workflowId, versionName } = input;
  const isThere = (made: VersionName) => omics.store.versions.get([account, region, made.workflowId, made.versionName]) !== undefined;
  const { response, isNew } = once(
    omics.store,
    { operation: "CreateWorkflowVersion", requestId: input.requestId, input, call, isThere },
    () => {
      findWorkflow(omics, call, workflowId);
      checkVersionRoom(omics, call, { workflowId, versionName });
      const arn = versionArn(call, workflowId, versionName);
      const version: Version = { ...definitionOf(omics, { input, call, source, arn }), workflowId, versionName };
      omics.store.versions.put([account, region, workflowId, versionName], version);
      return { arn, workflowId, versionName, status: version.status, tags: version.tags, uuid: version.uuid };
    },
  );
  if (isNew) omics.publish({ account, region, workflowId, versionName });
  return response;
}

interface VersionName {
  readonly workflowId: string;
  readonly versionName: string;
}

function checkVersionRoom(omics: Omics, { account, region }: Place, { workflowId, versionName }: VersionName): void {
  if (omics.store.versions.get([account, region, workflowId, versionName]))
    throw conflict(`Workflow version ${versionName} of workflow ${workflowId} already exists`);
  const most = omics.quotas.versionsPerWorkflow;
  if (omics.store.versions.count([account, region, workflowId]) >= most)
    throw quotaExceeded(`Workflow ${workflowId} has ${most} versions, the most it can have`);
}

async function sourceOf({ core }: Omics, input: DefinitionRequest): Promise<DefinitionSource> {
  const { definitionZip, definitionUri, definitionRepository, workflowBucketOwnerId } = input;
  if (definitionZip !== undefined && definitionZip !== null)
    return { kind: "zip", sha256: (await core.blobs.write(Buffer.from(definitionZip, "base64"))).sha256 };
  if (definitionRepository) return { kind: "repository", repository: definitionRepository };
  return { kind: "s3", uri: definitionUri ?? "", ...(workflowBucketOwnerId && { ownerId: workflowBucketOwnerId }) };
}

interface NewDefinition {
  readonly input: DefinitionRequest;
  readonly call: Call;
  readonly source: DefinitionSource;
  readonly arn: string;
}

function definitionOf({ core }: Omics, { input, call, source, arn }: NewDefinition): Definition {
  const readmeSource = readmeSourceOf(input);
  return {
    place: { account: call.account, region: call.region },
    arn,
    uuid: core.random.uuid(),
    status: "CREATING",
    creationTime: core.clock.now().toISOString(),
    tags: input.tags ?? {},
    source,
    creator: call.caller,
    ...storageOf(input),
    ...(readmeSource && { readmeSource }),
    ...given(input, [
      "description",
      "engine",
      "main",
      "accelerators",
      "parameterTemplate",
      "parameterTemplatePath",
      "readmePath",
      "containerRegistryMap",
      "containerRegistryMapUri",
    ]),
  };
}

/** STATIC with 1,200 GiB unless the request says otherwise (API reference; the run pages of 2026-09 say DYNAMIC). */
function storageOf({ storageType, storageCapacity }: DefinitionRequest): Pick<Definition, "storageType" | "storageCapacity"> {
  if (storageType === "DYNAMIC") return { storageType };
  return { storageType: "STATIC", storageCapacity: provisionedGib(storageCapacity ?? 0) };
}

/** The members that are there, without those that are null or absent. */
function given<T extends object, K extends keyof T>(input: T, members: readonly K[]): { readonly [M in K]?: NonNullable<T[M]> } {
  const entries = members
    .filter((member) => input[member] !== undefined && input[member] !== null)
    .map((member) => [member, input[member]]);
  return Object.fromEntries(entries) as { readonly [M in K]?: NonNullable<T[M]> };
}
