import type { Change, ChangeSetStatus, ExecutionStatus } from "@aws-sdk/client-cloudformation";
import type { Deployment, OnFailure } from "./deploy/records.ts";

/** A change set. Times are ISO 8601. */
export interface ChangeSetRecord {
  readonly id: string;
  readonly name: string;
  readonly stackId: string;
  readonly type: "CREATE" | "UPDATE";
  readonly status: ChangeSetStatus;
  readonly executionStatus: ExecutionStatus;
  readonly reason?: string;
  readonly description?: string;
  readonly created: string;
  readonly deployment: Deployment;
  /** As they were planned when the change set was made. */
  readonly changes: readonly Change[];
  readonly onFailure?: OnFailure;
  readonly importsExisting: boolean;
  readonly includesNestedStacks: boolean;
  readonly clientToken?: string;
  /** The stack's number of operations when the changes were planned: they hold as long as it is the same. */
  readonly operations: number;
}
