import type {
  CreateWorkflowRequest,
  CreateWorkflowVersionRequest,
  DefinitionRepository,
  DeleteWorkflowRequest,
  DeleteWorkflowVersionRequest,
  GetWorkflowRequest,
  GetWorkflowVersionRequest,
  ListWorkflowsRequest,
  ListWorkflowVersionsRequest,
  UpdateWorkflowRequest,
  UpdateWorkflowVersionRequest,
} from "../../../model/generated/types.ts";
import type { Access, AnyOperation, Call } from "../../gateway/service.ts";
import type { Page } from "../../storage/database.ts";
import { anyArn, versionArn, workflowArn } from "../arns.ts";
import { declare } from "../declare.ts";
import type { Omics } from "../omics.ts";
import { pageOf } from "../page.ts";
import { tagContext } from "../tag-rules.ts";
import { createVersion, createWorkflow } from "./create.ts";
import { deleteVersion, deleteWorkflow } from "./delete.ts";
import { describeVersion, describeWorkflow } from "./describe.ts";
import { checkOwn, findVersion, findWorkflow } from "./find.ts";
import { exportsOf } from "./exports.ts";
import { updateVersion, updateWorkflow } from "./update.ts";

const onWorkflow = (action: string, call: Call, id: string): readonly Access[] => [
  { action: `omics:${action}`, resource: workflowArn(call, id) },
];

interface VersionName {
  readonly workflowId: string;
  readonly versionName: string;
}

const onVersion = (action: string, call: Call, { workflowId, versionName }: VersionName): readonly Access[] => [
  { action: `omics:${action}`, resource: versionArn(call, workflowId, versionName) },
  { action: `omics:${action}`, resource: workflowArn(call, workflowId) },
];

/** Workflows: create, read, list, update, delete. */
export function workflowOperations(omics: Omics): Readonly<Record<string, AnyOperation>> {
  const { random } = omics.core;
  return {
    CreateWorkflow: declare<CreateWorkflowRequest, unknown>("CreateWorkflow", random, {
      access: ({ tags, definitionRepository }) => [
        { action: "omics:CreateWorkflow", resource: anyArn, context: tagContext(tags) },
        ...taggingAccess(tags, anyArn),
        ...connectionAccess(definitionRepository),
      ],
      run: (input, call) => createWorkflow(omics, input, call),
    }),
    GetWorkflow: declare<GetWorkflowRequest, unknown>("GetWorkflow", random, {
      access: ({ id }, call) => onWorkflow("GetWorkflow", call, id),
      run: (input, call) => getWorkflow(omics, input, call),
    }),
    ListWorkflows: declare<ListWorkflowsRequest, unknown>("ListWorkflows", random, {
      access: () => [{ action: "omics:ListWorkflows", resource: anyArn }],
      run: (input, call) => listWorkflows(omics, input, call),
    }),
    UpdateWorkflow: declare<UpdateWorkflowRequest, unknown>("UpdateWorkflow", random, {
      access: ({ id }, call) => onWorkflow("UpdateWorkflow", call, id),
      run: (input, call) => updateWorkflow(omics, input, call),
    }),
    DeleteWorkflow: declare<DeleteWorkflowRequest, unknown>("DeleteWorkflow", random, {
      access: ({ id }, call) => onWorkflow("DeleteWorkflow", call, id),
      run: ({ id }, call) => deleteWorkflow(omics, call, id),
    }),
  };
}

function getWorkflow(omics: Omics, input: GetWorkflowRequest, call: Call) {
  checkOwn(input, call, input.id);
  const workflow = findWorkflow(omics, call, input.id);
  return describeWorkflow(workflow, exportsOf(omics, workflow, { wanted: input.export ?? [], call }));
}

function listWorkflows({ store }: Omics, { name, type, startingToken, maxResults }: ListWorkflowsRequest, { account, region }: Call) {
  const scope = [account, region];
  const read = (page: Page) => {
    if (type === "READY2RUN") return [];
    return name == null ? store.workflows.items.list(scope, page) : store.workflows.listBy({ scope, name: "name", value: name }, page);
  };
  return pageOf({ of: "ListWorkflows", prefix: scope, filters: { name, type }, startingToken, maxResults, read });
}

/** Versions of workflows: create, read, list, update, delete. */
export function versionOperations(omics: Omics): Readonly<Record<string, AnyOperation>> {
  const { random } = omics.core;
  return {
    CreateWorkflowVersion: declare<CreateWorkflowVersionRequest, unknown>("CreateWorkflowVersion", random, {
      access: ({ workflowId, versionName, tags, definitionRepository }, call) => [
        { action: "omics:CreateWorkflowVersion", resource: workflowArn(call, workflowId), context: tagContext(tags) },
        ...taggingAccess(tags, versionArn(call, workflowId, versionName)),
        ...connectionAccess(definitionRepository),
      ],
      run: (input, call) => createVersion(omics, input, call),
    }),
    GetWorkflowVersion: declare<GetWorkflowVersionRequest, unknown>("GetWorkflowVersion", random, {
      access: (input, call) => onVersion("GetWorkflowVersion", call, input),
      run: (input, call) => getVersion(omics, input, call),
    }),
    ListWorkflowVersions: declare<ListWorkflowVersionsRequest, unknown>("ListWorkflowVersions", random, {
      access: ({ workflowId }, call) => onWorkflow("ListWorkflowVersions", call, workflowId),
      run: (input, call) => listVersions(omics, input, call),
    }),
    UpdateWorkflowVersion: declare<UpdateWorkflowVersionRequest, unknown>("UpdateWorkflowVersion", random, {
      access: (input, call) => onVersion("UpdateWorkflowVersion", call, input),
      run: (input, call) => updateVersion(omics, input, call),
    }),
    DeleteWorkflowVersion: declare<DeleteWorkflowVersionRequest, unknown>("DeleteWorkflowVersion", random, {
      access: (input, call) => onVersion("DeleteWorkflowVersion", call, input),
      run: (input, call) => deleteVersion(omics, call, input),
    }),
  };
}

function getVersion(omics: Omics, input: GetWorkflowVersionRequest, call: Call) {
  checkOwn(input, call, input.workflowId);
  const version = findVersion(omics, call, input);
  return describeVersion(version, exportsOf(omics, version, { wanted: input.export ?? [], call }));
}

function listVersions(omics: Omics, input: ListWorkflowVersionsRequest, call: Call) {
  const { workflowId, startingToken, maxResults } = input;
  checkOwn(input, call, workflowId);
  findWorkflow(omics, call, workflowId);
  const prefix = [call.account, call.region, workflowId];
  const read = (page: Page) => omics.store.versions.items.list(prefix, page);
  return pageOf({ of: "ListWorkflowVersions", prefix, startingToken, maxResults, read });
}

const connectionAccess = (repository: DefinitionRepository | null | undefined): readonly Access[] =>
  repository ? [{ action: "codeconnections:UseConnection", resource: repository.connectionArn }] : [];

/** Tagging at creation needs omics:TagResource as well (guide, "Tagging resources"). */
const taggingAccess = (tags: Readonly<Record<string, string>> | null | undefined, resource: string): readonly Access[] =>
  tags && Object.keys(tags).length > 0 ? [{ action: "omics:TagResource", resource, context: tagContext(tags) }] : [];
