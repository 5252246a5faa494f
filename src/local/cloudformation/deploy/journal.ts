import type { ResourceStatus, StackStatus } from "@aws-sdk/client-cloudformation";
import type { Clock } from "../../../kit/clock.ts";
import { masked, secretsOf } from "../engine/secrets.ts";
import type { Json, Properties } from "../resource-provider.ts";
import type { Store } from "../store.ts";
import type { EventRecord, Operation, ResourceRecord, StackRecord } from "./records.ts";

/** Where events are written. */
export interface Journal {
  readonly store: Store;
  readonly clock: Clock;
}

/** What an event says. */
export interface EventText {
  readonly logicalId: string;
  readonly type: string;
  readonly status: ResourceStatus | StackStatus;
  readonly physicalId?: string | undefined;
  readonly reason?: string | undefined;
  readonly properties?: Properties | undefined;
}

/** Appends an event to a stack's. Times strictly increase, so that an event's id is its own. */
export function writeEvent({ store, clock }: Journal, stack: StackRecord, text: EventText): void {
  const last = store.events.last(stack.id);
  const time = new Date(Math.max(clock.now().getTime(), last ? Date.parse(last.event.time) + 1 : 0)).toISOString();
  const event: EventRecord = {
    id: `${text.logicalId}-${text.status}-${time}`,
    logicalId: text.logicalId,
    type: text.type,
    time,
    status: text.status,
    ...(text.physicalId !== undefined && { physicalId: text.physicalId }),
    ...(text.reason !== undefined && { reason: text.reason }),
    ...(text.properties !== undefined && { properties: masked(text.properties as Json, secretsIn(stack)) as Properties }),
    ...(stack.operation?.clientRequestToken !== undefined && { clientRequestToken: stack.operation.clientRequestToken }),
  };
  store.events.put(stack.id, (last?.position ?? 0) + 1, event);
}

const secretsIn = ({ deployment, operation }: StackRecord): readonly string[] =>
  secretsOf([...deployment.parameters, ...(operation?.target?.parameters ?? []), ...(operation?.previous?.parameters ?? [])]);

/** What changes in a stack's record along with its status. `operation: undefined` ends the operation. */
export type StackChange = Partial<Omit<StackRecord, "operation" | "reason">> & { readonly operation?: Operation | undefined };

/** Gives a stack a new status, in its record and as an event. */
export function setStatus(
  journal: Journal,
  stack: StackRecord,
  change: StackChange & { readonly status: StackStatus; readonly reason?: string | undefined },
): StackRecord {
  const { reason: _before, operation: present, ...rest } = stack;
  const { reason, operation = "operation" in change ? undefined : present, ...more } = change;
  const next: StackRecord = { ...rest, ...more, ...(reason !== undefined && { reason }), ...(operation && { operation }) };
  journal.store.transaction(() => {
    journal.store.stacks.put(next);
    // The event belongs to the operation that is ending, too.
    const owner = next.operation ? next : { ...next, ...(present && { operation: present }) };
    writeEvent(journal, owner, {
      logicalId: stack.name,
      physicalId: stack.id,
      type: "AWS::CloudFormation::Stack",
      status: change.status,
      reason,
    });
  });
  return next;
}

/** A resource's new record, and what its event says beyond it. */
export interface ResourceChange {
  readonly record: Omit<ResourceRecord, "updated">;
  readonly physicalId?: string;
  readonly properties?: Properties;
  readonly reason?: string;
}

/** Keeps a resource's record and writes the event of its new status. */
export function setResource(journal: Journal, stack: StackRecord, { record, ...event }: ResourceChange): void {
  const { reason: _before, ...kept } = record;
  const reason = event.reason;
  journal.store.resources.put(stack.id, { ...kept, ...(reason !== undefined && { reason }), updated: journal.clock.now().toISOString() });
  writeEvent(journal, stack, {
    logicalId: record.logicalId,
    type: record.type,
    status: record.status,
    reason,
    physicalId: event.physicalId ?? record.physicalId ?? "",
    properties: event.properties ?? record.attempted ?? record.properties,
  });
}
