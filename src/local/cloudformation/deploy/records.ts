import type { ResourceStatus, StackStatus } from "@aws-sdk/client-cloudformation";
import type { Principal } from "../../authorization/principal.ts";
import type { Output } from "../engine/outputs.ts";
import type { StackParameter } from "../engine/parameters.ts";
import type { Policy } from "../engine/policies.ts";
import type { Json, Properties } from "../resource-provider.ts";

/** What a stack is made from. */
export interface Deployment {
  /** Digest of the template's text: see the store's templates. */
  readonly template: string;
  readonly description?: string;
  readonly parameters: readonly StackParameter[];
  readonly tags: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly notificationArns: readonly string[];
  readonly roleArn?: string;
}

/** A stack, whole: what it is, and what is being done to it. Times are ISO 8601. */
export interface StackRecord {
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly status: StackStatus;
  readonly reason?: string;
  readonly created: string;
  readonly updated?: string;
  readonly deleted?: string;
  /** What was last deployed whole, or is being created. */
  readonly deployment: Deployment;
  readonly outputs: readonly Output[];
  readonly changeSetId?: string;
  /** For a nested stack: the stack it is a resource of, and the outermost one. */
  readonly parentId?: string;
  readonly rootId?: string;
  readonly hasTerminationProtection: boolean;
  readonly disableRollback: boolean;
  /** Number of operations begun so far. */
  readonly operations: number;
  /** The operation under way, or the one that stopped half-way and can be rolled back, continued or deleted. */
  readonly operation?: Operation;
}

/** What a stage of an operation does to the resources. */
export type Stage =
  /** Creates, updates and replaces towards the target. */
  | "APPLY"
  /** Deletes what the target no longer has, and what was replaced. */
  | "CLEANUP"
  /** Brings every resource back to what it was before the update. */
  | "RESTORE"
  /** Deletes what the failed update made. */
  | "RESTORE_CLEANUP"
  /** Deletes what a failed creation made. */
  | "UNDO"
  /** Deletes the stack's resources. */
  | "DELETE";

/** What to do when a resource can't be made. */
export type OnFailure = "ROLLBACK" | "DELETE" | "DO_NOTHING";

export interface Operation {
  /** Counts the operations of a stack: part of the token of every step. */
  readonly number: number;
  readonly kind: "CREATE" | "UPDATE" | "DELETE";
  readonly stage: Stage;
  readonly isStopped: boolean;
  /** Towards what; absent for DELETE. */
  readonly target?: Deployment;
  /** The last whole deployment and its resources, for UPDATE. */
  readonly previous?: Deployment;
  readonly before?: Readonly<Record<string, ResourceRecord>>;
  readonly onFailure: OnFailure;
  /** Whether a retained resource whose name is taken is taken over (ImportExistingResources). */
  readonly importsExisting?: boolean;
  /** Whether Retain means RetainExceptOnCreate for what this operation makes. */
  readonly retainsExceptOnCreate?: boolean;
  /** Logical ids: not deleted (RetainResources of DeleteStack). */
  readonly retain: readonly string[];
  /** Logical ids: not restored (ResourcesToSkip of ContinueUpdateRollback). */
  readonly skip: readonly string[];
  /** With what right resources are made where no role is given. */
  readonly principal: Principal;
  readonly roleArn?: string;
  readonly clientRequestToken?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** A deletion asked for while this operation was running: it begins as soon as what is under way has ended. */
  readonly superseded?: DeleteRequest;
}

/** How a stack shall be deleted. */
export interface DeleteRequest {
  readonly principal: Principal;
  readonly roleArn?: string;
  readonly clientRequestToken?: string;
  readonly retain: readonly string[];
}

/** A resource of a stack. */
export interface ResourceRecord {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId?: string;
  readonly status: ResourceStatus;
  readonly reason?: string;
  readonly updated: string;
  /** What it was made with; dynamic references as they are written. */
  readonly properties: Properties;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly metadata?: Json;
  readonly deletionPolicy: Policy;
  readonly updateReplacePolicy: Policy;
  readonly dependsOn: readonly string[];
  /** The stack's tags when it was last made or updated. */
  readonly tags: Readonly<Record<string, string>>;
  /** Set while an update is under way, and after it failed: what the resource may have become. */
  readonly attempted?: Properties;
}

/** A physical resource that no logical one names any more. */
export interface Leftover {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
  readonly properties: Properties;
  readonly policy: Policy;
  readonly dependsOn: readonly string[];
}

/** One step of a stage for one resource, journalled before it begins. */
export interface Step {
  readonly state: "started" | "done" | "failed";
  readonly action: "create" | "update" | "replace" | "delete" | "none";
  readonly properties?: Properties;
  /** For an update: what the resource is, or after a failed update may be. */
  readonly previousProperties?: Properties;
  /** The physical id that the provider announced. */
  readonly physicalId?: string;
}

export interface EventRecord {
  readonly id: string;
  readonly logicalId: string;
  readonly physicalId?: string;
  readonly type: string;
  readonly time: string;
  readonly status: ResourceStatus | StackStatus;
  readonly reason?: string;
  readonly properties?: Properties;
  readonly clientRequestToken?: string;
}
