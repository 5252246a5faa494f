import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { openStage } from "./testing/run-engine.ts";

const { rehearse, file, close } = openStage();
afterAll(close);

const GREET = `version 1.1
import "lib/greet.wdl" as lib
workflow Hello {
  input { Array[String] names  File? list }
  scatter (name in names) { call lib.greet { input: name = name } }
  call count { input: greetings = greet.greeting, list = list }
  output { Array[File] greetings = greet.greeting  Int total = count.total }
}
task count {
  input { Array[File] greetings  File? list }
  command <<< cat ~{sep(" ", greetings)} ~{list} | wc -l >>>
  output { Int total = read_int(stdout()) }
  runtime { docker: "quay.io/library/bash:5" cpu: 2 memory: "3 GiB" }
}`;

const TASK = `version 1.1
task greet {
  input { String name }
  command <<< echo "hello ~{name}" > greeting.txt; echo working >&2 >>>
  output { File greeting = "greeting.txt" }
  runtime { container: "quay.io/library/bash:5" }
}`;

const one = (task: string, workflow = "call t") => ({ "main.wdl": `version 1.1\nworkflow W { ${workflow} }\n${task}` });

describe("WDL on the host", { timeout: 120_000 }, () => {
  test("a scatter over an imported task gives its outputs as files", async () => {
    const { result, events } = await rehearse({
      files: { "main.wdl": GREET, "lib/greet.wdl": TASK },
      inputs: { names: ["a", "b"] },
    });
    expect(result).toMatchObject({ outcome: "completed", outputs: { "Hello.total": 2 } });
    const greetings = result.outcome === "completed" ? (result.outputs["Hello.greetings"] as string[]) : [];
    expect(greetings.map((file) => readFileSync(file, "utf8"))).toEqual(["hello a\n", "hello b\n"]);
    const requests = events.filter((event) => event.type === "task.request");
    expect(requests.map((request) => request.name).sort()).toEqual(["count", "greet-0-a", "greet-1-b"]);
    expect(requests.find((request) => request.name === "count")).toMatchObject({
      image: "quay.io/library/bash:5",
      cpus: 2,
      memoryBytes: 3 * 1024 ** 3,
      gpus: 0,
      attempt: 1,
    });
    expect(requests.find((request) => request.name === "greet-0-a")).toMatchObject({ cpus: 1, memoryBytes: 1024 ** 3 });
    expect(events.at(-1)).toMatchObject({ type: "engine.ended", outcome: "completed" });
  });

  test("files in S3 are brought before the workflow begins, typed by the engine", async () => {
    const list = file("list.txt", "one\ntwo\n");
    const { result } = await rehearse({
      files: { "main.wdl": GREET, "lib/greet.wdl": TASK },
      inputs: { "Hello.names": ["s3://not/a/file"], list: "s3://data/list.txt" },
      bring: (uris) => {
        expect(uris).toEqual([{ uri: "s3://data/list.txt", isDirectory: false }]);
        return { paths: { "s3://data/list.txt": list } };
      },
    });
    expect(result).toMatchObject({ outcome: "completed", outputs: { "Hello.total": 3 } });
  });

  test("inputs that can't be brought fail the run with the reason", async () => {
    const { result } = await rehearse({
      files: { "main.wdl": GREET, "lib/greet.wdl": TASK },
      inputs: { names: [], list: "s3://data/list.txt" },
      bring: () => ({ refused: { code: "INPUT_URI_NOT_FOUND", message: "s3://data/list.txt is not there" } }),
    });
    expect(result).toEqual({ outcome: "failed", code: "INPUT_URI_NOT_FOUND", message: "s3://data/list.txt is not there" });
  });

  test("a task that exits 3 fails the run", async () => {
    const { result, events } = await rehearse({ files: one("task t { command <<< exit 3 >>> runtime { docker: 'x' } }") });
    expect(result).toMatchObject({ outcome: "failed", code: "RUN_TASK_FAILED" });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({ outcome: "failed", exitCode: 3 });
  });

  test("a task whose image is refused never starts", async () => {
    const { result, events } = await rehearse({
      files: one("task t { command <<< echo hi >>> runtime { docker: 'x' } }"),
      grant: () => ({ refused: { code: "ECR_PERMISSION_ERROR", message: "no policy lets omics.amazonaws.com read x" } }),
    });
    expect(result).toEqual({ outcome: "failed", code: "ECR_PERMISSION_ERROR", message: "no policy lets omics.amazonaws.com read x" });
    expect(events.some((event) => event.type === "task.started")).toBe(false);
  });

  test("a task over its memory is ended, and tried again with twice as much when maxRetries says so", async () => {
    const script = `python3 -c "b = bytearray(200 * 1024 * 1024); import time; time.sleep(3)"`;
    const { result, events } = await rehearse({
      files: one(`task t { command <<< ${script} >>> runtime { docker: "x" memory: "128 MiB" maxRetries: 1 } }`),
    });
    expect(result).toMatchObject({ outcome: "completed" });
    expect(events.filter((event) => event.type === "task.ended")).toMatchObject([
      { outcome: "failed", code: "OUT_OF_MEMORY_ERROR" },
      { outcome: "completed" },
    ]);
    expect(events.filter((event) => event.type === "task.request").map(({ memoryBytes }) => memoryBytes)).toEqual([2 ** 27, 2 ** 28]);
  });

  describe("omicsResourceFallbackOrder", () => {
    const falling = (order: string, more = "") =>
      one(
        `task t { command <<< echo "$AWS_HEALTHOMICS_RESOURCE_TYPE" >>> output { String kind = read_string(stdout()) } runtime { omicsResourceFallbackOrder: ${order} ${more} } }`,
        "call t output { String kind = t.kind }",
      );

    test("the first profile is taken", async () => {
      const { result, events } = await rehearse({
        files: falling(
          '[{"acceleratorType": "nvidia-tesla-t4", "acceleratorCount": 1, "cpu": 4, "memory": "16 GiB"}, {"cpu": "8", "memory": "32 GiB"}]',
        ),
      });
      expect(events.find((event) => event.type === "task.request")).toMatchObject({
        cpus: 4,
        memoryBytes: 16 * 1024 ** 3,
        gpus: 1,
        accelerator: "nvidia-tesla-t4",
      });
      expect(result).toEqual({ outcome: "completed", outputs: { "W.kind": "GPU" } });
    });

    test.each([
      ['[{"acceleratorType": "nvidia-tesla-t4"}]', "", "acceleratorType and acceleratorCount go together"],
      ['[{"cpu": "2"}, {"cpu": "4"}]', "", "more than one profile of omicsResourceFallbackOrder has no accelerator"],
      ['[{"cpus": "2"}]', "", "cpus is not a key of a profile"],
      ['[{"cpu": "2"}]', "cpu: 2", "cpu cannot stand beside omicsResourceFallbackOrder"],
    ])("%s %s is refused when the task would run", async (order, more, message) => {
      expect((await rehearse({ files: falling(order, more) })).result).toMatchObject({
        outcome: "failed",
        code: "INVALID_TASK_RESOURCE_VALUE",
        message: expect.stringContaining(message),
      });
    });
  });

  test("a cancelled run ends its tasks and says so", async () => {
    const { result, events } = await rehearse({
      files: one("task t { command <<< sleep 600 >>> runtime { docker: 'x' } }"),
      onEvent: async (event, engine) => {
        if (event.type === "task.started") void engine.cancel();
      },
    });
    expect(result).toEqual({ outcome: "cancelled" });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({ outcome: "cancelled" });
  });

  test("a workflow that does not parse says where", async () => {
    const { result } = await rehearse({ files: { "main.wdl": "version 1.1\nworkflow W { call }" } });
    expect(result).toMatchObject({ outcome: "failed", code: "WORKFLOW_RUN_FAILED", message: expect.stringMatching(/main\.wdl Ln 2 Col /) });
  });

  test("imports from outside the definition are refused", async () => {
    const outside = file("x.wdl", TASK);
    const { result } = await rehearse({
      files: { "main.wdl": `version 1.1\nimport "${outside}" as lib\nworkflow W { call lib.greet { input: name = "x" } }` },
    });
    expect(result).toMatchObject({ outcome: "failed", code: "WORKFLOW_RUN_FAILED" });
  });
});
