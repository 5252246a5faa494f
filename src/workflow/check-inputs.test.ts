import { describe, expect, test } from "vitest";

import { checkInputs } from "./check-inputs.ts";
import { inspect } from "./inspect.ts";
import { memoryTree } from "./source-tree.ts";

const messages = (files: Readonly<Record<string, string>>, inputs: unknown, rest = {}) =>
  checkInputs(inputs, { inspection: inspect(memoryTree(files)), ...rest }).map(({ message }) => message);

const WDL = (inputs: string): Readonly<Record<string, string>> => ({
  "main.wdl": `version 1.1\nstruct Sample { String name  File bam  Int? lane }\nworkflow align {\n  input {\n${inputs}\n  }\n}\n`,
});

describe("WDL", () => {
  test.each([
    ["Int x", 3, []],
    ["Int x", "3", ['"x" must be an integer, but is the text "3"']],
    ["Int x", 2.5, ['"x" must be an integer, but is 2.5']],
    ["Float x", 3, []],
    ["Boolean x", "true", ['"x" must be true or false, but is the text "true"']],
    ["String x", 1, ['"x" must be a text, but is 1']],
    ["Int? x", null, []],
    ["Int x = 1", null, []],
    ["Int x", null, ['"x" must be an integer, but is null']],
    ["File x", "s3://b/k", []],
    ["File x", "omics://a/b", []],
    ["File x", "https://x/y", ['"x" must be the URI of a file (s3://bucket/key), but is the text "https://x/y"']],
    ["File x", "data/reads.fq", [expect.stringContaining("must be the URI of a file")]],
    ["File x", "s3://b/folder/", [expect.stringContaining('must not end with "/"')]],
    ["Array[File]+ x", [], ['"x" must have at least one item']],
    ["Array[File] x", ["s3://b/k", 1], [expect.stringContaining('"x"[1] must be the URI of a file')]],
    ["Map[Int,String] x", { 1: "a", b: "c" }, ['the key "b" of "x" must be an integer, but is the text "b"']],
    ["Pair[Int,File] x", { Left: 1, RIGHT: "s3://b/k" }, []],
    ["Pair[Int,File] x", [1, "s3://b/k"], [expect.stringContaining('{"left": …, "right": …}')]],
    ["Sample x", { name: "n", bam: "s3://b/k" }, []],
    [
      "Sample x",
      '{"name": "n"}',
      [expect.stringContaining("must be an object with the members of Sample (name, bam, lane?), but is the text")],
    ],
    [
      "Array[Sample] x",
      [{ name: "n", lane: "1", color: 2 }],
      [
        expect.stringContaining('"x"[0] lacks the member "bam"'),
        '"x"[0].lane must be an integer, but is the text "1"',
        expect.stringContaining('has no member "color"'),
      ],
    ],
    ["Array[Array[Int]?]? x", [[1], null, ["a"]], ['"x"[2][0] must be an integer, but is the text "a"']],
  ])("%s given %j", (declaration, value, expected) => {
    expect(messages(WDL(declaration), { x: value })).toEqual(expected);
  });

  test("names: unknown with the nearest, missing with what is expected, and Workflow.name for name", () => {
    const files = WDL("String sample_name\nFile reads\nInt threads = 1");
    expect(messages(files, { "align.sample_name": "a", reads: "s3://b/k" })).toEqual([]);
    expect(messages(files, { sampleName: "a", "other.reads": "s3://b/k", colour: 1 })).toEqual([
      'there is no parameter "sampleName": did you mean "sample_name"?',
      'there is no parameter "other.reads": the parameters are sample_name, reads, threads',
      'there is no parameter "colour": the parameters are sample_name, reads, threads',
      'the required parameter "sample_name" is missing: a text',
      'the required parameter "reads" is missing: the URI of a file (s3://bucket/key)',
    ]);
  });

  test("a template of one's own decides names; types still come from the definition", () => {
    const template = { "align.task.memory": { optional: true }, reads: {} };
    expect(messages(WDL("File reads\nInt hidden"), { "align.task.memory": 3, reads: 1 }, { template })).toEqual([
      expect.stringContaining('"reads" must be the URI'),
    ]);
  });

  test("leniency and staging", () => {
    expect(messages(WDL("Int x\nFloat y\nBoolean z"), { x: "3", y: "1.5", z: "true" }, { isLenient: true })).toEqual([]);
    expect(messages(WDL("Int x"), { x: "3.5" }, { isLenient: true })).toHaveLength(1);
    expect(messages(WDL("File x"), { x: "data/reads.fq" }, { areFilesStaged: true })).toEqual([]);
    expect(messages(WDL("File x"), { x: "gs://b/k" }, { areFilesStaged: true })).toHaveLength(1);
  });
});

describe("CWL", () => {
  const cwl = (type: string): Readonly<Record<string, string>> => ({
    "main.cwl": `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: {x: {type: ${type}}}\noutputs: []\n`,
  });

  test.each([
    ["File", { class: "File", location: "s3://b/k" }, []],
    ["File", { class: "File", path: "s3://b/k" }, []],
    ["File", "s3://b/k", [expect.stringContaining('must be an object {"class": "File", "location": "s3://…"}')]],
    ["File", { class: "File", location: "/tmp/x" }, [expect.stringContaining('"x".location must be the URI')]],
    ["File", { class: "File", contents: "x" }, []],
    ["Directory", { class: "File", location: "s3://b/k" }, [expect.stringContaining('"class": "Directory"')]],
    ["'int[]?'", [1, 2], []],
    ["'int[]?'", null, []],
    ["'[string, int]'", 3, []],
    ["[string, int]", true, ['"x" must be a text or an integer, but is true']],
    ["[null, string, int]", null, []],
    ["{type: enum, symbols: [a, b]}", "c", ['"x" must be one of "a", "b", but is the text "c"']],
    ["{type: record, fields: {n: int, f: File?}}", { n: 1 }, []],
    ["{type: array, items: {type: record, fields: {n: int}}}", [{}], [expect.stringContaining('"x"[0] lacks the member "n"')]],
    ["Any", { whatever: [] }, []],
  ])("%s given %j", (type, value, expected) => {
    expect(messages(cwl(type.replace("'[string, int]'", "[string, int]")), { x: value })).toEqual(expected);
  });
});

describe("Nextflow", () => {
  const schema = (properties: unknown): Readonly<Record<string, string>> => ({
    "main.nf": "workflow { println params.x }\n",
    "nextflow_schema.json": JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object", properties }),
  });

  test.each([
    [{ type: "integer" }, 3, []],
    [{ type: "integer" }, "3", ['"x" must be an integer, but is the text "3"']],
    [{ type: ["integer", "string"] }, "3", []],
    [{ type: ["integer", "string"] }, [], ['"x" must be an integer or a text, but is the list []']],
    [{ type: "string", enum: ["GRCh38", "T2T"] }, "hg19", ['"x" must be one of "GRCh38", "T2T", but is the text "hg19"']],
    [{ type: "string", format: "file-path" }, "assets/table.csv", []],
    [{ type: "string", format: "file-path" }, 1, ['"x" must be a path or URI as a text, but is 1']],
    [{}, { a: 1 }, []],
  ])("%j given %j", (property, value, expected) => {
    expect(messages(schema({ x: property }), { x: value })).toEqual(expected);
  });

  test("what a script's default is, is no limit", () => {
    expect(messages({ "main.nf": "params.x = 3\nworkflow { println params.x }\n" }, { x: "many" })).toEqual([]);
  });
});

test("the whole: an object of at most 256,000 bytes", () => {
  expect(messages(WDL("String x"), ["a"])).toEqual([expect.stringContaining("must be a JSON object")]);
  expect(messages(WDL("String x"), null)).toHaveLength(1);
  expect(messages(WDL("String x"), { x: "y".repeat(256_000 - '{"x":""}'.length) })).toEqual([]);
  expect(messages(WDL("String x"), { x: "y".repeat(256_000) })).toEqual([expect.stringContaining("256008 bytes; a run takes 256000")]);
});
