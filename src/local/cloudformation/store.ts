import { createHash } from "node:crypto";
import type { Database, Page } from "../storage/database.ts";
import type { ChangeSetRecord } from "./change-set-record.ts";
import type { EventRecord, Leftover, Operation, ResourceRecord, StackRecord, Stage, Step } from "./deploy/records.ts";
import { parseTemplate, type Template } from "./engine/template/template.ts";

/** An export of an account and region. */
export interface ExportRecord {
  readonly name: string;
  readonly value: string;
  readonly stackId: string;
}

/** Who an account's resources belong to. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** The documents of CloudFormation. */
export type Store = ReturnType<typeof openStore>;

/** Opens the collections. */
export const openStore = (database: Database) => ({
  transaction: <R>(work: () => R): R => database.transaction(work),
  stacks: openStacks(database),
  ...openResources(database),
  steps: openSteps(database),
  templates: openTemplates(database),
  events: openEvents(database),
  ...openNames(database),
  changeSets: openChangeSets(database),
});

function openStacks(database: Database) {
  const stacks = database.collection<StackRecord>("cloudformation.stacks", {
    name: liveName,
    running: (stack) => (isRunning(stack) ? "yes" : undefined),
  });
  return {
    get: (id: string) => stacks.get([id]),
    put: (stack: StackRecord) => stacks.put([stack.id], stack),
    named: ({ account, region }: Scope, name: string) => stacks.find("name", `${account}/${region}/${name}`)[0]?.value,
    ofAccount: ({ account, region }: Scope) =>
      stacks
        .list([])
        .map(({ value }) => value)
        .filter((stack) => stack.account === account && stack.region === region),
    running: () => stacks.find("running", "yes").map(({ value }) => value),
  };
}

function openResources(database: Database) {
  const resources = database.collection<ResourceRecord>("cloudformation.resources");
  const leftovers = database.collection<Leftover>("cloudformation.leftovers");
  return {
    resources: {
      get: (stackId: string, logicalId: string) => resources.get([stackId, logicalId]),
      put: (stackId: string, record: ResourceRecord) => resources.put([stackId, record.logicalId], record),
      delete: (stackId: string, logicalId: string) => resources.delete([stackId, logicalId]),
      list: (stackId: string) => resources.list([stackId]).map(({ value }) => value),
    },
    leftovers: {
      put: (stackId: string, leftover: Leftover) => leftovers.put([stackId, leftover.logicalId, leftover.physicalId], leftover),
      delete: (stackId: string, { logicalId, physicalId }: Pick<Leftover, "logicalId" | "physicalId">) =>
        leftovers.delete([stackId, logicalId, physicalId]),
      list: (stackId: string) => leftovers.list([stackId]).map(({ value }) => value),
    },
  };
}

function openSteps(database: Database) {
  const steps = database.collection<Step>("cloudformation.steps");
  return {
    get: (place: StepPlace) => steps.get(stepKey(place)),
    put: (place: StepPlace, step: Step) => steps.put(stepKey(place), step),
    list: ({ stackId, operation, stage }: Omit<StepPlace, "name">) =>
      steps.list([stackId, String(operation), stage]).map(({ key, value }) => ({ name: key[3] as string, step: value })),
    clear(stackId: string) {
      for (const { key } of steps.list([stackId])) steps.delete(key);
    },
  };
}

function openTemplates(database: Database) {
  const templates = database.collection<{ readonly body: string }>("cloudformation.templates");
  const body = (digest: string): string => {
    const found = templates.get([digest]);
    if (!found) throw new Error(`no template has the digest ${digest}`);
    return found.body;
  };
  return {
    body,
    parsed: (digest: string): Template => parseTemplate(body(digest)),
    /** Keeps a text and gives its digest. */
    put(text: string): string {
      const digest = createHash("sha256").update(text).digest("hex");
      templates.put([digest], { body: text });
      return digest;
    },
  };
}

/** Which step of which operation. */
export interface StepPlace {
  readonly stackId: string;
  readonly operation: number;
  readonly stage: Stage;
  readonly name: string;
}

const stepKey = ({ stackId, operation, stage, name }: StepPlace) => [stackId, String(operation), stage, name];

const liveName = (stack: StackRecord): string | undefined =>
  stack.status === "DELETE_COMPLETE" ? undefined : `${stack.account}/${stack.region}/${stack.name}`;

/** Whether an operation on the stack is under way. */
export const isRunning = ({ operation }: { readonly operation?: Operation }): boolean => operation !== undefined && !operation.isStopped;

function openEvents(database: Database) {
  const events = database.collection<EventRecord>("cloudformation.events");
  return {
    /** Newest first. `after` is the key's last part of the event to continue after. */
    list: (stackId: string, page: Pick<Page, "limit"> & { readonly after?: string }) =>
      events
        .list([stackId], {
          reverse: true,
          ...(page.limit !== undefined && { limit: page.limit }),
          ...(page.after !== undefined && { after: [stackId, page.after] }),
        })
        .map(({ key, value }) => ({ position: key[1] as string, event: value })),
    last: (stackId: string) => {
      const found = events.list([stackId], { reverse: true, limit: 1 })[0];
      return found && { position: Number(found.key[1]), event: found.value };
    },
    put: (stackId: string, position: number, event: EventRecord) => events.put([stackId, String(position).padStart(8, "0")], event),
  };
}

function openNames(database: Database) {
  const exports = database.collection<ExportRecord>("cloudformation.exports");
  const imports = database.collection<{ readonly name: string; readonly stackId: string }>("cloudformation.imports");
  return {
    exports: {
      get: ({ account, region }: Scope, name: string) => exports.get([account, region, name]),
      put: ({ account, region }: Scope, record: ExportRecord) => exports.put([account, region, record.name], record),
      delete: ({ account, region }: Scope, name: string) => exports.delete([account, region, name]),
      list: ({ account, region }: Scope) => exports.list([account, region]).map(({ value }) => value),
    },
    imports: {
      put: ({ account, region }: Scope, name: string, stackId: string) => imports.put([account, region, name, stackId], { name, stackId }),
      delete: ({ account, region }: Scope, name: string, stackId: string) => imports.delete([account, region, name, stackId]),
      of: ({ account, region }: Scope, name: string) => imports.list([account, region, name]).map(({ value }) => value.stackId),
      by: ({ account, region }: Scope, stackId: string) =>
        imports
          .list([account, region])
          .filter(({ value }) => value.stackId === stackId)
          .map(({ value }) => value.name),
    },
  };
}

function openChangeSets(database: Database) {
  const changeSets = database.collection<ChangeSetRecord>("cloudformation.change-sets", { id: ({ id }) => id });
  return {
    get: (stackId: string, name: string) => changeSets.get([stackId, name]),
    byId: (id: string) => changeSets.find("id", id)[0]?.value,
    put: (record: ChangeSetRecord) => changeSets.put([record.stackId, record.name], record),
    delete: ({ stackId, name }: Pick<ChangeSetRecord, "stackId" | "name">) => changeSets.delete([stackId, name]),
    list: (stackId: string) => changeSets.list([stackId]).map(({ value }) => value),
  };
}
