import { describe, expect, test } from "vitest";
import { TaskError } from "./errors.ts";
import type { JournalEntry } from "./journal.ts";
import type { Json } from "./json.ts";
import type { RunTask, TaskCall } from "./task-call.ts";
import { runMachine, seededRandom } from "./testing/machine.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const INVOKE = "arn:aws:states:::lambda:invoke";
const SYNC = "arn:aws:states:::codebuild:startBuild.sync";

/** The killed process never hears of anything again. */
class Killed extends Error {}

/** What tasks did, kept outside of the process: each idempotency key was completed at most once. */
class World {
  readonly completed = new Map<string, number>();
  readonly tokens = new Map<string, string | undefined>();
  readonly runTask: RunTask = async (call) => {
    const { idempotencyKey: key, taskToken, parameters } = call;
    if (this.tokens.has(key)) expect(taskToken).toBe(this.tokens.get(key));
    this.tokens.set(key, taskToken);
    await Promise.resolve();
    const wish = parameters as { fail?: number; job?: boolean };
    if (wish.job === true && call.submitted === undefined) call.submit({ id: `job of ${key}` });
    if (wish.job === true) await Promise.resolve();
    return this.#complete(call, wish.fail ?? 0);
  };

  #complete({ idempotencyKey, parameters }: TaskCall, failures: number): Json {
    this.completed.set(idempotencyKey, (this.completed.get(idempotencyKey) ?? 0) + 1);
    const attempt = Number(/a(\d+)$/.exec(idempotencyKey)?.[1]);
    if (attempt < failures) throw new TaskError("Flaky", `attempt ${attempt}`);
    return { done: parameters };
  }
}

const task = (Parameters: object, fields: object = {}) => ({ Type: "Task", Resource: INVOKE, Parameters, ...fields });

/** All kinds of states, with retries, catches, callbacks, jobs, variables and randomness. */
const DEFINITION = {
  StartAt: "Begin",
  States: {
    Begin: {
      Type: "Pass",
      Parameters: { "id.$": "States.UUID()", list: [1, 2, 3] },
      Assign: { "chance.$": "States.MathRandom(1, 1000000)" },
      Next: "Flaky",
    },
    Flaky: task(
      { fail: 2 },
      { ResultPath: "$.flaky", Retry: [{ ErrorEquals: ["Flaky"], IntervalSeconds: 30, JitterStrategy: "FULL" }], Next: "Job" },
    ),
    Job: task({ job: true, "token.$": "$$.Task.Token" }, { Resource: `${INVOKE}.waitForTaskToken`, ResultPath: null, Next: "Each" }),
    Each: {
      Type: "Map",
      ItemsPath: "$.list",
      MaxConcurrency: 2,
      ResultPath: "$.each",
      Next: "Both",
      ItemSelector: { "n.$": "$$.Map.Item.Value", "u.$": "States.UUID()" },
      ItemProcessor: {
        StartAt: "Work",
        States: {
          Work: { ...task({ "n.$": "$.n", "u.$": "$.u" }), Next: "Rest" },
          Rest: { Type: "Wait", SecondsPath: "$.done.n", End: true },
        },
      },
    },
    Both: {
      Type: "Parallel",
      ResultPath: "$.both",
      Next: "Decide",
      Branches: [
        { StartAt: "Left", States: { Left: task({ job: true }, { Resource: SYNC, End: true }) } },
        {
          StartAt: "Bad",
          States: {
            Bad: task({ fail: 99 }, { Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.caught", Next: "Saved" }], End: true }),
            Saved: { Type: "Pass", Parameters: { "why.$": "$.caught.Cause", "chance.$": "$chance" }, End: true },
          },
        },
      ],
    },
    Decide: { Type: "Choice", Choices: [{ Variable: "$.list[0]", NumericEquals: 1, Next: "Last" }], Default: "Never" },
    Never: { Type: "Fail", Error: "Never" },
    Last: {
      Type: "Pass",
      QueryLanguage: "JSONata",
      Output: "{% $merge([$states.input, {'end': $uuid(), 'chance': $chance}]) %}",
      End: true,
    },
  },
};

const FAILING = {
  StartAt: "P",
  States: {
    P: {
      Type: "Parallel",
      Next: "R",
      Catch: [{ ErrorEquals: ["Flaky"], Next: "R" }],
      Branches: [
        { StartAt: "W", States: { W: { Type: "Wait", Seconds: 1e6, End: true } } },
        {
          StartAt: "M",
          States: {
            M: {
              Type: "Map",
              Items: "{% [$random(), $random()] %}",
              QueryLanguage: "JSONata",
              MaxConcurrency: 1,
              ItemProcessor: { StartAt: "T", States: { T: task({ fail: 9 }, { End: true }) } },
              End: true,
            },
          },
        },
      ],
    },
    R: { Type: "Succeed" },
  },
};

/** Runs until the journal has `length` entries; then the process is gone. Undefined when the execution ended before. */
async function killAfter(definition: object, length: number, world: World): Promise<readonly JournalEntry[]> {
  const journal: JournalEntry[] = [];
  const record = (entry: JournalEntry) => {
    if (journal.length >= length) throw new Killed();
    journal.push(structuredClone(entry));
  };
  await runMachine(definition, { record, runTask: world.runTask, random: seededRandom("first"), clock: new VirtualClock() }).catch(
    () => undefined,
  );
  return journal;
}

describe.each([
  ["succeeds", DEFINITION],
  ["fails inside", FAILING],
])("an execution that %s, killed after any entry of its journal", (_, definition) => {
  test("ends as it would have, doing nothing twice that was recorded as done", async () => {
    const whole = new World();
    const reference = await runMachine(definition, { runTask: whole.runTask, random: seededRandom("first"), clock: new VirtualClock() });
    expect(reference.result.status).toBe("SUCCEEDED");
    for (let length = 0; length <= reference.journal.length; length += 1) {
      const world = new World();
      const before = await killAfter(definition, length, world);
      const doneBefore = new Set(before.filter(({ key }) => key.endsWith("#done")).map(({ key }) => key.replace(/#done$/, "")));
      const callsBefore = new Map(world.completed);
      const { result, journal, events } = await runMachine(definition, {
        resume: before,
        runTask: world.runTask,
        random: seededRandom("second"),
        clock: new VirtualClock("2026-01-02T05:00:00Z"),
      });
      expect(shape(result), `killed after ${length} entries`).toEqual(shape(reference.result));
      expect(events.map(({ id }) => id)).toEqual(events.map((_event, index) => index + 1));
      expect(new Set(journal.map(({ key }) => key)).size).toBe(journal.length);
      expect(journal.slice(0, length)).toEqual(before);
      for (const [key, count] of world.completed)
        if (doneBefore.has(key.replace(/^.*?:e(?=\/)/, ""))) expect(count, key).toBe(callsBefore.get(key));
    }
  });
});

test("what was random stays as it was recorded", async () => {
  const world = new World();
  const { result, journal } = await runMachine(DEFINITION, { runTask: world.runTask, random: seededRandom("first") });
  const before = journal.slice(0, -1);
  const again = await runMachine(DEFINITION, { resume: before, runTask: world.runTask, random: seededRandom("second") });
  expect(again.result).toEqual(result);
});

test("a task under way is asked for again with the same key, its token and what it had submitted", async () => {
  const world = new World();
  const { journal } = await runMachine(DEFINITION, { runTask: world.runTask });
  const at = journal.findIndex(({ event }) => event?.type === "TaskSubmitted");
  const calls: TaskCall[] = [];
  const runTask: RunTask = (call) => {
    calls.push(call);
    return world.runTask(call);
  };
  await runMachine(DEFINITION, { resume: journal.slice(0, at + 1), runTask });
  const key = "arn:aws:states:us-east-1:111122223333:execution:m:e/2:Job/a0";
  expect(calls[0]).toMatchObject({ idempotencyKey: key, taskToken: world.tokens.get(key), submitted: { id: `job of ${key}` } });
});

test("a wait goes on to its recorded moment, and a late one ends at once", async () => {
  const definition = { StartAt: "W", States: { W: { Type: "Wait", Seconds: 100, End: true } } };
  const { journal } = await runMachine(definition);
  const before = journal.slice(0, 3);
  const early = await runMachine(definition, { resume: before, clock: new VirtualClock("2026-01-02T03:04:35Z") });
  expect(early.events.at(-1)?.timestamp).toEqual(new Date("2026-01-02T03:05:45Z"));
  const late = await runMachine(definition, { resume: before, clock: new VirtualClock("2026-02-02T00:00:00Z") });
  expect(late.events.at(-1)?.timestamp).toEqual(new Date("2026-02-02T00:00:00Z"));
});

test("an execution that had ended answers from its journal", async () => {
  const { journal, result } = await runMachine(DEFINITION, { runTask: new World().runTask });
  const again = await runMachine(DEFINITION, { resume: journal, runTask: () => Promise.reject(new Error("nothing may run")) });
  expect(again).toMatchObject({ result });
  expect(again.journal.length).toBe(journal.length);
});

/** The result without what is random. */
const shape = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll(/"[0-9a-f]{8}-[0-9a-f-]{27}"/g, '"uuid"')
      .replaceAll(/"chance":\d+/g, '"chance":0'),
  );
