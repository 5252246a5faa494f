import { parseArn } from "../../kit/arn.ts";
import type { Call, Core } from "../gateway/service.ts";
import { carryOutOperation } from "./deploy/operation.ts";
import type { StackRecord } from "./deploy/records.ts";
import type { Caller, Deployer } from "./deploy/run.ts";
import { providersOf } from "./engine/providers.ts";
import { stackMissing, stackWithIdMissing } from "./errors.ts";
import type { Call as ProviderCall, ResourceProvider } from "./resource-provider.ts";
import { openStore, type Store } from "./store.ts";

/** What the operations of CloudFormation share. */
export interface CloudFormation {
  readonly core: Core;
  readonly store: Store;
  readonly deployer: Deployer;
  /** The stack by name (one that is not deleted) or by id (any). */
  find(call: Pick<Call, "account" | "region">, nameOrId: string): StackRecord | undefined;
  /** @throws AwsError ValidationError "Stack with id X does not exist" */
  described(call: Call, nameOrId: string | undefined): StackRecord;
  /** @throws AwsError ValidationError "Stack [X] does not exist" */
  present(call: Call, nameOrId: string | undefined): StackRecord;
  /**
   * Carries out the operation of a stack in the background. Resolves when it has ended or stopped, or after two seconds:
   * the `cdk` CLI looks every five seconds, and so finds most operations ended at its first look.
   */
  carryOn(stackId: string): Promise<void>;
}

/** What the operations share, made once. */
export function openCloudFormation(core: Core): CloudFormation {
  const store = openStore(core.database);
  const deployer = deployerOf(core, store);
  const find: CloudFormation["find"] = (call, nameOrId) => {
    if (!nameOrId.startsWith("arn:")) return store.stacks.named(call, nameOrId);
    const stack = store.stacks.get(nameOrId);
    return stack?.account === call.account && stack.region === call.region ? stack : undefined;
  };
  const required = (call: Call, name: string | undefined, missing: (name: string) => Error): StackRecord => {
    const stack = find(call, name ?? "");
    if (!stack) throw missing(name ?? "");
    return stack;
  };
  return {
    core,
    store,
    deployer,
    find,
    described: (call, name) => required(call, name, stackWithIdMissing),
    present: (call, name) => required(call, name, stackMissing),
    carryOn: operationsOfStacks(core, deployer),
  };
}

/** Carries out the operations of stacks in the background, each stack's once however often it is asked for. */
function operationsOfStacks(core: Core, deployer: Deployer): CloudFormation["carryOn"] {
  const working = new Map<string, Promise<void>>();
  const start = (stackId: string): Promise<void> => {
    const done = new Promise<void>((resolve) => {
      core.background(`cloudformation ${stackId}`, (signal) =>
        carryOutOperation(deployer, stackId, signal).finally(() => {
          working.delete(stackId);
          resolve();
        }),
      );
    });
    working.set(stackId, done);
    return done;
  };
  return (stackId) => endsSoon(core, working.get(stackId) ?? start(stackId));
}

/** How long a request that begins an operation waits for its end. */
const PATIENCE_MS = 2000;

async function endsSoon({ clock }: Pick<Core, "clock">, done: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([done, clock.sleep(PATIENCE_MS, over.signal).catch(() => undefined)]);
  over.abort();
}

/** How many resources of a stack are worked on at once. */
const PARALLEL = 16;

const deployerOf = (core: Core, store: Store): Deployer => ({
  store,
  clock: core.clock,
  parallel: PARALLEL,
  providers: lazyProviders(() => core.resourceProviders()),
  callAs: (caller) => callAs(core, caller),
});

/** @param list the types of every service: all are there when the first is asked for, not yet now */
function lazyProviders(list: () => readonly ResourceProvider[]): Deployer["providers"] {
  let collected: Deployer["providers"] | undefined;
  const providers = () => (collected ??= providersOf(list()));
  return { of: (type) => providers().of(type), missing: (types) => providers().missing(types) };
}

/** Condition keys of a call that CloudFormation makes with its caller's own credentials. */
const VIA = {
  "aws:CalledVia": ["cloudformation.amazonaws.com"],
  "aws:CalledViaFirst": "cloudformation.amazonaws.com",
  "aws:CalledViaLast": "cloudformation.amazonaws.com",
};

function callAs(core: Core, { principal, roleArn, stack }: Caller): ProviderCall {
  return <Output>(service: string, operation: string, input: object) => {
    const session = roleArn === undefined ? principal : assumed(core, { roleArn, stack });
    const context = roleArn === undefined ? { context: VIA } : {};
    return core.dispatcher.call<Output>({
      service,
      operation,
      input,
      as: session,
      region: stack.region,
      account: stack.account,
      ...context,
    });
  };
}

const assumed = (core: Core, { roleArn, stack }: { readonly roleArn: string; readonly stack: Caller["stack"] }) =>
  core.directory.assumeAsService({
    service: "cloudformation.amazonaws.com",
    roleArn,
    sessionName: "AWSCloudFormation",
    sourceArn: stack.id,
  });

/** The name in a stack's id, or the name itself. */
export const stackNameOf = (nameOrId: string): string =>
  nameOrId.startsWith("arn:") ? (parseArn(nameOrId).resource.split("/")[1] ?? "") : nameOrId;
