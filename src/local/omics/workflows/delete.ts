import type { Place } from "../arns.ts";
import { emitWorkflowStatus } from "../emit.ts";
import { conflict } from "../errors.ts";
import type { Omics } from "../omics.ts";
import type { Definition } from "../store.ts";
import { findVersion, findWorkflow } from "./find.ts";

/**
 * DeleteWorkflow: ACTIVE or FAILED, and without versions (guide, "Delete a private workflow"). Runs go on.
 * @throws AwsError ConflictException
 */
export function deleteWorkflow(omics: Omics, place: Place, id: string): void {
  const { store, core } = omics;
  store.transaction(() => {
    const workflow = findWorkflow(omics, place, id);
    checkStatus(workflow);
    const versions = store.versions.count([place.account, place.region, id]);
    if (versions > 0)
      throw conflict(`Workflow ${id} has ${versions} version${versions === 1 ? "" : "s"}; delete ${versions === 1 ? "it" : "them"} first`);
    store.workflows.delete([place.account, place.region, id]);
    emitWorkflowStatus(core, { ...workflow, status: "DELETED" });
  });
}

export function deleteVersion(omics: Omics, place: Place, named: { readonly workflowId: string; readonly versionName: string }): void {
  omics.store.transaction(() => {
    const version = findVersion(omics, place, named);
    checkStatus(version);
    omics.store.versions.delete([place.account, place.region, named.workflowId, named.versionName]);
  });
}

function checkStatus({ status, arn }: Definition): void {
  if (status !== "ACTIVE" && status !== "FAILED" && status !== "INACTIVE")
    throw conflict(`${arn} is ${status}; it can be deleted when it is ACTIVE or FAILED`);
}
