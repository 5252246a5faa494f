import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { inspect, inspectAll, toJson, unread } from "./inspect.ts";
import { lintInspection } from "./lint/lint.ts";
import { openDefinition } from "./open-definition.ts";
import { memoryTree } from "./source-tree.ts";

const WDL = `version 1.0
workflow greet {
  input { String name  String image = "ubuntu:22.04" }
  call hello { input: name = name, image = image }
}
task hello {
  input { String name  String image }
  command <<< echo ~{name} >>>
  runtime { docker: image }
}
`;
const NEXTFLOW = `params.reads = null
process ALIGN {
  container 'quay.io/biocontainers/bwa:0.7.18'
  script: "bwa"
}
workflow { ALIGN() }
`;
const CWL = "cwlVersion: v1.2\nclass: CommandLineTool\nhints: {DockerRequirement: {dockerPull: 'bwa:1'}}\ninputs: {x: File}\noutputs: []\n";

const summary = ({ path, engine, images, parameters }: ReturnType<typeof inspect>) => [
  path,
  engine,
  images.map(({ image }) => image),
  parameters.map(({ name }) => name),
];

describe("inspect", () => {
  test.each([
    [{ "main.wdl": WDL }, ["main.wdl", "WDL", ["ubuntu:22.04"], ["name", "image"]]],
    [{ "main.nf": NEXTFLOW }, ["main.nf", "NEXTFLOW", ["quay.io/biocontainers/bwa:0.7.18"], ["reads"]]],
    [{ "deep/tool.cwl": CWL }, ["deep/tool.cwl", "CWL", ["bwa:1"], ["x"]]],
  ])("%j", (files, expected) => {
    expect(summary(inspect(memoryTree(files as Readonly<Record<string, string>>)))).toEqual(expected);
  });

  test("without a main file there is a diagnostic and nothing else", () => {
    const found = toJson(inspect(memoryTree({ "a.wdl": WDL, "b.wdl": WDL })));
    expect(found).toMatchObject({
      path: "",
      images: [],
      diagnostics: [{ rule: "main-file", message: expect.stringContaining("`main`") }],
    });
    expect(found).not.toHaveProperty("engine");
    expect(found).not.toHaveProperty("main");
  });

  test("a named main file of a mixed repository is read, with the warning that HealthOmics wants the engine", () => {
    const found = inspect(memoryTree({ "main.wdl": WDL, "tool.cwl": CWL }), { main: "tool.cwl" });
    expect(found).toMatchObject({
      engine: "CWL",
      main: "tool.cwl",
      diagnostics: [{ severity: "warning", message: expect.stringContaining("`engine`") }],
    });
  });
});

describe("inspectAll", () => {
  test("workflows of WDL, documents of CWL and pipelines of Nextflow, each once, by path", () => {
    const tree = memoryTree({
      "wdl/flow.wdl": WDL,
      "wdl/tasks.wdl": "version 1.0\n# workflow none {\ntask t { command {} }\n",
      "wdl/broken.wdl": "version 1.0\nworkflow broken { call }\n",
      "cwl/tool.cwl": CWL,
      "cwl/list.cwl": "- nothing\n",
      "nf/main.nf": NEXTFLOW,
      "nf/modules/fastqc/main.nf": "process FASTQC { container 'fastqc:1'\n script: '' }\n",
      "nf/subworkflows/local.nf": "workflow LOCAL { take: x\n main: FASTQC(x) }\n",
      "old/main.nf": "process a {\n input:\n file x from reads\n script: ''\n}\n",
      "configured/main.nf": "include { A } from './a'\n",
      "configured/nextflow.config": "params.a = 1\n",
      "tests/other.nf": "// workflow { }\nworkflow   {\n}\n",
      ".hidden/main.wdl": WDL,
    });
    expect([...inspectAll(tree)].map(({ path }) => path)).toEqual(
      [
        "cwl/list.cwl",
        "cwl/tool.cwl",
        "configured/main.nf",
        "nf/main.nf",
        "old/main.nf",
        "tests/other.nf",
        "wdl/broken.wdl",
        "wdl/flow.wdl",
      ].sort(),
    );
  });

  test("a workflow is a section and no word of a script, however its head is written", () => {
    const tree = memoryTree({
      "script.wdl": 'version 1.0\ntask T { command <<< workflow x {} >>> runtime { docker: "a:1" } }\n',
      "spread.wdl": "version 1.0\nworkflow # the name follows\n  W # and the body\n{ input { Int n } }\n",
    });
    expect([...inspectAll(tree)].map(({ path, parameters }) => [path, parameters.length])).toEqual([["spread.wdl", 1]]);
  });

  test("what a reader throws is a diagnostic of that file alone", () => {
    const tree = memoryTree({ "a.cwl": CWL, "b.cwl": CWL });
    const failing = {
      ...tree,
      text: (path: string) => {
        if (path === "a.cwl") throw new Error("disk");
        return tree.text(path);
      },
    };
    const [first, second] = [...inspectAll(failing)];
    expect(first).toMatchObject({
      path: "a.cwl",
      diagnostics: [{ rule: "reader-defect", message: expect.stringContaining("disk") }],
    });
    expect(second).toMatchObject({ path: "b.cwl", images: [{ image: "bwa:1" }], diagnostics: [] });
  });
});

test("the JSON has the documented members, in their order, without those that have no value", () => {
  const found = toJson(
    inspect(memoryTree({ "main.cwl": CWL.replace("{x: File}", "{x: {type: int, default: 3}, s: {type: {type: enum, symbols: [a]}}}") })),
  );
  expect(JSON.stringify(found)).toBe(
    JSON.stringify({
      path: "main.cwl",
      engine: "CWL",
      languageVersion: "v1.2",
      main: "main.cwl",
      name: "main",
      parameterTemplate: { x: { description: "", optional: true }, s: { description: "", optional: false } },
      parameters: [
        { name: "x", type: "int", optional: true, default: 3, file: "main.cwl", line: 4 },
        { name: "s", type: "enum", optional: false, file: "main.cwl", line: 4 },
      ],
      images: [{ image: "bwa:1", task: "main", file: "main.cwl", line: 3, how: "literal" }],
      unresolved: [],
      diagnostics: [],
    }),
  );
});

test("a path may be a folder, an archive's file or a main file inside a repository", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omx-open-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const path of ["repo/.git", "repo/flows", "repo/tools"]) mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(
    join(folder, "repo/flows/main.cwl"),
    "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {a: {run: ../tools/t.cwl, in: [], out: []}}\n",
  );
  writeFileSync(join(folder, "repo/tools/t.cwl"), CWL);
  const { tree, main } = await openDefinition(join(folder, "repo/flows/main.cwl"));
  expect(inspect(tree, { main })).toMatchObject({ path: "flows/main.cwl", images: [{ image: "bwa:1", file: "tools/t.cwl" }] });
  expect((await openDefinition(join(folder, "repo/tools/t.cwl#t"))).main).toBe("tools/t.cwl#t");
  expect((await openDefinition(join(folder, "repo"))).tree.files).toEqual(["flows/main.cwl", "tools/t.cwl"]);
  await expect(openDefinition(join(folder, "none"))).rejects.toThrow(/ENOENT/);
});

test("outside of a repository, the tree of a main file reaches up to what it imports, and no further", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omx-open-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = {
    "top/tasks/say.wdl": WDL.slice(WDL.indexOf("task hello")).replace(/^/, "version 1.0\n"),
    "top/flows/deep/main.wdl": 'version 1.0\nimport "../sub.wdl"\nworkflow w { call sub.s }\n',
    "top/flows/sub.wdl":
      'version 1.0\nimport "../tasks/say.wdl" as say\nworkflow s { call say.hello { input: name = "a", image = "a:1" } output { } }\n',
    "top/nf/main.nf": "include { ALIGN } from '../modules/align'\nworkflow { ALIGN() }\n",
    "top/modules/align/main.nf": "process ALIGN {\n  container 'bwa:1'\n  script: 'true'\n}\n",
    "other.wdl": "version 1.0\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { tree, main } = await openDefinition(join(folder, "top/flows/deep/main.wdl"));
  expect(inspect(tree, { main })).toMatchObject({ path: "flows/deep/main.wdl", images: [{ image: "a:1", task: "hello" }] });
  expect(tree.has("other.wdl")).toBe(false);
  const pipeline = await openDefinition(join(folder, "top/nf/main.nf"));
  expect(inspect(pipeline.tree, { main: pipeline.main })).toMatchObject({
    path: "nf/main.nf",
    images: [{ image: "bwa:1", task: "ALIGN" }],
  });
  expect((await openDefinition(join(folder, "other.wdl"))).main).toBe("other.wdl");
});

test("an archive that is not sound is a diagnostic, of the inspection and of the linter", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omx-open-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "damaged.zip"), "PK\u0003\u0004 and no more");
  const { tree, problem } = await openDefinition(join(folder, "damaged.zip"));
  expect(tree.files).toEqual([]);
  expect(problem).toMatchObject({ rule: "archive-unsound", severity: "error", message: expect.stringContaining("not a sound ZIP") });
  expect(toJson(unread(problem!))).toMatchObject({ path: "", images: [], diagnostics: [{ rule: "archive-unsound" }] });
  expect(lintInspection(tree, unread(problem!)).diagnostics.map(({ rule }) => rule)).toEqual(["archive-unsound"]);
});

test("a file of blank lines is passed over in one go", () => {
  const blank = "\n".repeat(500_000);
  const tree = memoryTree({ "a.wdl": blank, "b.wdl": `version 1.0\n${blank}workflow w { input { Int n } }\n` });
  expect([...inspectAll(tree)].map(({ path, parameters }) => [path, parameters.length])).toEqual([["b.wdl", 1]]);
});
