import type { UpdateWorkflowRequest, UpdateWorkflowVersionRequest } from "../../../model/generated/types.ts";
import type { Place } from "../arns.ts";
import { conflict } from "../errors.ts";
import type { Omics } from "../omics.ts";
import { provisionedGib } from "../storage-sizes.ts";
import type { Definition } from "../store.ts";
import { findVersion, findWorkflow } from "./find.ts";
import { checkReadmeSize } from "./request.ts";

/** UpdateWorkflow: name, description, default storage, README. Takes effect at once: UPDATING is never seen. */
export function updateWorkflow(omics: Omics, input: UpdateWorkflowRequest, place: Place): void {
  const workflow = findWorkflow(omics, place, input.id);
  const change = changeOf(omics, workflow, input);
  omics.store.workflows.put([place.account, place.region, input.id], { ...workflow, ...change, ...(input.name && { name: input.name }) });
}

export function updateVersion(omics: Omics, input: UpdateWorkflowVersionRequest, place: Place): void {
  const version = findVersion(omics, place, input);
  const change = changeOf(omics, version, input);
  omics.store.versions.put([place.account, place.region, input.workflowId, input.versionName], { ...version, ...change });
}

type Update = Pick<UpdateWorkflowRequest, "description" | "storageType" | "storageCapacity" | "readmeMarkdown">;

function changeOf(omics: Omics, definition: Definition, input: Update): Partial<Definition> {
  if (definition.status === "CREATING") throw conflict(`${definition.arn} is being created; it can be updated when it is ACTIVE`);
  checkReadmeSize(input.readmeMarkdown, omics.quotas);
  return {
    ...(input.description != null && { description: input.description }),
    ...storageChange(definition, input),
    ...(input.readmeMarkdown != null && { readme: input.readmeMarkdown }),
  };
}

function storageChange(definition: Definition, input: Update): Partial<Definition> {
  const storageType = input.storageType ?? definition.storageType;
  if (storageType === "DYNAMIC") return input.storageType == null ? {} : { storageType };
  if (input.storageType == null && input.storageCapacity == null) return {};
  return { storageType, storageCapacity: provisionedGib(input.storageCapacity ?? definition.storageCapacity ?? 0) };
}
