import { InvalidDefinition } from "./errors.ts";
import { isArray, isObject, type Json, type JsonObject } from "./json.ts";

/** The language of a state's paths and expressions. */
export type QueryLanguage = "JSONPath" | "JSONata";

/** States and where they begin: a whole machine, a branch of Parallel, or what Map repeats. */
export interface StateGraph {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

/** A state machine as Amazon States Language writes it. */
export interface Machine extends StateGraph {
  readonly TimeoutSeconds?: number;
}

interface Fields {
  readonly QueryLanguage: QueryLanguage;
  readonly Next?: string;
  readonly InputPath?: string | null;
  readonly OutputPath?: string | null;
  readonly Assign?: JsonObject;
  readonly Output?: Json;
}

interface ResultFields extends Fields {
  readonly Parameters?: Json;
  readonly Arguments?: Json;
  readonly ResultSelector?: JsonObject;
  readonly ResultPath?: string | null;
}

/** https://states-language.net/#retrying-after-error */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: "FULL" | "NONE";
}

/** https://states-language.net/#fallback-states */
export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly ResultPath?: string | null;
  readonly Output?: Json;
  readonly Assign?: JsonObject;
}

interface Recoverable extends ResultFields {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface PassState extends ResultFields {
  readonly Type: "Pass";
  readonly Result?: Json;
}

export interface TaskState extends Recoverable {
  readonly Type: "Task";
  readonly Resource: string;
  readonly TimeoutSeconds?: Json;
  readonly TimeoutSecondsPath?: string;
  readonly HeartbeatSeconds?: Json;
  readonly HeartbeatSecondsPath?: string;
  readonly Credentials?: JsonObject;
}

/** One test of a Choice state, in either language; comparison operators are read by name. */
export interface ChoiceRule extends JsonObject {}

export interface ChoiceState extends Fields {
  readonly Type: "Choice";
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string;
}

export interface WaitState extends Fields {
  readonly Type: "Wait";
  readonly Seconds?: Json;
  readonly SecondsPath?: string;
  readonly Timestamp?: string;
  readonly TimestampPath?: string;
}

export interface SucceedState extends Fields {
  readonly Type: "Succeed";
}

export interface FailState extends Fields {
  readonly Type: "Fail";
  readonly Error?: string;
  readonly ErrorPath?: string;
  readonly Cause?: string;
  readonly CausePath?: string;
}

export interface ParallelState extends Recoverable {
  readonly Type: "Parallel";
  readonly Branches: readonly StateGraph[];
}

export interface MapState extends Recoverable {
  readonly Type: "Map";
  readonly ItemProcessor: StateGraph;
  readonly Items?: Json;
  readonly ItemsPath?: string;
  readonly ItemSelector?: Json;
  readonly MaxConcurrency?: Json;
  readonly MaxConcurrencyPath?: string;
  readonly ToleratedFailureCount?: Json;
  readonly ToleratedFailureCountPath?: string;
  readonly ToleratedFailurePercentage?: Json;
  readonly ToleratedFailurePercentagePath?: string;
}

/** The states that Retry and Catch belong to. */
export type RecoverableState = TaskState | ParallelState | MapState;

export type State = RecoverableState | PassState | ChoiceState | WaitState | SucceedState | FailState;

const TYPES = new Set(["Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"]);

/** Fields of Map that belong to the DISTRIBUTED mode. */
const DISTRIBUTED_FIELDS = ["ItemReader", "ItemBatcher", "ResultWriter"];

/**
 * Reads a definition and makes it plain for the interpreter: each state has its own QueryLanguage, and Map's legacy
 * `Iterator` and `Parameters` are `ItemProcessor` and `ItemSelector`.
 * @throws InvalidDefinition naming each state that can't be run
 */
export function parseDefinition(text: string): Machine {
  const problems: string[] = [];
  const document = readDocument(text);
  const language = document["QueryLanguage"] === "JSONata" ? "JSONata" : "JSONPath";
  const graph = readGraph(document, { where: "the state machine", language, problems });
  if (problems.length > 0) throw new InvalidDefinition(problems);
  const seconds = document["TimeoutSeconds"];
  return typeof seconds === "number" ? { ...graph, TimeoutSeconds: seconds } : graph;
}

interface Reading {
  readonly where: string;
  readonly language: QueryLanguage;
  readonly problems: string[];
}

function readDocument(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidDefinition([`The definition is not JSON: ${(error as Error).message}`]);
  }
  if (!isObject(value)) throw new InvalidDefinition(["The definition is not a JSON object"]);
  return value;
}

function readGraph(value: Json | undefined, reading: Reading): StateGraph {
  const states = isObject(value) ? value["States"] : undefined;
  const start = isObject(value) ? value["StartAt"] : undefined;
  if (!isObject(states) || typeof start !== "string") {
    reading.problems.push(`${reading.where} needs StartAt and States`);
    return { StartAt: "", States: {} };
  }
  if (!Object.hasOwn(states, start)) reading.problems.push(`${reading.where}: StartAt names "${start}", which is not among its States`);
  const entries = Object.entries(states).map(([name, state]) => {
    checkTargets(state, states, { ...reading, where: `state "${name}"` });
    return [name, readState(state, { ...reading, where: `state "${name}"` })] as const;
  });
  return { StartAt: start, States: Object.fromEntries(entries) };
}

/** Every Next, Default and Catch must name a sibling: the interpreter never meets an unknown state. */
function checkTargets(state: Json, siblings: JsonObject, { where, problems }: Reading): void {
  if (!isObject(state)) return;
  const rules = [state["Choices"], state["Catch"]].flatMap((list) => (isArray(list) ? list : []));
  const targets = [state["Next"], state["Default"], ...rules.map((rule) => (isObject(rule) ? rule["Next"] : undefined))];
  for (const target of targets)
    if (typeof target === "string" && !Object.hasOwn(siblings, target)) problems.push(`${where} goes to "${target}", which does not exist`);
}

function readState(value: Json, reading: Reading): State {
  const state = isObject(value) ? value : {};
  const type = state["Type"];
  if (typeof type !== "string" || !TYPES.has(type)) reading.problems.push(`${reading.where} has no known Type`);
  const own = state["QueryLanguage"];
  const QueryLanguage = own === "JSONata" || own === "JSONPath" ? own : reading.language;
  const plain: JsonObject = { ...state, QueryLanguage };
  if (type === "Parallel") return readParallel(plain, reading);
  if (type === "Map") return readMap(plain, reading);
  if (type === "Task" && typeof state["Resource"] !== "string") reading.problems.push(`${reading.where} needs a Resource`);
  if (type === "Choice" && !isArray(state["Choices"])) reading.problems.push(`${reading.where} needs Choices`);
  return plain as unknown as State;
}

function readParallel(state: JsonObject, reading: Reading): State {
  const branches = state["Branches"];
  if (!isArray(branches)) reading.problems.push(`${reading.where} needs Branches`);
  const graphs = (isArray(branches) ? branches : []).map((branch, index) =>
    readGraph(branch, { ...reading, where: `${reading.where} branch ${index}` }),
  );
  return { ...state, Branches: graphs } as unknown as State;
}

function readMap(state: JsonObject, reading: Reading): State {
  const { Iterator: legacy, ItemProcessor, Parameters, ItemSelector, ...rest } = state;
  const processor = ItemProcessor ?? legacy;
  const config = isObject(processor) ? processor["ProcessorConfig"] : undefined;
  const isDistributed = isObject(config) && config["Mode"] === "DISTRIBUTED";
  const foreign = DISTRIBUTED_FIELDS.filter((field) => state[field] !== undefined);
  if (isDistributed || foreign.length > 0)
    reading.problems.push(
      `${reading.where} is a distributed Map (${isDistributed ? "Mode DISTRIBUTED" : foreign.join(", ")}), which is not supported here: use Mode INLINE`,
    );
  const selector = ItemSelector ?? Parameters;
  const graph = readGraph(processor, { ...reading, where: `${reading.where} ItemProcessor` });
  return { ...rest, ...(selector === undefined ? {} : { ItemSelector: selector }), ItemProcessor: graph } as unknown as State;
}
