import { expect, test } from "vitest";

import { memoryTree } from "../source-tree.ts";
import { parseJson } from "./json.ts";
import { itemsOf, jsonOf, mapOf, member } from "./nodes.ts";
import { readCwl } from "./read.ts";

test("each key and value has its place, and a number its spelling", () => {
  const root = parseJson('{\n  "a": [1.10,\n\t"x\\u0041\\n"],\r\n  "b": {"c": null, "d": true}\n}\n', "f.cwl", 100);
  expect(root && jsonOf(root)).toEqual({ a: [1.1, "xA\n"], b: { c: null, d: true } });
  expect(mapOf(root)?.entries.get("b")?.at).toEqual({ file: "f.cwl", line: 4, column: 3 });
  expect(member(member(root, "b"), "d")?.at).toEqual({ file: "f.cwl", line: 4, column: 25 });
  expect(itemsOf(member(root, "a")).map((item) => [item.kind === "scalar" && item.text, item.at.line, item.at.column])).toEqual([
    ["1.10", 2, 9],
    ["xA\n", 3, 2],
  ]);
});

test.each([
  '{"a": 1, "a": 2}',
  "{a: 1}",
  '["a",]',
  '["a" "b"]',
  "[1",
  '["\t"]',
  '["\\x"]',
  "[01]",
  "[truer]",
  "[] []",
  "cwlVersion: v1.0",
  "",
])("%j is left to the reader of YAML", (text) => expect(parseJson(text, "f.cwl", 100)).toBeUndefined());

test("a key that occurs twice is a finding in JSON too", () => {
  const text = '{"cwlVersion": "v1.2", "class": "CommandLineTool", "inputs": [], "inputs": [], "outputs": []}';
  const [first] = readCwl(memoryTree({ "main.cwl": text }), "main.cwl").diagnostics;
  expect(first).toMatchObject({ rule: "cwl-syntax", message: expect.stringContaining('"inputs" occurs twice') });
});

test("more values than any definition has are refused while they are read", () => {
  const [first] = readCwl(memoryTree({ "main.cwl": `{"a": [${"[],".repeat(600_000)}1]}` }), "main.cwl").diagnostics;
  expect(first).toMatchObject({ rule: "cwl-syntax", message: expect.stringContaining("unfolds to more than") });
});

test("a packed document of megabytes is read, YAML of that size is not", () => {
  const tool = {
    class: "CommandLineTool",
    doc: "x".repeat(5_000_000),
    inputs: {},
    outputs: {},
    hints: { DockerRequirement: { dockerPull: "a:1" } },
  };
  const main = { class: "Workflow", id: "#main", inputs: {}, outputs: {}, steps: { s: { run: "#tool", in: {}, out: [] } } };
  const packed = JSON.stringify({ $graph: [{ id: "#tool", ...tool }, main], cwlVersion: "v1.2" });
  expect(readCwl(memoryTree({ "main.cwl": packed }), "main.cwl")).toMatchObject({ images: [{ image: "a:1", task: "s" }], diagnostics: [] });
  const [first] = readCwl(memoryTree({ "main.cwl": packed.slice(0, -1) }), "main.cwl").diagnostics;
  expect(first).toMatchObject({ rule: "cwl-syntax", message: expect.stringContaining("is no JSON") });
});
