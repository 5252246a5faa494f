import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openStage, type Rehearsal } from "./testing/run-engine.ts";

const { rehearse, file: local, close } = openStage();
afterAll(close);

const COUNT = `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [wc, -l]
hints:
  DockerRequirement: { dockerPull: "quay.io/library/bash:5" }
  ResourceRequirement: { coresMin: 2, ramMin: 3072 }
inputs:
  text: { type: File, inputBinding: { position: 1 } }
stdout: count.txt
outputs:
  count: { type: stdout }
`;

const SCATTER = `
cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {}, SubworkflowFeatureRequirement: {} }
inputs: { texts: "File[]", note: { type: string?, default: none } }
steps:
  count: { run: count.cwl, scatter: text, in: { text: texts }, out: [count] }
outputs:
  counts: { type: "File[]", outputSource: count/count }
`;

const cwl = (play: Omit<Rehearsal, "engine" | "main"> & { readonly main?: string }) =>
  rehearse({ engine: "CWL", main: "main.cwl", ...play });

describe("CWL on the host", { timeout: 180_000 }, () => {
  test("a scatter over files in S3 gives its outputs as files", async () => {
    const paths = { "s3://data/a.txt": local("a.txt", "1\n"), "s3://data/b.txt": local("b.txt", "1\n2\n") };
    const { result, events } = await cwl({
      files: { "main.cwl": SCATTER, "count.cwl": COUNT },
      inputs: { texts: [{ class: "File", location: "s3://data/a.txt" }, "s3://data/b.txt"] },
      bring: () => ({ paths }),
    });
    expect(result).toMatchObject({ outcome: "completed" });
    const counts = result.outcome === "completed" ? (result.outputs["counts"] as { location: string; class: string }[]) : [];
    expect(counts.map(({ location }) => readFileSync(location, "utf8").trim().split(" ")[0])).toEqual(["1", "2"]);
    expect(counts.map(({ location }) => location.split("/out/")[1])).toEqual(["counts/0/count.txt", "counts/1/count.txt"]);
    expect(events.filter((event) => event.type === "task.request")).toMatchObject([
      { image: "quay.io/library/bash:5", cpus: 2, memoryBytes: 3 * 1024 ** 3 },
      { image: "quay.io/library/bash:5", cpus: 2, memoryBytes: 3 * 1024 ** 3 },
    ]);
  });

  test("secondary files that the declaration names are brought beside their file", async () => {
    const tool = `
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [ls]
arguments: [$(inputs.bam.dirname)]
inputs:
  bam: { type: File, secondaryFiles: [.bai, { pattern: ^.extra, required: false }] }
stdout: listing.txt
outputs: { listing: stdout }
`;
    const bam = local("x.bam", "bam");
    const { result } = await cwl({
      files: { "main.cwl": tool },
      inputs: { bam: { class: "File", location: "s3://data/x.bam" } },
      bring: (uris) => {
        expect(uris).toEqual([
          { uri: "s3://data/x.bam", isDirectory: false },
          { uri: "s3://data/x.bam.bai", isDirectory: false, isOptional: false },
          { uri: "s3://data/x.extra", isDirectory: false, isOptional: true },
        ]);
        return { paths: { "s3://data/x.bam": bam, "s3://data/x.bam.bai": local("x.bam.bai", "bai") } };
      },
    });
    expect(result).toMatchObject({ outcome: "completed" });
    const { location } = (result.outcome === "completed" ? result.outputs["listing"] : {}) as { location: string };
    expect(readFileSync(location, "utf8")).toBe("x.bam\nx.bam.bai\n");
  });

  test("a tool that fails fails the run", async () => {
    const tool = "{ cwlVersion: v1.2, class: CommandLineTool, baseCommand: ['false'], inputs: {}, outputs: {} }";
    const { result, events } = await cwl({ files: { "main.cwl": tool } });
    expect(result).toMatchObject({ outcome: "failed", code: "RUN_TASK_FAILED" });
    expect(events.find((event) => event.type === "task.ended")).toMatchObject({ outcome: "failed", exitCode: 1 });
  });

  test("a tool that runs out of memory is tried again with more, when it asks for that", async () => {
    const tool = `
cwlVersion: v1.2
class: CommandLineTool
$namespaces: { arv: "http://arvados.org/cwl#" }
hints: { "arv:OutOfMemoryRetry": { memoryRetryMultiplier: 4 } }
requirements: { ResourceRequirement: { ramMin: 128, omicsRetryOn5xx: false } }
baseCommand: [python3, -c]
arguments: ["import os, time; print('begun with', $(runtime.ram), $(runtime.cores), flush=True); b = bytearray(200 * 1024 * 1024); time.sleep(3); print(os.listdir()); open('made', 'w').close()"]
stdout: said.txt
inputs: {}
outputs: { said: stdout }
`;
    const { result, events } = await cwl({ files: { "main.cwl": tool } });
    expect(
      events.filter((event) => event.type === "task.request").map(({ name, memoryBytes, attempt }) => [name, attempt, memoryBytes]),
    ).toEqual([
      ["main.cwl", 1, 2 ** 27],
      ["main.cwl", 2, 2 ** 29],
    ]);
    expect(events.filter((event) => event.type === "task.ended")).toMatchObject([
      { outcome: "failed", code: "OUT_OF_MEMORY_ERROR" },
      { outcome: "completed" },
    ]);
    const { location } = (result.outcome === "completed" ? result.outputs["said"] : {}) as { location: string };
    expect(readFileSync(location, "utf8")).toBe("begun with 512 1\n['said.txt']\n");
  });

  test("an image may be an expression", async () => {
    const tool =
      '{ cwlVersion: v1.2, class: CommandLineTool, requirements: { DockerRequirement: { dockerPull: "quay.io/library/bash:$(inputs.tag)" } }, baseCommand: [echo], inputs: { tag: string }, outputs: {} }';
    const { events } = await cwl({ files: { "main.cwl": tool }, inputs: { tag: "5" } });
    expect(events.find((event) => event.type === "task.request")).toMatchObject({ image: "quay.io/library/bash:5" });
  });

  test("a refused image fails the run with the reason", async () => {
    const { result } = await cwl({
      files: { "main.cwl": COUNT },
      inputs: { text: { class: "File", location: "s3://data/a.txt" } },
      bring: () => ({ paths: { "s3://data/a.txt": local("a.txt", "1\n") } }),
      grant: () => ({ refused: { code: "ECR_PERMISSION_ERROR", message: "not yours" } }),
    });
    expect(result).toEqual({ outcome: "failed", code: "ECR_PERMISSION_ERROR", message: "not yours" });
  });

  test("expressions in JavaScript are evaluated, and one process of a graph can be chosen", async () => {
    const graph = `
cwlVersion: v1.2
$graph:
- { id: other, class: ExpressionTool, inputs: {}, outputs: { n: int }, expression: "$({n: 1})" }
- id: main
  class: ExpressionTool
  requirements: { InlineJavascriptRequirement: {} }
  inputs: { n: int }
  outputs: { n: int }
  expression: "\${ return { n: inputs.n * 2 }; }"
`;
    expect((await cwl({ files: { "main.cwl": graph }, inputs: { n: 21 } })).result).toEqual({ outcome: "completed", outputs: { n: 42 } });
  });

  test("a document from outside the definition is refused", async () => {
    const outside = local("tool.cwl", COUNT);
    const workflow = `
cwlVersion: v1.2
class: Workflow
inputs: { text: File }
steps: { count: { run: "../../${basename(join(outside, ".."))}/tool.cwl", in: { text: text }, out: [count] } }
outputs: {}
`;
    expect(
      (await cwl({ files: { "main.cwl": workflow }, inputs: { text: { class: "File", location: "s3://d/a" } } })).result,
    ).toMatchObject({ outcome: "failed", code: "WORKFLOW_RUN_FAILED" });
  });

  test("a cancelled run ends its tasks and says so", async () => {
    const tool = "{ cwlVersion: v1.2, class: CommandLineTool, baseCommand: [sleep, '600'], inputs: {}, outputs: {} }";
    const { result } = await cwl({
      files: { "main.cwl": tool },
      onEvent: async (event, engine) => {
        if (event.type === "task.started") void engine.cancel();
      },
    });
    expect(result).toEqual({ outcome: "cancelled" });
  });
});
