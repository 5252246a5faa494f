import { expect, test } from "vitest";

import { memoryTree } from "../source-tree.ts";
import { readCwl } from "./read.ts";

const read = (files: Readonly<Record<string, string>>, main = "main.cwl") => readCwl(memoryTree(files), main);
const rules = (files: Readonly<Record<string, string>>) => read(files).diagnostics.map(({ rule, file, line }) => `${rule} ${file}:${line}`);
const workflow = (steps: string): string => `cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps:\n${steps}`;

const BOMB = [
  "a: &a [x, x, x, x, x, x, x, x, x]",
  ..."bcdefghi".split("").map((key, index) => `${key}: &${key} [${Array.from({ length: 9 }, () => `*${"abcdefgh"[index]}`).join(",")}]`),
].join("\n");

test.each([
  ["a bomb of aliases", BOMB],
  ["an alias in itself", "&a [*a]"],
  ["deep brackets", "[".repeat(200_000)],
  ["deep maps", "{a: ".repeat(100_000)],
  ["deep dashes", "- ".repeat(100_000)],
  ["deep indentation", Array.from({ length: 2_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ["deep question marks", Array.from({ length: 2_000 }, (_, depth) => `${" ".repeat(depth)}? `).join("\n")],
  ["a type of arrays of arrays", `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {x: "File${"[]".repeat(100_000)}"}\noutputs: []`],
  ["more text than is read", "#\n".repeat(3_000_000)],
  ["an empty file", ""],
  ["a scalar", "hello"],
  ["not YAML", "a: [b\n  : : }"],
  ["a null class", "class: null\ncwlVersion: v1.2"],
  [
    "lists for everything",
    "cwlVersion: []\nclass: Workflow\ninputs: [[], 1, null]\nsteps: [1, {id: []}]\nrequirements: [1, [], {class: []}]",
  ],
])("%s is diagnostics", (_, text) => {
  const reading = read({ "main.cwl": text });
  expect(reading.diagnostics.length).toBeGreaterThan(0);
  expect(reading.diagnostics.every(({ line, column, file }) => line >= 1 && column >= 1 && file === "main.cwl")).toBe(true);
  expect(reading.images).toEqual([]);
});

test("circles end: of imports, of workflows, of steps", () => {
  expect(rules({ "main.cwl": "$import: b.cwl", "b.cwl": "$import: main.cwl" })).toEqual(["cwl-cycle b.cwl:1", "cwl-no-process main.cwl:1"]);
  expect(rules({ "main.cwl": workflow("  a: {run: main.cwl, in: [], out: []}") })).toEqual(["cwl-cycle main.cwl:6"]);
  const other = workflow("  b: {run: main.cwl, in: [], out: []}");
  expect(rules({ "main.cwl": workflow("  a: {run: other.cwl, in: [], out: []}"), "other.cwl": other })).toEqual(["cwl-cycle other.cwl:6"]);
  const waiting = workflow("  a: {run: tool.cwl, in: {x: b/o}, out: [o]}\n  b: {run: tool.cwl, in: {x: a/o}, out: [o]}\n");
  const tool =
    "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {x: string}\noutputs: {o: string}\nrequirements: {DockerRequirement: {dockerPull: $(inputs.x)}}\n";
  expect(read({ "main.cwl": waiting, "tool.cwl": tool })).toMatchObject({
    images: [],
    unresolved: [{ task: "a" }, { task: "b" }],
  });
});

test("workflows and imports that hold each other many times over stop", () => {
  const twice = (next: string) => workflow(`  a: {run: ${next}, in: [], out: []}\n  b: {run: ${next}, in: [], out: []}\n`);
  const flows = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [index === 0 ? "main.cwl" : `f${index}.cwl`, twice(`f${index + 1}.cwl`)]),
  );
  expect(rules(flows)).toContain("cwl-missing-file f29.cwl:6");
  expect(read(flows).diagnostics.some(({ rule }) => rule === "cwl-too-large")).toBe(true);
  const imports = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [
      index === 0 ? "main.cwl" : `f${index}.cwl`,
      `a: {$import: f${index + 1}.cwl}\nb: {$import: f${index + 1}.cwl}\n`,
    ]),
  );
  expect(read({ ...imports, "f30.cwl": "x" }).diagnostics.some(({ rule }) => rule === "cwl-too-large")).toBe(true);
  const chain = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, index) => [index === 0 ? "main.cwl" : `f${index}.cwl`, `$import: f${index + 1}.cwl`]),
  );
  expect(read(chain).diagnostics.some(({ rule }) => rule === "cwl-too-large")).toBe(true);
});

test.each([
  "../secret.cwl",
  "/etc/passwd",
  "https://example.org/tool.cwl",
  "file:///etc/passwd",
  "..%2Fsecret.cwl",
  "s3://bucket/tool.cwl",
])("%s is outside", (reference) => {
  expect(rules({ "main.cwl": workflow(`  a: {run: "${reference}", in: [], out: []}`) })).toEqual(["cwl-outside main.cwl:6"]);
});

test("one broken step is one diagnostic and the rest is read", () => {
  const inline = "{class: CommandLineTool, inputs: [], outputs: [], hints: {DockerRequirement: {dockerPull: 'a:1'}}}";
  const reading = read({
    "main.cwl": workflow(`  a: {run: ${inline}, in: [], out: []}\n  b: {run: none.cwl, in: [], out: []}\n  c: {in: [], out: []}\n`),
  });
  expect(reading.images).toMatchObject([{ image: "a:1", task: "a" }]);
  expect(reading.diagnostics).toMatchObject([
    { rule: "cwl-missing-file", line: 7 },
    { rule: "cwl-no-process", line: 8 },
  ]);
});

test("versions that HealthOmics does not serve are named", () => {
  const drafted = (version: string) => rules({ "main.cwl": `${version}class: ExpressionTool\ninputs: []\noutputs: []\n` });
  expect(drafted("cwlVersion: draft-3\n")).toEqual(["cwl-version main.cwl:1"]);
  expect(drafted("")).toEqual(["cwl-version main.cwl:1"]);
  expect(drafted("cwlVersion: cwl:v1.0\n")).toEqual([]);
});

test("expressions without an end are text, however many", () => {
  const image = `${"$(".repeat(200_000)}`;
  const tool = `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\nhints: {DockerRequirement: {dockerPull: "${image}"}}\n`;
  expect(read({ "main.cwl": tool }).images).toMatchObject([{ image, how: "literal" }]);
});

test("thousands of packed workflows that run each other twice stop", () => {
  const flow = (id: string, next: string) =>
    `{"class": "Workflow", "id": "${id}", "inputs": [], "outputs": [], "steps": {"a": {"run": "${next}", "in": [], "out": []}, "b": {"run": "${next}", "in": [], "out": []}}}`;
  const flows = Array.from({ length: 2_000 }, (_, index) => flow(`w${index}`, `#w${index + 1}`));
  const packed = `{"cwlVersion": "v1.2", "$graph": [${[...flows, flow("main", "#w0")].join(",")}]}`;
  expect(read({ "main.cwl": packed }).diagnostics.some(({ rule }) => rule === "cwl-too-large")).toBe(true);
});
