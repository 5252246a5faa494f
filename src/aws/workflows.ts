import {
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  type GetWorkflowVersionResponse,
  type OmicsClient,
  paginateListWorkflows,
  paginateListWorkflowVersions,
  type WorkflowListItem,
  type WorkflowVersionListItem,
} from "@aws-sdk/client-omics";
import type { Clock } from "../kit/clock.ts";

/** The account's own workflows of this name. */
export async function listWorkflowsNamed(omics: OmicsClient, name: string): Promise<readonly WorkflowListItem[]> {
  const found: WorkflowListItem[] = [];
  for await (const page of paginateListWorkflows({ client: omics }, { name, type: "PRIVATE" })) found.push(...(page.items ?? []));
  return found;
}

/** Every version of a workflow. */
export async function listVersions(omics: OmicsClient, workflowId: string): Promise<readonly WorkflowVersionListItem[]> {
  const found: WorkflowVersionListItem[] = [];
  for await (const page of paginateListWorkflowVersions({ client: omics }, { workflowId })) found.push(...(page.items ?? []));
  return found;
}

export interface Waiting {
  readonly clock: Clock;
  /** The longest wait. @default 10 minutes */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a workflow or version has become: ACTIVE or FAILED, with what HealthOmics says. */
export interface Settled {
  readonly status: string;
  readonly message: string;
}

const TRANSIENT: readonly string[] = ["CREATING", "UPDATING"];

/** Waits until a version is no longer CREATING. The SDK's waiter gives up after 30 s and hides the message. */
export const settledVersion = (
  omics: OmicsClient,
  workflowId: string,
  versionName: string,
  waiting: Waiting,
): Promise<Settled & { readonly version: GetWorkflowVersionResponse }> =>
  untilSettled(waiting, async () => {
    const version = await omics.send(new GetWorkflowVersionCommand({ workflowId, versionName }));
    return { status: version.status ?? "", message: version.statusMessage ?? "", version };
  });

/** Waits until a workflow is no longer CREATING. */
export const settledWorkflow = (omics: OmicsClient, id: string, waiting: Waiting): Promise<Settled> =>
  untilSettled(waiting, async () => {
    const workflow = await omics.send(new GetWorkflowCommand({ id }));
    return { status: workflow.status ?? "", message: workflow.statusMessage ?? "" };
  });

async function untilSettled<State extends Settled>(
  { clock, timeoutMs = 600_000, signal }: Waiting,
  ask: () => Promise<State>,
): Promise<State> {
  const deadline = clock.now().getTime() + timeoutMs;
  for (let wait = 200; ; wait = Math.min(wait * 1.5, 5000)) {
    const state = await ask();
    if (!TRANSIENT.includes(state.status) || clock.now().getTime() > deadline) return state;
    await clock.sleep(wait, signal);
  }
}
