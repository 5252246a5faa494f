import { expect, test } from "vitest";
import type { Json } from "../local/states/asl/json.ts";
import type { RunTask } from "../local/states/asl/task-call.ts";
import { runMachine } from "../local/states/asl/testing/machine.ts";
import { VirtualClock } from "../local/states/asl/testing/virtual-clock.ts";
import { testRunDefinition, type TestRunInput } from "../release/testrun/state-machine.ts";

// The machine on a clock that does not wait, with runs that take as long as a test says.
const HOUR = 3600;

async function run(tests: number, { timeoutSeconds, runSeconds }: { readonly timeoutSeconds: number; readonly runSeconds: number }) {
  const clock = new VirtualClock();
  const started = new Map<string, number>();
  const calls: string[] = [];
  const runTask: RunTask = ({ resource, parameters }) => {
    const { Id = "", Name = "", Payload } = parameters as { readonly Id?: string; readonly Name?: string; readonly Payload?: Json };
    const action = resource.split(":").at(-1) ?? "";
    calls.push(action);
    if (action === "startRun") started.set(Name, clock.now().getTime());
    const tookSeconds = (clock.now().getTime() - (started.get(Id) ?? 0)) / 1000;
    const answers: Readonly<Record<string, Json>> = {
      startRun: { Id: Name },
      getRun: { Status: tookSeconds < runSeconds ? "RUNNING" : "COMPLETED", RunOutputUri: "s3://bucket/run" },
      cancelRun: {},
      invoke: { Payload: { passed: true, runs: (Payload as { readonly runs?: Json } | undefined)?.runs ?? [] } },
    };
    return Promise.resolve(answers[action] ?? {});
  };
  const input: TestRunInput = {
    workflowId: "1234567",
    versionName: "1.0.0",
    roleArn: "arn:aws:iam::111122223333:role/omx-run",
    outputUri: "s3://bucket/out/",
    evidence: { bucket: "bucket", prefix: "evidence" },
    tests: Array.from({ length: tests }, (_, index) => ({
      name: `test-${index}`,
      runName: `run-${index}`,
      requestId: `request-${index}`,
      parameters: {},
      storageType: "DYNAMIC",
      timeoutSeconds,
      tags: {},
    })),
  };
  const begin = clock.now().getTime();
  const { result, events } = await runMachine(testRunDefinition(), { clock, runTask, input: input as unknown as Json });
  const { runs } = (result as unknown as { readonly output: { readonly runs: readonly { readonly status: string }[] } }).output;
  return {
    statuses: [...new Set(runs.map(({ status }) => status))],
    events: events.length,
    calls,
    seconds: (clock.now().getTime() - begin) / 1000,
  };
}

test.each([
  [1, 10_000 * 60],
  [10, 2 * HOUR],
  [100, 12 * HOUR],
])(
  "%i tests of %i seconds that never end are cancelled, within the events that an execution may have",
  async (tests, timeoutSeconds) => {
    const ended = await run(tests, { timeoutSeconds, runSeconds: Infinity });
    expect(ended.statuses).toEqual(["TIMED_OUT"]);
    expect(ended.events).toBeLessThan(25_000);
    expect(ended.seconds).toBeLessThan(Math.ceil(tests / 10) * (timeoutSeconds + 60));
  },
  60_000,
);

test.each([
  [1, 10, 2],
  [1, 600, 30],
  [1, 6 * HOUR, 180],
  [10, 600, 60],
])("of %i tests, runs of %i seconds are seen to have ended within %i more", async (tests, runSeconds, late) => {
  const ended = await run(tests, { timeoutSeconds: 24 * HOUR, runSeconds });
  expect(ended.statuses).toEqual(["COMPLETED"]);
  expect(ended.seconds).toBeLessThanOrEqual(runSeconds + late);
});
