import type { HistoryEvent, LoggingConfiguration } from "@aws-sdk/client-sfn";
import { parseArn } from "../../kit/arn.ts";
import type { Collection, Database } from "../storage/database.ts";
import type { JournalEntry } from "./asl/journal.ts";
import type { Json } from "./asl/json.ts";

/** A state machine. Its definition is with its revision. */
export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly roleArn: string;
  /** ISO time, as all times here. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly revisionId: string;
  readonly status: "ACTIVE" | "DELETING";
  readonly logging: LoggingConfiguration;
  readonly isTraced: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** A definition as it was put: running executions keep theirs when the machine is updated. */
export interface Revision {
  readonly definition: string;
}

export type ExecutionStatus = "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";

/** One execution. What it did is in its journal. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly machine: string;
  readonly account: string;
  readonly region: string;
  readonly revisionId: string;
  readonly roleArn: string;
  readonly logging: LoggingConfiguration;
  readonly status: ExecutionStatus;
  readonly startedAt: string;
  readonly stoppedAt?: string;
  /** JSON text. */
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly traceHeader?: string;
}

/** A task that waits for somebody who has its token. */
export interface Callback {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly state: "WAITING" | "SUCCEEDED" | "FAILED" | "CLOSED";
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

/** Everything Step Functions remembers. */
export interface Store {
  /** Key: account, region, machine. */
  readonly machines: Collection<StateMachine>;
  /** Key: account, region, machine, revision. */
  readonly revisions: Collection<Revision>;
  /** Key: account, region, machine, execution. */
  readonly executions: Collection<Execution>;
  /** Key: account, region, machine, {@link newestFirst}, execution: the order of ListExecutions. */
  readonly byStart: Collection<true>;
  /** Key: account, region, machine, execution, {@link entryKey}. */
  readonly journals: Collection<JournalEntry>;
  /** Key: token. */
  readonly callbacks: Collection<Callback>;
  transaction<R>(work: () => R): R;
}

export const createStore = (database: Database): Store => ({
  machines: database.collection("states.machines"),
  revisions: database.collection("states.revisions"),
  executions: database.collection("states.executions", {
    running: (execution: Execution) => (execution.status === "RUNNING" ? "yes" : undefined),
  }),
  byStart: database.collection("states.executionsByStart"),
  journals: database.collection("states.journals"),
  callbacks: database.collection("states.callbacks", { machine: (callback: Callback) => callback.stateMachineArn }),
  transaction: (work) => database.transaction(work),
});

type Place = Pick<Execution, "account" | "region" | "machine" | "name">;

export const machineKey = ({ account, region, name }: Pick<StateMachine, "account" | "region" | "name">) =>
  [account, region, name] as const;
export const executionKey = ({ account, region, machine, name }: Place) => [account, region, machine, name] as const;
export const byStartKey = (execution: Place & Pick<Execution, "startedAt">) =>
  [execution.account, execution.region, execution.machine, newestFirst(execution.startedAt), execution.name] as const;

/** Later times sort first. */
const newestFirst = (iso: string): string => String(9_999_999_999_999 - Date.parse(iso)).padStart(13, "0");

/** Entries in the order of their recording. */
export const entryKey = (ordinal: number): string => String(ordinal).padStart(8, "0");

/** The key that a state machine's ARN stands for; undefined when the text is another kind of ARN. */
export function machineKeyOfArn(arn: string): readonly [string, string, string] | undefined {
  const parts = resourceOf(arn, "stateMachine", 2);
  return parts && [parts.account, parts.region, parts.names[0] ?? ""];
}

/** The key that an execution's ARN stands for; undefined when the text is another kind of ARN. */
export function executionKeyOfArn(arn: string): readonly [string, string, string, string] | undefined {
  const parts = resourceOf(arn, "execution", 3);
  return parts && [parts.account, parts.region, parts.names[0] ?? "", parts.names[1] ?? ""];
}

function resourceOf(text: string, kind: string, length: number) {
  const isStates = /^arn:[^:]+:states:[^:]+:\d{12}:/.test(text);
  if (!isStates) return undefined;
  const { account, region, resource } = parseArn(text);
  const [found, ...names] = resource.split(":");
  return found === kind && names.length === length - 1 && names.every((name) => name !== "") ? { account, region, names } : undefined;
}

/** A journal entry whose event has its time as a Date again. */
export function revive(entry: JournalEntry): JournalEntry {
  const { event } = entry;
  return event === undefined
    ? entry
    : { ...entry, event: { ...event, timestamp: new Date(event.timestamp as unknown as string) } as HistoryEvent };
}
