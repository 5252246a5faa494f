import { describe, expect, test } from "vitest";

import { memoryTree } from "../source-tree.ts";
import { readCwl } from "./read.ts";

const read = (files: Readonly<Record<string, string>>, main = "main.cwl") => readCwl(memoryTree(files), main);
const tool = (body: string): string => `cwlVersion: v1.2\nclass: CommandLineTool\n${body}\noutputs: []\n`;

const IMAGE = "hints: {DockerRequirement: {dockerPull: 'any:1'}}";

describe("inputs (guide, parameter-templates; types of CWL 1.2)", () => {
  test.each([
    ["int", "int", false],
    ["{type: int, default: 2}", "int", true],
    ["int?", "int?", true],
    ["File[]", "File[]", false],
    ["File[]?", "File[]?", true],
    ['[File, "null"]', "File?", true],
    ["{type: [null, {type: array, items: File}]}", "File[]?", true],
    ["{type: {type: array, items: [null, string]}}", "string?[]", false],
    ["{type: array, items: string}", "string[]", false],
    ["{type: {type: enum, symbols: [a, b]}}", "enum", false],
    ["{type: {type: record, fields: [{name: f, type: File}]}}", "record", false],
    ["{type: [string, int]}", "[string, int]", false],
    ["{type: stdin}", "File", false],
    ["{type: int, default: null}", "int", false],
  ])("x: %s is %s", (written, type, optional) => {
    const { parameters, parameterTemplate, diagnostics } = read({ "main.cwl": tool(`${IMAGE}\ninputs:\n  x: ${written}`) });
    expect(parameters).toMatchObject([{ name: "x", type, optional, file: "main.cwl", line: 5 }]);
    expect(parameterTemplate).toEqual({ x: { description: "", optional } });
    expect(diagnostics).toEqual([]);
  });

  test("the list form, ids with a path, labels, members, enums and files are kept", () => {
    const body = `inputs:
  - {id: "#main/reads", label: The reads, type: File}
  - id: mode
    type: {type: enum, symbols: ["#main/mode/fast", slow]}
    default: fast
  - {id: sample, type: {type: record, fields: {name: string, bam: File?}}}`;
    const { parameters, parameterTemplate } = read({ "main.cwl": tool(body) });
    expect(parameterTemplate["reads"]).toEqual({ description: "The reads", optional: false });
    expect(parameters).toMatchObject([
      { name: "reads", type: "File", optional: false, isFile: true },
      { name: "mode", type: "enum", optional: true, default: "fast", enum: ["fast", "slow"] },
      {
        name: "sample",
        type: "record",
        optional: false,
        isFile: true,
        members: [
          { name: "name", type: "string", optional: false },
          { name: "bam", type: "File?", optional: true, isFile: true },
        ],
      },
    ]);
  });

  test("declared types are found under SchemaDefRequirement, imported or not, and in a file of their own", () => {
    const files = {
      "types.yml": "- name: paired\n  type: record\n  fields:\n    r1: File\n",
      "main.cwl": tool(
        "hints: {DockerRequirement: {dockerPull: 'any:1'}}\nrequirements: [{class: SchemaDefRequirement, types: [{$import: types.yml}]}]\ninputs: {a: 'types.yml#paired', b: 'paired[]?', c: 'nothing#here'}",
      ),
    };
    const { parameters, diagnostics } = read(files);
    expect(parameters.map(({ type }) => type)).toEqual(["paired", "paired[]?", "here"]);
    expect(diagnostics).toMatchObject([{ rule: "cwl-type", line: 5, message: expect.stringContaining("nothing#here") }]);
  });
});

const images = (files: Readonly<Record<string, string>>, main?: string) =>
  read(files, main).images.map(({ image, task, file, line, ...rest }) => [image, task, `${file}:${line}`, rest]);

const WORKFLOW = `cwlVersion: v1.2
class: Workflow
requirements: {StepInputExpressionRequirement: {}, InlineJavascriptRequirement: {}}
inputs: {registry: string, tag: {type: string, default: "1.0"}, custom: string?}
outputs: []
steps:
`;
const TOOL = tool("requirements: {DockerRequirement: {dockerPull: $(inputs.image)}}\ninputs: {image: {type: string, default: 'own:1'}}");

describe("images", () => {
  test("a requirement beats a hint, the tool beats the step, the step the workflow", () => {
    const inner = (docker: string): string => `{class: CommandLineTool, inputs: [], outputs: [], ${docker}}`;
    const main = `cwlVersion: v1.0
class: Workflow
requirements: [{class: DockerRequirement, dockerPull: "workflow:1"}]
inputs: []
outputs: []
steps:
  a: {in: [], out: [], run: ${inner("hints: {DockerRequirement: {dockerPull: 'hint:1'}}")}}
  b: {in: [], out: [], requirements: {DockerRequirement: {dockerPull: "step:1"}}, run: ${inner("id: b")}}
  c: {in: [], out: [], requirements: {DockerRequirement: {dockerPull: "step:1"}}, run: ${inner("requirements: [{class: DockerRequirement, dockerImageId: 'own:1'}]")}}
  d: {in: [], out: [], run: {class: ExpressionTool, inputs: [], outputs: [], expression: "$({})"}}
`;
    expect(images({ "main.cwl": main })).toEqual([
      ["workflow:1", "a", "main.cwl:3", { how: "literal" }],
      ["step:1", "b", "main.cwl:8", { how: "literal" }],
      ["own:1", "c", "main.cwl:9", { how: "literal" }],
    ]);
  });

  test.each([
    ["{}", [["own:1", "a", "tool.cwl:4", { how: "default" }]]],
    ["{image: custom}", [["own:1", "a", "tool.cwl:4", { how: "default", input: "custom" }]]],
    ["{image: tag}", [["1.0", "a", "main.cwl:4", { how: "default", input: "tag" }]]],
    ["{image: {default: 'given:2'}}", [["given:2", "a", "main.cwl:7", { how: "override" }]]],
    ["{image: {valueFrom: 'given:3'}}", [["given:3", "a", "main.cwl:7", { how: "override" }]]],
    ["{image: {valueFrom: 'x:$(inputs.t)'}, t: tag}", [["x:1.0", "a", "main.cwl:7", { how: "variable", input: "tag" }]]],
    [
      "{image: {source: tag, valueFrom: '${ var v = self; return \"y:\" + v; }'}}",
      [["y:1.0", "a", "main.cwl:7", { how: "variable", input: "tag" }]],
    ],
    [
      "{image: {source: registry, valueFrom: \"$(self == 'aws' ? 'e:1' : 'g:1')\"}}",
      [
        ["e:1", "a", "main.cwl:7", { how: "ternary", condition: "self == 'aws'", input: "registry" }],
        ["g:1", "a", "main.cwl:7", { how: "ternary", condition: "!(self == 'aws')", input: "registry" }],
      ],
    ],
  ])("in: %s", (link, expected) => {
    const files = { "main.cwl": `${WORKFLOW}  a: {run: tool.cwl, out: [], in: ${link}}\n`, "tool.cwl": TOOL };
    expect(images(files)).toEqual(expected);
    expect(read(files)).toMatchObject({ unresolved: [], diagnostics: [] });
  });

  test("an image that only inputs decide is unresolved, once for each of them, under the main workflow's names", () => {
    const inner = `${WORKFLOW.replace("registry: string", "prefix: string, name: string")}  t: {run: tool.cwl, out: [], in: {p: prefix, n: name, image: {valueFrom: $(inputs.p + inputs.n)}}}\n`;
    const main = `${WORKFLOW}  s: {run: inner.cwl, out: [], in: {prefix: registry, name: custom2}}\n`.replace(
      "custom:",
      "custom2: string, custom:",
    );
    const { unresolved, images: found } = read({ "main.cwl": main, "inner.cwl": inner, "tool.cwl": TOOL });
    expect(found).toEqual([]);
    const entry = { expression: "$(inputs.image)", task: "t", file: "tool.cwl", line: 3 };
    expect(unresolved).toEqual([
      { ...entry, input: "registry" },
      { ...entry, input: "custom2" },
    ]);
  });

  test("JavaScript beyond the subset is unresolved, with the inputs it names; nothing is run", () => {
    const main = tool("requirements: {DockerRequirement: {dockerPull: \"$(inputs.names.split(',')[0])\"}}\ninputs: {names: string}");
    expect(read({ "main.cwl": main })).toMatchObject({
      images: [],
      unresolved: [{ expression: "$(inputs.names.split(',')[0])", input: "names" }],
    });
    const evil = tool('requirements: {DockerRequirement: {dockerPull: "$(process.exit(1))"}}\ninputs: []');
    expect(read({ "main.cwl": evil }).unresolved).toEqual([{ expression: "$(process.exit(1))", task: "main", file: "main.cwl", line: 3 }]);
  });

  test("an image comes through outputs of sub-workflows and expression tools, and through scatter", () => {
    const globals = `cwlVersion: v1.2\nclass: Workflow\ninputs: {i: {type: string, default: "global:1"}}\noutputs: {image: {type: string, outputSource: i}}\nsteps: []\n`;
    const choose = `cwlVersion: v1.2\nclass: ExpressionTool\ninputs: {t: string}\noutputs: {image: string}\nexpression: "\${ return {image: 'made:' + inputs.t}; }"\n`;
    const main = `${WORKFLOW}  g: {run: globals.cwl, in: [], out: [image]}
  e: {run: choose.cwl, in: {t: tag}, out: [image]}
  a: {run: tool.cwl, in: {image: g/image}, out: []}
  b: {run: tool.cwl, in: {image: e/image}, out: []}
  c: {run: tool.cwl, scatter: image, in: {image: {default: [s1, s2]}}, out: []}
`;
    const found = images({ "main.cwl": main, "globals.cwl": globals, "choose.cwl": choose, "tool.cwl": TOOL });
    expect(found.map(([image, task]) => [image, task])).toEqual([
      ["global:1", "a"],
      ["made:1.0", "b"],
      ["s1", "c"],
      ["s2", "c"],
    ]);
  });

  test("a hint may be imported, and an alias used twice", () => {
    const files = {
      "docker/bwa.yml": "class: DockerRequirement\ndockerPull: bwa:1\n",
      "tools/main.cwl": tool("hints:\n  - $import: ../docker/bwa.yml\ninputs: []"),
    };
    expect(images(files, "tools/main.cwl")).toEqual([["bwa:1", "main", "docker/bwa.yml:2", { how: "literal" }]]);
  });
});

describe("packed documents", () => {
  const packed = (ids: readonly [string, string]): string =>
    JSON.stringify(
      {
        cwlVersion: "v1.2",
        $graph: [
          {
            class: "CommandLineTool",
            id: ids[0],
            inputs: [{ id: `${ids[0]}/x`, type: "string" }],
            outputs: [],
            hints: [{ class: "DockerRequirement", dockerPull: "t:1" }],
          },
          {
            class: "Workflow",
            id: ids[1],
            inputs: [{ id: `${ids[1]}/y`, type: "string" }],
            outputs: [],
            steps: [{ id: `${ids[1]}/s`, run: ids[0], in: [{ id: `${ids[1]}/s/x`, source: `${ids[1]}/y` }], out: [] }],
          },
        ],
      },
      undefined,
      "\t",
    );

  test("the process called main, or the one that is named", () => {
    const files = { "main.cwl": packed(["#tool", "#main"]) };
    expect(read(files)).toMatchObject({
      name: "main",
      languageVersion: "v1.2",
      parameters: [{ name: "y" }],
      images: [{ image: "t:1", task: "s" }],
      diagnostics: [],
    });
    expect(read(files, "main.cwl#tool")).toMatchObject({
      name: "tool",
      parameters: [{ name: "x" }],
      images: [{ image: "t:1", task: "tool" }],
    });
    expect(read(files, "main.cwl#other")).toMatchObject({
      parameters: [],
      diagnostics: [{ rule: "cwl-missing-file", message: expect.stringContaining('"other"') }],
    });
  });

  test("without one it says how to name one", () => {
    expect(read({ "main.cwl": packed(["tool", "flow"]) })).toMatchObject({
      parameters: [],
      diagnostics: [{ rule: "cwl-main-process", message: expect.stringContaining("main.cwl#tool") }],
    });
  });
});

test("the version is taken from schema.org's terms, as written", () => {
  const main = `$namespaces: {s: "https://schema.org/"}\ns:softwareVersion: 1.10\n${tool("inputs: []")}`;
  expect(read({ "main.cwl": main }).version).toBe("1.10");
});

test("$mixin puts a file's keys below those beside it, and a name with a colon is a file's if it is there", () => {
  const mixed = "hints:\n  DockerRequirement: {$mixin: docker.yml, dockerOutputDirectory: /out}";
  const files = {
    "a:b.cwl": tool(`${mixed}\ninputs: []`),
    "docker.yml": "dockerPull: mixed:1\ndockerOutputDirectory: /other\n",
    "main.cwl": 'cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: {s: {run: "a:b.cwl", in: [], out: []}}\n',
  };
  const { images, diagnostics } = read(files);
  expect(images).toMatchObject([{ image: "mixed:1", task: "s", file: "docker.yml", line: 1 }]);
  expect(diagnostics).toEqual([]);
});
