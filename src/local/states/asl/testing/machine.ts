import { createHash } from "node:crypto";
import type { Random } from "../../../../kit/random.ts";
import { parseDefinition } from "../definition.ts";
import { type ExecutionRequest, type ExecutionResult, runExecution } from "../execution.ts";
import type { HistoryEvent } from "../history.ts";
import type { JournalEntry } from "../journal.ts";
import type { Json } from "../json.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Randomness that is the same in each test run. */
export function seededRandom(seed = "omx"): Random {
  let count = 0;
  const next = () =>
    createHash("sha512")
      .update(`${seed}${(count += 1)}`)
      .digest("hex");
  return {
    uuid: () => next().replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5"),
    hex: (length) => next().slice(0, length),
    digits: (length) => BigInt(`0x${next()}`).toString().slice(0, length),
  };
}

/** What a finished test execution leaves behind. */
export interface Finished {
  readonly result: ExecutionResult;
  readonly journal: readonly JournalEntry[];
  readonly events: readonly HistoryEvent[];
}

/** Runs a definition to its end on a clock that does not wait. */
export async function runMachine(definition: object, options: Partial<Omit<ExecutionRequest, "definition">> = {}): Promise<Finished> {
  const journal: JournalEntry[] = [...(options.resume ?? [])];
  const request: ExecutionRequest = {
    input: {},
    context: CONTEXT,
    region: "us-east-1",
    clock: new VirtualClock(),
    random: seededRandom(),
    signal: new AbortController().signal,
    runTask: ({ parameters }) => Promise.resolve(parameters),
    record: (entry) => journal.push(entry),
    ...options,
    definition: parseDefinition(JSON.stringify(definition)),
  };
  const result = await runExecution(request);
  return { result, journal, events: journal.flatMap(({ event }) => event ?? []) };
}

const CONTEXT = {
  Execution: { Id: "arn:aws:states:us-east-1:111122223333:execution:m:e", Name: "e", RoleArn: "arn:aws:iam::111122223333:role/r" },
  StateMachine: { Id: "arn:aws:states:us-east-1:111122223333:stateMachine:m", Name: "m" },
};

/** The machine of a single state that ends it. */
export const only = (state: object, machine: object = {}): object => ({
  StartAt: "S",
  States: {
    S: {
      ...state,
      ...("Next" in state || ["Succeed", "Fail", "Choice"].includes(String((state as { Type?: string }).Type)) ? {} : { End: true }),
    },
  },
  ...machine,
});

/** The output of the machine of a single state. */
export async function outputOf(state: object, input: Json = {}, options: Partial<ExecutionRequest> = {}): Promise<Json> {
  const { result } = await runMachine(only(state), { input, ...options });
  if (result.status !== "SUCCEEDED") throw new Error(JSON.stringify(result));
  return result.output;
}

/** The events in short: `3<2 TaskScheduled`. */
export const sketch = (events: readonly HistoryEvent[]): readonly string[] =>
  events.map(({ id, previousEventId, type }) => `${id}<${previousEventId} ${type}`);
