import type { EngineHost } from "../engines/launch.ts";
import type { Core } from "../gateway/service.ts";
import type { Quotas } from "./quotas.ts";
import type { RunKey } from "./runs/find.ts";
import type { Store } from "./store.ts";

/** What the operations of HealthOmics share. */
export interface Omics {
  readonly core: Core;
  readonly store: Store;
  readonly quotas: Quotas;
  readonly engines: EngineHost;
  /** Reads, checks and publishes a definition that is CREATING. */
  publish(definition: DefinitionKey): void;
  /** Looks at the queue of runs and tasks: something may start. */
  schedule(): void;
  /** Ends a run whose cancellation is noted in it. */
  cancel(key: RunKey): void;
}

/** A workflow, or with a version name one of its versions. */
export interface DefinitionKey {
  readonly account: string;
  readonly region: string;
  readonly workflowId: string;
  readonly versionName?: string;
}
