import type { ActionDeclaration } from "@aws-sdk/client-codepipeline";
import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import type { ActionExecution, ArtifactLocation, Execution } from "./store.ts";

/** What a provider's action works with. */
export interface ActionContext {
  readonly core: Core;
  readonly execution: Execution;
  readonly declared: ActionDeclaration;
  /** With variables filled in. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly inputs: readonly ArtifactLocation[];
  readonly outputs: readonly ArtifactLocation[];
  /** The action's own role, or the pipeline's. */
  readonly as: Principal;
  readonly signal: AbortSignal;
  /** The attempt as it is stored now. */
  current(): ActionExecution;
  /** Records what the action waits for, or says of itself. */
  note(changed: Partial<Pick<ActionExecution, "externalId" | "externalUrl" | "summary" | "token">>): void;
}

export interface ActionOutcome {
  readonly variables?: Readonly<Record<string, string>>;
  readonly revision?: { readonly id: string; readonly summary: string; readonly url: string };
  readonly summary?: string;
}
