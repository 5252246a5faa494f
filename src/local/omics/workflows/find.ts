import type { WorkflowType } from "../../../model/generated/types.ts";
import type { Place } from "../arns.ts";
import { versionNotFound, workflowNotFound } from "../errors.ts";
import type { DefinitionKey, Omics } from "../omics.ts";
import type { Definition, Version, Workflow } from "../store.ts";

/** @throws AwsError ResourceNotFoundException */
export function findWorkflow({ store }: Omics, { account, region }: Place, id: string): Workflow {
  const workflow = store.workflows.get([account, region, id]);
  if (workflow === undefined) throw workflowNotFound(id);
  return workflow;
}

/** @throws AwsError ResourceNotFoundException for the workflow or the version */
export function findVersion(omics: Omics, place: Place, { workflowId, versionName }: { workflowId: string; versionName: string }): Version {
  findWorkflow(omics, place, workflowId);
  const version = omics.store.versions.get([place.account, place.region, workflowId, versionName]);
  if (version === undefined) throw versionNotFound(workflowId, versionName);
  return version;
}

/** Whose workflow a request means, and of which kind. */
export interface Asked {
  readonly type?: WorkflowType | null | undefined;
  readonly workflowOwnerId?: string | null | undefined;
}

/**
 * Refuses Ready2Run workflows, of which there are none, and those of other accounts: none is shared here.
 * @throws AwsError ResourceNotFoundException
 */
export function checkOwn({ type, workflowOwnerId }: Asked, { account }: Place, id: string): void {
  if (type === "READY2RUN" || (workflowOwnerId != null && workflowOwnerId !== account)) throw workflowNotFound(id);
}

/** The workflow or version under a key; undefined when it was deleted meanwhile. */
export function definitionAt({ store }: Omics, { account, region, workflowId, versionName }: DefinitionKey): Definition | undefined {
  return versionName === undefined
    ? store.workflows.get([account, region, workflowId])
    : store.versions.get([account, region, workflowId, versionName]);
}

/** Changes a workflow or version, if it is still there. */
export function updateDefinition(omics: Omics, key: DefinitionKey, change: Partial<Definition>): void {
  const { account, region, workflowId, versionName } = key;
  omics.store.transaction(() => {
    if (versionName === undefined) {
      const workflow = omics.store.workflows.get([account, region, workflowId]);
      if (workflow) omics.store.workflows.put([account, region, workflowId], { ...workflow, ...change });
      return;
    }
    const version = omics.store.versions.get([account, region, workflowId, versionName]);
    if (version) omics.store.versions.put([account, region, workflowId, versionName], { ...version, ...change });
  });
}
