import type { Clock } from "../../../kit/clock.ts";
import type { Principal } from "../../authorization/principal.ts";
import { type Prepared, prepare } from "../engine/prepare.ts";
import type { Providers } from "../engine/providers.ts";
import { type ResourceView, scopeOf } from "../engine/stack-scope.ts";
import type { Scope } from "../engine/intrinsics/scope.ts";
import { validationError } from "../engine/errors.ts";
import type { Call, ResourceProvider } from "../resource-provider.ts";
import type { Store } from "../store.ts";
import type { Deployment, Operation, ResourceRecord, StackRecord } from "./records.ts";

/** What operations on stacks are carried out with. */
export interface Deployer {
  readonly store: Store;
  readonly providers: Providers;
  readonly clock: Clock;
  /** Calls of other services: as the role where there is one, else as the principal. */
  callAs(caller: Caller): Call;
  /** How many resources are worked on at once. */
  readonly parallel: number;
}

/** On whose behalf a provider calls. */
export interface Caller {
  readonly principal: Principal;
  readonly roleArn?: string;
  readonly stack: Pick<StackRecord, "id" | "account" | "region">;
}

/** One operation on one stack, while it is carried out. Reads its records afresh: the store is the only truth. */
export interface Run extends Deployer {
  readonly stackId: string;
  readonly signal: AbortSignal;
  stack(): StackRecord;
  operation(): Operation;
  readonly call: Call;
}

/** Begins (or resumes) work on the operation of a stack. */
export function openRun(deployer: Deployer, stackId: string, signal: AbortSignal): Run {
  const stack = (): StackRecord => {
    const found = deployer.store.stacks.get(stackId);
    if (!found) throw new Error(`stack ${stackId} vanished while it was worked on`);
    return found;
  };
  const operation = (): Operation => {
    const found = stack().operation;
    if (!found) throw new Error(`stack ${stackId} has no operation`);
    return found;
  };
  const { principal, roleArn } = operation();
  const call = deployer.callAs({ principal, stack: stack(), ...(roleArn !== undefined && { roleArn }) });
  return { ...deployer, stackId, signal, stack, operation, call };
}

/**
 * Lets requests be answered between two resources: services in this process may answer without ever leaving the queue of
 * promises.
 */
export const breathe = ({ clock, signal }: Pick<Run, "clock" | "signal">): Promise<void> => clock.sleep(0, signal);

/** A deployment's template with conditions decided. */
export function preparedOf(run: Pick<Run, "store" | "stack">, deployment: Deployment): Prepared {
  const { id, name, account, region } = run.stack();
  return prepare({
    template: run.store.templates.parsed(deployment.template),
    parameters: deployment.parameters,
    stack: { id, name, account, region, notificationArns: deployment.notificationArns },
    importValue: (exported) => importedValue(run.store, { account, region, name: exported }),
  });
}

/** @throws AwsError ValidationError where the account and region export no such name */
export function importedValue(
  store: Store,
  { account, region, name }: { readonly account: string; readonly region: string; readonly name: string },
): string {
  const found = store.exports.get({ account, region }, name);
  if (!found) throw validationError(`No export named ${name} found.`);
  return found.value;
}

/** The scope of expressions over the resources as the store has them now. */
export function liveScope(run: Pick<Run, "store" | "stackId" | "providers">, prepared: Prepared): Scope {
  const resources = { get: (id: string) => viewOf(run.store.resources.get(run.stackId, id), run.providers.of) };
  return scopeOf({ ...prepared.scope, resources });
}

function viewOf(record: ResourceRecord | undefined, providerOf: (type: string) => ResourceProvider): ResourceView | undefined {
  if (record?.physicalId === undefined) return undefined;
  return { ref: record.physicalId, attributes: record.attributes, provider: providerOf(record.type) };
}
