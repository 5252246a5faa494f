import { ExecutionSuspended, TaskError } from "../asl/errors.ts";
import { isArray, isObject, type Json } from "../asl/json.ts";
import { sdkCall, sdkMetadata } from "./sdk-call.ts";
import type { Integration, Task } from "./task.ts";

const naming = { prefix: "CodeBuild", unknown: "AWSCodeBuildException" };
const POLL_MS = 300;

/** `codebuild:startBuild`, and `.sync` which waits for the build. https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html */
export const startBuild: Integration = {
  patterns: ["sync"],
  async request(task) {
    const begun = await sdkCall(task, {
      service: "codebuild",
      operation: "startBuild",
      parameters: task.call.parameters,
      naming,
      timestamps: "milliseconds",
    });
    return { ...(isObject(begun) ? begun : {}), ...sdkMetadata(task) };
  },
  follow: async (task, begun) => {
    const id = buildId(begun);
    try {
      return await waitForBuild(task, id);
    } catch (error) {
      if (task.call.signal.aborted && !(task.call.signal.reason instanceof ExecutionSuspended)) await stop(task, id);
      throw error;
    }
  },
};

/** `codebuild:stopBuild` and `codebuild:batchGetBuilds`: plain requests. */
export const codebuildRequest = (operation: string): Integration => ({
  patterns: [],
  async request(task) {
    const answer = await sdkCall(task, {
      service: "codebuild",
      operation,
      parameters: task.call.parameters,
      naming,
      timestamps: "milliseconds",
    });
    return { ...(isObject(answer) ? answer : {}), ...sdkMetadata(task) };
  },
});

async function waitForBuild(task: Task, id: string): Promise<Json> {
  for (;;) {
    const build = await describe(task, id);
    const status = isObject(build) ? build["BuildStatus"] : undefined;
    if (status === "SUCCEEDED") return { Build: build };
    if (status !== "IN_PROGRESS") throw new TaskError("States.TaskFailed", JSON.stringify({ Build: build }));
    await task.core.clock.sleep(POLL_MS, task.call.signal);
  }
}

async function describe(task: Task, id: string): Promise<Json> {
  const answer = await sdkCall(task, {
    service: "codebuild",
    operation: "batchGetBuilds",
    parameters: { Ids: [id] },
    naming,
    timestamps: "milliseconds",
  });
  const builds = isObject(answer) ? answer["Builds"] : undefined;
  const build = isArray(builds) ? builds[0] : undefined;
  if (build === undefined) throw new TaskError("States.TaskFailed", `The build ${id} is not there any more`);
  return build;
}

/** The build of a task that nobody waits for any more is stopped, as Step Functions does. A refusal is only logged. */
async function stop(task: Task, id: string): Promise<void> {
  await sdkCall(task, { service: "codebuild", operation: "stopBuild", parameters: { Id: id }, naming }).catch((error: unknown) =>
    task.core.log("states", `the build ${id} of ${task.executionArn} could not be stopped: ${String(error)}`),
  );
}

function buildId(begun: Json): string {
  const build = isObject(begun) ? begun["Build"] : undefined;
  const id = isObject(build) ? build["Id"] : undefined;
  if (typeof id !== "string") throw new Error("StartBuild answered without the id of a build");
  return id;
}
