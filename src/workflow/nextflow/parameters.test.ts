import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { nextflowProfiles, nextflowProfileTemplates, readNextflow } from "./read.ts";

const read = (files: Readonly<Record<string, string>>) => readNextflow(memoryTree(files), "main.nf");
const template = (main: string, config = "") => read({ "main.nf": main, "nextflow.config": config }).parameterTemplate;

const SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  definitions: {
    io: {
      required: ["input", "save"],
      properties: {
        input: { type: "string", format: "file-path", description: "Samples." },
        save: { type: "boolean", default: true },
        outdir: { type: ["string", "null"], format: "directory-path" },
        nested: { type: "object", properties: { child: { type: "string" } } },
      },
    },
    lonely: { properties: { never: {} } },
  },
  allOf: [{ $ref: "#/definitions/io" }],
  properties: { top: { enum: ["a", "b"], description: "Top." } },
  required: ["top", "outdir"],
};

describe("nextflow_schema.json (guide, Parameter templates)", () => {
  const expected = {
    top: { description: "Top.", optional: false },
    input: { description: "Samples.", optional: false },
    save: { description: null, optional: false },
    outdir: { description: null, optional: true },
    nested: { description: null, optional: true },
  };

  test("alone gives the template, groups by their own required", () => {
    const result = read({ "main.nf": "params.other = 1\nworkflow { }", "nextflow_schema.json": JSON.stringify(SCHEMA) });
    expect(result.parameterTemplate).toEqual(expected);
  });

  test("of 2020-12 has its groups under $defs", () => {
    const { definitions, ...rest } = SCHEMA;
    const schema = {
      ...rest,
      $schema: "https://json-schema.org/draft/2020-12/schema",
      $defs: definitions,
      allOf: [{ $ref: "#/$defs/io" }],
    };
    expect(read({ "main.nf": "workflow { }", "nextflow_schema.json": JSON.stringify(schema) }).parameterTemplate).toEqual(expected);
  });

  test("gives types, enums, defaults and files", () => {
    const { parameters } = read({ "main.nf": "workflow { }", "nextflow_schema.json": JSON.stringify(SCHEMA, null, 1) });
    expect(parameters).toEqual([
      { name: "top", type: "any", enum: ["a", "b"], optional: false, file: "nextflow_schema.json", line: expect.any(Number) },
      { name: "input", type: "string", isFile: true, optional: false, file: "nextflow_schema.json", line: 10 },
      { name: "save", type: "boolean", default: true, optional: false, file: "nextflow_schema.json", line: expect.any(Number) },
      { name: "outdir", type: "string|null", isFile: true, optional: true, file: "nextflow_schema.json", line: expect.any(Number) },
      { name: "nested", type: "object", optional: true, file: "nextflow_schema.json", line: expect.any(Number) },
    ]);
  });

  test("that is broken, or of another draft, gives way to the scripts and a word", () => {
    for (const text of ["{ not json", JSON.stringify({ ...SCHEMA, $schema: "http://json-schema.org/draft-04/schema#" }), "[]"]) {
      const result = read({ "main.nf": "params.own = 1\nworkflow { }", "nextflow_schema.json": text });
      expect(result.parameterTemplate).toEqual({ own: { description: null, optional: true } });
      expect(result.diagnostics).toMatchObject([{ rule: "nextflow-schema-unusable", file: "nextflow_schema.json" }]);
    }
  });
});

describe("parameters of the scripts (guide, Parameter templates)", () => {
  test("with a value are optional, those only read required", () => {
    expect(template("params.given = 's3://b/x'\nparams.bare\nworkflow { Channel.fromPath(params.reads) }")).toEqual({
      given: { description: null, optional: true },
      bare: { description: null, optional: false },
      reads: { description: null, optional: false },
    });
  });

  test("stand in the configuration in both forms", () => {
    expect(Object.keys(template("workflow { }", "params.a = 1\nparams {\n  b = null\n  c = [1, 2]\n}"))).toEqual(["a", "b", "c"]);
  });

  test("on the right of an assignment, in other blocks and in modules are ignored", () => {
    const result = read({
      "main.nf": "include { X } from './x'\nparams.a = params.b\nworkflow { X() }",
      "x.nf": "params.module_only = 1\nprocess X { script: 'true' }",
      "nextflow.config": "env { params.c = 1 }\ndocker.registry = params.d\nprofiles { test { params.e = 1 } }",
    });
    expect(Object.keys(result.parameterTemplate)).toEqual(["a"]);
  });

  test("that are nested give no entry", () => {
    expect(
      template("params.a.b = 1\nprintln params.c.d\nworkflow { }", "params {\n  genomes {\n    GRCh38 { fasta = 'x' }\n  }\n  e = 1\n}"),
    ).toEqual({
      e: { description: null, optional: true },
    });
  });

  test("of a typed block have types", () => {
    const { parameters } = read({
      "main.nf": "params {\n  input: Path\n  count: Integer = 3\n  tags: List<String>?\n  save: Boolean\n}\nworkflow { }",
    });
    expect(parameters).toMatchObject([
      { name: "input", type: "Path", optional: false, isFile: true, line: 2 },
      { name: "count", type: "Integer", optional: true, default: 3 },
      { name: "tags", type: "List<String>?", optional: true },
      { name: "save", type: "Boolean", optional: true },
    ]);
  });

  test("have the values of the configuration as defaults", () => {
    const { parameters } = read({
      "main.nf": "params.a = 1\nworkflow { }",
      "nextflow.config": "params.a = \"${projectDir}/x\"\nparams.b = 1.5\nparams.c = '8.GB'",
    });
    expect(parameters.map(({ name, type, default: value }) => [name, type, value])).toEqual([
      ["a", "string", '"${projectDir}/x"'],
      ["b", "number", 1.5],
      ["c", "string", "8.GB"],
    ]);
  });
});

describe("the manifest", () => {
  test.each([
    "manifest { version = '1.2.3' }",
    'manifest.version="1.2.3"',
    "manifest {\n  name='x'\n  version=\"1.2.3\"\n}",
    'manifest.version = """1.2.3"""',
    "def v = '1.2.3'\nmanifest { version = \"${v}\" }",
    "manifest = [version: '1.2.3']",
    "manifest { version = /1.2.3/ }",
  ])("gives the version in %j", (config) => {
    const result = read({ "main.nf": "workflow { }", "nextflow.config": config });
    expect(result.version).toBe("1.2.3");
    expect(result.diagnostics).toEqual([]);
  });

  test.each([["'1.2'"], ["'v1.2.3'"], ["'1.4.0dev'"], ["1.0"], ["'latest'"]])(
    "tells where %s is written, which the linter judges",
    (version) => {
      const result = read({ "main.nf": "workflow { }", "nextflow.config": `manifest {\n  version = ${version}\n}` });
      expect(result.version).toBe(version.replaceAll("'", ""));
      expect(result.versionAt).toMatchObject({ file: "nextflow.config", line: 2 });
    },
  );
});

test("profiles are told in the order of the configuration, with what they set no longer required", () => {
  const tree = memoryTree({
    "main.nf": "workflow { println params.input }",
    "nextflow.config": "profiles {\n  docker { docker.enabled = true }\n  test { params.input = 'x' }\n}\nprofiles.late.params.other = 1",
  });
  expect(nextflowProfiles(tree, "main.nf")).toEqual(["docker", "test", "late"]);
  expect(nextflowProfileTemplates(tree, "main.nf")).toEqual({
    docker: { input: { description: null, optional: false } },
    test: { input: { description: null, optional: true } },
    late: { input: { description: null, optional: false } },
  });
});
