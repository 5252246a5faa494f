import { parseAccountId } from "../../../kit/account-id.ts";
import type { Clock } from "../../../kit/clock.ts";
import { type Database, openDatabase } from "../../storage/database.ts";
import { carryOutOperation } from "../deploy/operation.ts";
import type { Deployment, OnFailure, StackRecord } from "../deploy/records.ts";
import type { Deployer } from "../deploy/run.ts";
import { startCreation, startDeletion, startUpdate } from "../deploy/start.ts";
import { resolveParameters } from "../engine/parameters.ts";
import { providersOf } from "../engine/providers.ts";
import { parseTemplate } from "../engine/template/template.ts";
import { openStore } from "../store.ts";
import { openWorld, type World } from "./world.ts";

/** Deployments of test resources, without a server. */
export interface Bench {
  readonly world: World;
  readonly database: Database;
  readonly deployer: Deployer;
  /** Begins and carries out; the stack's final record. */
  create(resources: object, options?: BenchOptions): Promise<StackRecord>;
  update(resources: object, options?: BenchOptions): Promise<StackRecord>;
  delete(name?: string): Promise<StackRecord>;
  begin: {
    create(resources: object, options?: BenchOptions): void;
    update(resources: object, options?: BenchOptions): void;
    delete(name?: string): void;
  };
  /** Carries out what has begun. */
  goOn(name?: string): Promise<StackRecord>;
  stack(name?: string): StackRecord;
  /** `LogicalId STATUS` of the stack's events, oldest first. */
  events(name?: string): readonly string[];
  /** Status reasons of events that have one, oldest first. */
  reasons(name?: string): readonly string[];
}

export interface BenchOptions {
  readonly name?: string;
  readonly onFailure?: OnFailure;
  readonly outputs?: object;
  readonly tags?: Readonly<Record<string, string>>;
}

const account = parseAccountId("111122223333");
const region = "us-east-1";
const principal = { kind: "root", account } as const;

/** A clock that stands still: the journal makes times differ by itself. */
export const stillClock: Clock = { now: () => new Date("2026-01-01T00:00:00Z"), sleep: () => Promise.resolve() };

const idOf = (name: string): string => `arn:aws:cloudformation:${region}:${account}:stack/${name}/1`;

/** @param shared what survived an earlier bench: its world, and its database */
export function openBench(shared: { readonly world?: World; readonly database?: Database; readonly parallel?: number } = {}): Bench {
  const world = shared.world ?? openWorld();
  const database = shared.database ?? openDatabase(":memory:");
  const store = openStore(database);
  const deployer: Deployer = {
    store,
    providers: providersOf([world.provider]),
    clock: stillClock,
    parallel: shared.parallel ?? 4,
    callAs: () => () => Promise.reject(new Error("test resources call nobody")),
  };
  const stackOf = (name = "s") => store.stacks.get(idOf(name)) as StackRecord;
  const requestOf = (resources: object, { onFailure = "ROLLBACK", outputs, tags = {} }: BenchOptions) => {
    const body = JSON.stringify({ Resources: resources, ...(outputs && { Outputs: outputs }) });
    const deployment: Deployment = {
      template: store.templates.put(body),
      parameters: resolveParameters({ template: parseTemplate(body), given: [] }),
      tags,
      capabilities: [],
      notificationArns: [],
    };
    return { deployment, principal, onFailure };
  };
  const begin = {
    create(resources: object, options: BenchOptions = {}) {
      const { name = "s" } = options;
      const request = requestOf(resources, options);
      const fresh: StackRecord = {
        id: idOf(name),
        name,
        account,
        region,
        status: "REVIEW_IN_PROGRESS",
        created: stillClock.now().toISOString(),
        deployment: request.deployment,
        outputs: [],
        hasTerminationProtection: false,
        disableRollback: false,
        operations: 0,
      };
      startCreation(deployer, fresh, request);
    },
    update: (resources: object, options: BenchOptions = {}) =>
      void startUpdate(deployer, stackOf(options.name), requestOf(resources, options)),
    delete: (name?: string) => startDeletion(deployer, stackOf(name), { principal, retain: [] }),
  };
  const goOn = async (name?: string) => {
    await carryOutOperation(deployer, idOf(name ?? "s"), new AbortController().signal);
    return stackOf(name);
  };
  const eventsOf = (name = "s") =>
    store.events
      .list(idOf(name), {})
      .map(({ event }) => event)
      .reverse();
  return {
    world,
    database,
    deployer,
    begin,
    goOn,
    create: async (resources, options) => (begin.create(resources, options), goOn(options?.name)),
    update: async (resources, options) => (begin.update(resources, options), goOn(options?.name)),
    delete: async (name) => (begin.delete(name), goOn(name)),
    stack: stackOf,
    events: (name) => eventsOf(name).map((event) => `${event.logicalId} ${event.status}`),
    reasons: (name) => eventsOf(name).flatMap((event) => event.reason ?? []),
  };
}
