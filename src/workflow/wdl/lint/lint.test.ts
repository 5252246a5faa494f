import { describe, expect, test } from "vitest";
import { memoryTree } from "../../source-tree.ts";
import { readWdl } from "../read.ts";
import { wdlRules } from "../rules.ts";

const rulesIn = (text: string, more: Record<string, string> = {}) =>
  readWdl(memoryTree({ "main.wdl": text, ...more }), "main.wdl").diagnostics.map(({ rule, line }) => `${rule} ${line}`);

/** A document that is fine in all respects, with a part changed. */
const document = ({
  version = "version 1.1",
  inputs = "File reads",
  body = "call T { input: reads = reads }",
  meta = "",
  runtime = "",
  output = '"out.txt"',
  task = "",
}) => `${version}
workflow W {
  input { ${inputs} }
  ${body}
  ${meta}
}
task T {
  input { File reads ${task} }
  command <<< cat ~{reads} > out.txt >>>
  runtime {
    container: "123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b:1"
    ${runtime}
  }
  output { File out = ${output} }
}
`;

test("a good document has no findings", () => {
  expect(rulesIn(document({ runtime: 'cpu: 4 memory: "8 GiB" omicsTimeout: "1h30m" acceleratorType: "nvidia-l4"' }))).toEqual([]);
});

describe("one finding for each thing that HealthOmics does otherwise", () => {
  test.each<[string, Parameters<typeof document>[0], string]>([
    ["no version line", { version: "" }, "wdl-missing-version 1"],
    ["version 1.2", { version: "version 1.2" }, "wdl-unsupported-version 1"],
    ["version 7", { version: "version 7" }, "wdl-unknown-version 1"],
    ["no inputs", { inputs: "", body: "" }, "wdl-no-inputs 2"],
    ["128 CPUs", { runtime: "cpu: 128" }, "wdl-cpu-limit 12"],
    ["1 TiB", { runtime: 'memory: "1 TiB"' }, "wdl-cpu-limit 12"],
    ["256 CPUs", { runtime: "cpu: 256" }, "wdl-resources-too-large 12"],
    ["more than 1,536 GiB", { runtime: 'memory: "1536.1 GiB"' }, "wdl-resources-too-large 12"],
    ["1,536 GiB", { runtime: 'memory: "1536 GiB"' }, "wdl-cpu-limit 12"],
    ["one CPU", { runtime: "cpu: 1" }, "wdl-small-task 12"],
    ["2 GiB, computed", { runtime: 'memory: "~{gib} GiB"', task: "Int gib = 2" }, "wdl-small-task 12"],
    ["GB", { runtime: 'memory: "16 GB"' }, "wdl-decimal-memory 12"],
    ["preemptible", { runtime: "preemptible: 3" }, "wdl-preemptible 12"],
    ["disks", { runtime: 'disks: "local-disk 100 SSD"' }, "wdl-disks 12"],
    ["zones", { runtime: 'zones: "us-central1-a"' }, "wdl-ignored-runtime-key 12"],
    ["maxRetries", { runtime: "maxRetries: 2" }, "wdl-retries-findutils 12"],
    ["a timeout of 30 s", { runtime: "omicsTimeout: 30" }, "wdl-short-timeout 12"],
    ["a timeout of 45 s, in words", { runtime: 'omicsTimeout: "45s"' }, "wdl-short-timeout 12"],
    ["an unknown accelerator", { runtime: 'gpuType: "nvidia-tesla-v100"' }, "wdl-accelerator 12"],
    ["threads beside cpu", { runtime: "cpu: 4", task: "Int threads = 8" }, "wdl-threads-cpu 12"],
    ["an output elsewhere", { output: '"/tmp/out.txt"' }, "wdl-output-outside 14"],
    ["an output found elsewhere", { output: 'glob("/tmp/*")[0] Array[File] more = glob("/tmp/*")' }, "wdl-output-outside 14"],
    ["a default in another cloud", { inputs: 'File reads Array[File] known = ["s3://b/k", "gs://b/k"]' }, "wdl-remote-default 3"],
    ["a default on a disk", { task: 'File index = "/data/index"' }, "wdl-remote-default 8"],
    ["a division of floats", { task: "Float share = 10 / 2.5" }, "wdl-float-division 8"],
    ["inputs of calls", { meta: "meta { allowNestedInputs: true }" }, "wdl-nested-inputs 5"],
    ["memory made of a Float", { runtime: 'memory: 8.0 + " GB"' }, "wdl-decimal-memory 12"],
    ["a String that is a folder", { inputs: "File reads String ref_dir" }, "wdl-string-directory 3"],
    ["an S3 address in a String", { inputs: 'File reads String ref = "s3://b/k"' }, "wdl-string-directory 3"],
    ["a call that lacks an input", { body: "call T" }, "wdl-incomplete-call 4"],
    [
      "a scatter over an input",
      { inputs: "Array[File] all", body: "scatter (r in all) { call T { input: reads = r } }" },
      "wdl-unbounded-scatter 4",
    ],
    ["fallback resources beside cpu", { runtime: 'cpu: 4 omicsResourceFallbackOrder: [{"cpu": "4"}]' }, "wdl-fallback-order 12"],
    ["an unknown key of fallback resources", { runtime: 'omicsResourceFallbackOrder: [{"cpus": "4"}]' }, "wdl-fallback-order 12"],
  ])("%s", (_, change, finding) => {
    expect(rulesIn(document(change))).toEqual([finding]);
  });

  test("a task without a container", () => {
    expect(rulesIn("version 1.1\nworkflow W { input { Int n } call T }\ntask T { command <<< >>> }")).toEqual(["wdl-no-container 3"]);
  });
});

describe("what keeps a workflow from becoming ACTIVE is an error", () => {
  test.each([
    ["a wrong type", "Int a = [1]", "wdl-type 3"],
    ["an unknown name", "Int a = b", "wdl-unknown-name 3"],
    ["an unknown function", "Int a = magic(1)", "wdl-unknown-function 3"],
    ["an unknown task", "call Nothing", "wdl-unknown-call 3"],
    ["an unknown input", "call T { input: no = 1 }", "wdl-unknown-input 3"],
    ["an input given twice", "call T { input: x = 1, x = 2 }", "wdl-syntax 3"],
    ["a name twice", "Int n = 1", "wdl-duplicate-name 3"],
    ["a declaration without a value", "Int a", "wdl-unbound-declaration 3"],
    ["values that need each other", "Int a = b Int b = a", "wdl-circular 3"],
    ["an optional where a value is needed", "Int? a = 1 Int b = a", "wdl-type 3"],
    ["a condition that needs its own section", "if (c) { Boolean c = true }", "wdl-unknown-name 3"],
    ["an unknown struct", "Sample s = object { a: 1 }", "wdl-struct 3"],
  ])("%s", (_, body, finding) => {
    const task = 'task T { input { Int? x } command <<< >>> runtime { docker: "123456789012.dkr.ecr.us-east-1.amazonaws.com/b:1" } }';
    expect(rulesIn(`version 1.1\nworkflow W { input { Int n }\n${body}\n}\n${task}`)).toContain(finding);
  });

  test("a workflow whose own calls lack inputs cannot be called", () => {
    const sub = "version 1.1\nworkflow Sub { input { Int n } call T output { } }\ntask T { input { Int x } command <<< >>> }";
    const main = 'version 1.1\nimport "sub.wdl"\nworkflow W { input { Int n }\ncall sub.Sub { input: n = n } }';
    expect(rulesIn(main, { "sub.wdl": sub })).toContain("wdl-uncallable-workflow 4");
  });

  test("a task and a workflow of one name", () => {
    expect(rulesIn("version 1.1\ntask W { command <<< >>> }\nworkflow W { input { Int n } }")).toContain("wdl-duplicate-name 3");
  });
});

test("each rule has its own id and says what to do", () => {
  expect(new Set(wdlRules.map((rule) => rule.id)).size).toBe(wdlRules.length);
  for (const rule of wdlRules) expect(rule.id.startsWith("wdl-") && rule.fix.endsWith(".") && rule.reason.length > 20).toBe(true);
});

test("a task of WDL 1.2 knows itself: its name, its meta section, and in the outputs what it returned", () => {
  const reading = (command: string, output: string) =>
    rulesIn(
      `version 1.2\nworkflow W { input { Int n } call T }\ntask T { meta { note: "n" depth: { low: 1 } }
  command <<< ~{${command}} >>>
  output { String? out = ${output} }
  requirements { container: "123456789012.dkr.ecr.us-east-1.amazonaws.com/b:1" } }`,
    ).filter((rule) => !rule.startsWith("wdl-unsupported"));
  expect(reading("task.meta.depth.low + 1", 'select_first([task.container, "none"])')).toEqual([]);
  expect(reading("task.name", '"~{task.return_code}"')).toEqual([]);
  expect(reading("task.return_code", "task.id")).toEqual(["wdl-type 4"]);
  expect(reading("task.attempt", "task.meta.other")).toEqual(["wdl-type 5"]);
});

test("folders that are made, divisions of integers and files of S3 are nobody's concern", () => {
  const inputs = 'File reads String output_dir = "out" String tmp_dir = "/tmp" File known = "s3://b/k" Int n = 3 / 2';
  expect(rulesIn(document({ inputs }))).toEqual([]);
});

test("tasks that no call comes to, and the inputs of a sub-workflow, are not talked of", () => {
  const library =
    'version 1.1\ntask Used { command <<< >>> }\ntask Idle { command <<< >>> runtime { cpu: 1 zones: "x" } }\ntask Wrong { command <<< ~{no} >>> }';
  const sub = 'version 1.1\nimport "library.wdl"\nworkflow Sub { meta { allowNestedInputs: true } call library.Used output { } }';
  const main = 'version 1.1\nimport "sub.wdl"\nworkflow W { input { Int n } call sub.Sub }';
  const { diagnostics } = readWdl(memoryTree({ "main.wdl": main, "sub.wdl": sub, "library.wdl": library }), "main.wdl");
  expect(diagnostics.map(({ rule, file, line }) => `${rule} ${file}:${line}`)).toEqual([
    "wdl-unknown-name library.wdl:4",
    "wdl-no-container library.wdl:2",
  ]);
  // Without a workflow each task may be what is wanted of the file.
  const alone = readWdl(memoryTree({ "library.wdl": library }), "library.wdl").diagnostics;
  expect(alone.filter(({ line }) => line === 3).map(({ rule }) => rule)).toContain("wdl-no-container");
});

test("types of other engines and versions are told of with what to do", () => {
  const told = (type: string) =>
    readWdl(memoryTree({ "main.wdl": `version 1.1\nworkflow W { input { ${type} x } }` }), "main.wdl").diagnostics.map(
      ({ message }) => message,
    );
  expect(told("Directory")).toEqual(['there is no type "Directory" in this version: write version development']);
  expect(told("Object")).toEqual(['there is no type "Object": HealthOmics does not have it; declare a struct']);
});

test("a command that asks for the internet is told of, each program once", () => {
  const told = (script: string) =>
    readWdl(
      memoryTree({
        "main.wdl": `version 1.1\ntask T { input { String s }\ncommand <<<\n${script}\n>>>\nruntime { container: "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1" } }`,
      }),
      "main.wdl",
    ).diagnostics.map(({ rule, line, column }) => `${rule} ${line}:${column}`);
  expect(told("  set -e\n  gsutil cp ~{s} .\n  gsutil ls")).toEqual(["wdl-network 5:3"]);
  expect(told("x=$(curl -s https://x/y)\nif true; then wget $x; fi")).toEqual(["wdl-network 4:5", "wdl-network 5:15"]);
  expect(told("pip install pandas && git  clone https://x/y")).toEqual(["wdl-network 4:1"]);
  expect(told("# curl https://x\necho curl it\ncurl http://localhost:80/\naws s3 cp a b\n./wget.sh x\ntar --wget x")).toEqual([]);
});
