import { describe, expect, test } from "vitest";

import { memoryTree } from "../source-tree.ts";
import { readCwl } from "./read.ts";
import { cwlRules } from "./rules.ts";

const findings = (files: Readonly<Record<string, string>>) =>
  readCwl(memoryTree(files), "main.cwl").diagnostics.map(({ rule, line }) => `${rule}:${line}`);
const tool = (body: string): string => `cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\n${body}`;
const IMAGE = "DockerRequirement: {dockerPull: 'a:1'}";

describe("a tool", () => {
  test.each([
    [`hints: {${IMAGE}}`, []],
    ["", ["cwl-no-image:1"]],
    ["hints:\n  DockerRequirement:\n    dockerFile: 'FROM a'\n    dockerImageId: a", ["cwl-built-image:7"]],
    [
      `requirements:\n  ${IMAGE}\n  ResourceRequirement:\n    coresMin: 97\n    ramMin: 786433`,
      ["cwl-resources-few-regions:8", "cwl-resources-few-regions:9"],
    ],
    [
      `requirements:\n  ${IMAGE}\n  ResourceRequirement:\n    coresMin: 193\n    ramMin: 1572865`,
      ["cwl-resources-too-large:8", "cwl-resources-too-large:9"],
    ],
    [
      `requirements:\n  ${IMAGE}\n  ResourceRequirement: {coresMin: 0.5, ramMin: 512}`,
      ["cwl-resources-too-small:7", "cwl-resources-too-small:7"],
    ],
    [`requirements:\n  ${IMAGE}\n  ResourceRequirement: {coresMin: 96, ramMin: $(inputs.m)}`, []],
    [
      `requirements:\n  ${IMAGE}\n  NetworkAccess: {networkAccess: true}\n  InplaceUpdateRequirement: {inplaceUpdate: true}`,
      ["cwl-network:7", "cwl-inplace-update:8"],
    ],
    [`requirements:\n  ${IMAGE}\n  EnvVarRequirement: {envDef: {AWS_WORKFLOW_RUN: x, HOME: y}}`, ["cwl-reserved-variable:7"]],
    [`hints:\n  ${IMAGE}\n  cwltool:CUDARequirement: {cudaComputeCapability: "7.0"}`, ["cwl-accelerator:7"]],
    [`hints:\n  ${IMAGE}\n  cwltool:CUDARequirement: {cudaComputeCapability: nvidia-l4}`, []],
  ])("%s", (body, expected) => {
    expect(findings({ "main.cwl": tool(body) })).toEqual(expected);
  });

  test("JavaScript is compiled in strict mode and never run", () => {
    const script = (body: string): string =>
      tool(`requirements: {${IMAGE}, InlineJavascriptRequirement: {}}\narguments:\n  - \${ ${body} }`);
    expect(findings({ "main.cwl": script("return 010;") })).toEqual(["cwl-strict-javascript:7"]);
    expect(findings({ "main.cwl": script("with (inputs) { return a; }") })).toEqual(["cwl-strict-javascript:7"]);
    expect(findings({ "main.cwl": script("return inputs.a.map(function (x) { return x + 1; });") })).toEqual([]);
    expect(findings({ "main.cwl": script("throw new Error();") })).toEqual([]);
    expect(findings({ "main.cwl": script("this is no script") })).toEqual([]);
  });

  test("a default that lies on the web or on a disk is told", () => {
    const body = tool(`hints: {${IMAGE}}`).replace(
      "inputs: []",
      "inputs: {f: {type: File, default: {class: File, location: 'https://x/y'}}, g: {type: File, default: {class: File, location: s3://b/k}}}",
    );
    expect(findings({ "main.cwl": body })).toEqual(["cwl-remote-default:3"]);
  });
});

test("operations and old loops are refused", () => {
  const workflow = (version: string): string => `cwlVersion: ${version}
class: Workflow
inputs: []
outputs: []
steps:
  a: {in: [], out: [], run: {class: Operation, inputs: [], outputs: []}}
  b: {in: [], out: [], run: {class: ExpressionTool, inputs: [], outputs: [], expression: "$({})"}, requirements: {cwltool:Loop: {loopWhen: $(true)}}}
`;
  expect(findings({ "main.cwl": workflow("v1.1") })).toEqual(["cwl-operation:6", "cwl-loop-version:7"]);
  expect(findings({ "main.cwl": workflow("v1.2") })).toEqual(["cwl-operation:6"]);
});

test("secondaryFiles of an inner tool are repeated at the main input, however deep it lies", () => {
  const inner = tool(`hints: {${IMAGE}}`).replace("inputs: []", "inputs: {bam: {type: File, secondaryFiles: [.bai]}}");
  const middle = "cwlVersion: v1.2\nclass: Workflow\ninputs: {b: File}\noutputs: []\nsteps: {t: {run: inner.cwl, in: {bam: b}, out: []}}\n";
  const main = (input: string): string =>
    `cwlVersion: v1.2\nclass: Workflow\ninputs:\n  reads: ${input}\noutputs: []\nsteps: {m: {run: middle.cwl, in: {b: reads}, out: []}}\n`;
  expect(findings({ "main.cwl": main("File"), "middle.cwl": middle, "inner.cwl": inner })).toEqual(["cwl-secondary-files:4"]);
  expect(findings({ "main.cwl": main("{type: File, secondaryFiles: [.bai]}"), "middle.cwl": middle, "inner.cwl": inner })).toEqual([]);
});

test.each([".bai?", "{pattern: .bai, required: false}", "{pattern: .bai, required: $(inputs.sorted)}"])(
  "secondaryFiles that may be absent need no word in the main workflow: %s",
  (pattern) => {
    const inner = tool(`hints: {${IMAGE}}`).replace("inputs: []", `inputs: {bam: {type: File, secondaryFiles: [${pattern}]}}`);
    const main = "cwlVersion: v1.2\nclass: Workflow\ninputs: {b: File}\noutputs: []\nsteps: {t: {run: inner.cwl, in: {bam: b}, out: []}}\n";
    expect(findings({ "main.cwl": main, "inner.cwl": inner })).toEqual([]);
  },
);

test("every rule has an id of its own, in kebab case, and a page's worth of words", () => {
  expect(new Set(cwlRules.map(({ id }) => id)).size).toBe(cwlRules.length);
  for (const { id, title, reason, fix } of cwlRules) {
    expect(id).toMatch(/^cwl(-[a-z]+)+$/);
    for (const text of [title, reason, fix]) expect(text.length).toBeGreaterThan(15);
  }
});

test("an input that is declared twice is a parameter twice, as an engine asks for it, and one entry of the template", () => {
  const text = tool(`hints: {${IMAGE}}`).replace(
    "inputs: []",
    "inputs: [{id: a, type: string}, {id: b, type: int}, {id: a, type: int?, label: second}]",
  );
  const { parameters, parameterTemplate, diagnostics } = readCwl(memoryTree({ "main.cwl": text }), "main.cwl");
  expect(parameters.map(({ name, type }) => `${name}: ${type}`)).toEqual(["a: string", "b: int", "a: int?"]);
  expect(parameterTemplate).toMatchObject({ a: { description: "second", optional: true } });
  expect(diagnostics.map(({ rule, severity, line }) => `${severity} ${rule}:${line}`)).toEqual(["warning cwl-duplicate-input:3"]);
});
