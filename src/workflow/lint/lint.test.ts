import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { memoryTree } from "../source-tree.ts";
import { formatLint } from "./format.ts";
import { lint, passes } from "./lint.ts";
import { rulesPage } from "./pages.ts";
import { allRules } from "./rules.ts";

const tool = (image: string, rest = "inputs: []"): string =>
  `cwlVersion: v1.2\nclass: CommandLineTool\nhints:\n  DockerRequirement:\n    dockerPull: ${image}\n${rest}\noutputs: []\n`;
const ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com/bwa:1";
const found = (files: Readonly<Record<string, string>>, context = {}) =>
  lint(memoryTree(files), {}, context).diagnostics.map(({ rule, severity, file, line }) => `${severity} ${rule} ${file}:${line}`);

describe("images", () => {
  test.each([
    [ECR, []],
    ["quay.io/biocontainers/bwa:1", ["warning image-public main.cwl:5"]],
    ["ubuntu", ["warning image-latest main.cwl:5", "warning image-public main.cwl:5"]],
    [`${ECR.slice(0, -2)}:latest`, ["warning image-latest main.cwl:5"]],
    ["'docker://bad name:1'", ["error image-invalid main.cwl:5"]],
    ["$(inputs.x)", ["warning image-unresolved main.cwl:5"]],
  ])("%s", (image, expected) => {
    expect(found({ "main.cwl": tool(image, "inputs: {x: string}") })).toEqual(expected);
  });

  test("mappings and staging cover public images", () => {
    const files = { "main.cwl": tool("quay.io/biocontainers/bwa:1") };
    expect(found(files, { areImagesStaged: true })).toEqual([]);
    expect(found(files, { registryMap: { registryMappings: [{ upstreamRegistryUrl: "quay.io" }] } })).toEqual([]);
    expect(found(files, { registryMap: { registryMappings: [{ upstreamRegistryUrl: "io" }] } })).toHaveLength(1);
    expect(found(files, { registryMap: { imageMappings: [{ sourceImage: "quay.io/biocontainers/bwa" }] } })).toEqual([]);
    for (const image of ["k8s.gcr.io/pause:3.9", "quay.io:443/a/b:1", "docker://quay.io:443/a/b:1"]) {
      const [upstreamRegistryUrl = ""] = image.replace("docker://", "").split("/");
      expect(found({ "main.cwl": tool(`'${image}'`) }, { registryMap: { registryMappings: [{ upstreamRegistryUrl }] } })).toEqual([]);
    }
    expect(
      found({ "main.cwl": tool("ubuntu:22.04") }, { registryMap: { registryMappings: [{ upstreamRegistryUrl: "registry-1.docker.io" }] } }),
    ).toEqual([]);
  });

  test("one rule for three languages: what a language says too is said once", () => {
    const wdl = 'version 1.0\nworkflow w { call t }\ntask t {\n  command <<< >>>\n  runtime { docker: "ubuntu" }\n}\n';
    const nextflow = "process P {\n  container 'ubuntu'\n  script: 'true'\n}\nworkflow { P() }\n";
    for (const files of [{ "main.wdl": wdl }, { "main.nf": nextflow }, { "main.cwl": tool("ubuntu") }] as readonly Readonly<
      Record<string, string>
    >[]) {
      const rules = lint(memoryTree(files))
        .diagnostics.map(({ rule }) => rule)
        .filter((rule) => rule.includes("image"));
      expect(rules).toEqual(["image-latest", "image-public"]);
    }
  });
});

describe("templates and sizes", () => {
  const inputs = (entries: string): string => tool(ECR, `inputs:\n${entries}`);

  test("descriptions, names and counts", () => {
    expect(
      found({
        "main.cwl": inputs(
          `  a: {type: int, label: "${"x".repeat(257)}"}\n  b: {type: int, label: "two\\nlines"}\n  ${"n".repeat(129)}: int\n  c: {type: int, label: "${"ü".repeat(256)}"}`,
        ),
      }),
    ).toEqual([
      "warning parameter-description main.cwl:7",
      "warning parameter-description main.cwl:8",
      "warning parameter-name main.cwl:9",
    ]);
    const many = (count: number): string => Array.from({ length: count }, (_, index) => `  p${index}: int`).join("\n");
    expect(found({ "main.cwl": inputs(many(1000)) })).toEqual([]);
    expect(found({ "main.cwl": inputs(many(1001)) })).toEqual(["warning parameter-count main.cwl:1"]);
    expect(found({ "main.cwl": inputs(many(2001)) })).toEqual(["error parameter-count main.cwl:1"]);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ["WDL", { "main.wdl": 'version 1.0\nworkflow w {\n  input { Int n }\n  parameter_meta { n: "TEXT" }\n}\n' }, "main.wdl:3"],
    [
      "Nextflow",
      {
        "main.nf": "workflow { }\n",
        "nextflow_schema.json": '{"$schema": "http://json-schema.org/draft-07/schema#",\n"properties": {"n": {"description": "TEXT"}}}',
      },
      "nextflow_schema.json:2",
    ],
  ])("a description of %s that no template takes", (_, files, place) => {
    const written = (text: string) => Object.fromEntries(Object.entries(files).map(([name, each]) => [name, each.replace("TEXT", text)]));
    const told = (text: string) => found(written(text)).filter((each) => each.includes("parameter-description"));
    expect(told("x".repeat(256))).toEqual([]);
    expect(told("x".repeat(257))).toEqual([`warning parameter-description ${place}`]);
    expect(told("a\\tb")).toEqual([`warning parameter-description ${place}`]);
  });

  test("the ways of giving a definition have their limits", () => {
    const files = { "main.cwl": tool(ECR) };
    expect(found(files, { zipBytes: 4_400_000 })).toEqual([]);
    expect(found(files, { zipBytes: 4_400_001 })).toEqual(["info definition-size main.cwl:1"]);
    expect(found(files, { zipBytes: 100_000_001 })).toEqual(["error definition-size main.cwl:1"]);
    expect(found({ ...files, "data.txt": "x".repeat(4_400_001) })).toEqual(["info definition-size main.cwl:1"]);
    expect(found({ ...files, "README.md": "x".repeat(500 * 1024 + 1) })).toEqual(["error readme-size README.md:1"]);
    const name = `${"d".repeat(125)}.cwl`;
    expect(found({ [name]: tool(ECR) })).toEqual([`error main-path-too-long ${name}:1`]);
  });

  test("a version is semantic or told", () => {
    const versioned = (version: string): string => `$namespaces: {s: "https://schema.org/"}\ns:version: ${version}\n${tool(ECR)}`;
    expect(found({ "main.cwl": versioned("1.2.3-rc.1+b5") })).toEqual([]);
    expect(found({ "main.cwl": versioned("v1.2") })).toEqual(["warning version-not-semver main.cwl:2"]);
  });

  test("in each language the place is where the version is written", () => {
    const places = (files: Readonly<Record<string, string>>) => found(files).filter((each) => each.includes("version-not-semver"));
    expect(places({ "main.wdl": 'version 1.0\nworkflow w {\n  meta {\n    version: "1.2"\n  }\n}\n' })).toEqual([
      "warning version-not-semver main.wdl:4",
    ]);
    expect(places({ "main.nf": "workflow { }\n", "nextflow.config": "manifest {\n  name = 'x'\n  version = '1.0dev'\n}\n" })).toEqual([
      "warning version-not-semver nextflow.config:3",
    ]);
  });
});

test("an image that an input decides is told of with what is known of its name", () => {
  const wdl = (docker: string): string =>
    `version 1.0\nworkflow W { input { String registry } call T { input: docker = ${docker} } }\ntask T { input { String docker } command <<< >>> runtime { docker: docker } }\n`;
  const told = (docker: string) =>
    lint(memoryTree({ "main.wdl": wdl(docker) })).diagnostics.map(({ rule, message }) => `${rule} ${message}`);
  expect(told('registry + "/bwa:1"')).toEqual([
    'image-unresolved the input "registry" decides which image task "T" uses (docker: ~{registry}/bwa:1)',
  ]);
  expect(told('"~{registry}/bwa:latest"')).toEqual([
    'image-latest task "T" uses "~{registry}/bwa:latest", which can mean another image tomorrow',
    'image-unresolved the input "registry" decides which image task "T" uses (docker: ~{registry}/bwa:latest)',
  ]);
  expect(told("registry")).toEqual(['image-unresolved the input "registry" decides which image task "T" uses (docker)']);
});

describe("files of inputs beside a WDL workflow", () => {
  const wdl = "version 1.0\nworkflow W { input { Int n } }\n";
  const told = (files: Readonly<Record<string, string>>) =>
    lint(memoryTree({ "flows/main.wdl": wdl, ...files })).diagnostics.filter(({ rule }) => rule === "wdl-namespaced-inputs");

  test.each([
    ['{\n  "n": 1,\n  "W.T.cpu": 2,\n  "W.n": 3\n}', 3, "warning", "names an input of a call"],
    ['{\n  "W.n": 1\n}', 2, "info", 'the parameter is called "n"'],
  ])("%j", (text, line, severity, message) => {
    expect(told({ "flows/inputs.json": text })).toMatchObject([
      { severity, file: "flows/inputs.json", line, column: 3, message: expect.stringContaining(message) },
    ]);
  });

  test.each(['{"n": 1}', '{"V.n": 1}', '["W.n"]', "W.n", '{"Wide.n": 1}'])("%j says nothing", (text) => {
    expect(told({ "flows/inputs.json": text })).toEqual([]);
  });

  test("what a test expects is no file of inputs, and what is no input of the workflow is none", () => {
    expect(told({ "flows/expected_outputs.json": '{"W.n": 1, "W.T.out": 2}', "flows/other.json": '{"W.total": 1}' })).toEqual([]);
  });

  test("those of other folders are not this workflow's", () => expect(told({ "inputs.json": '{"W.n": 1}' })).toEqual([]));
});

describe("suppression in place", () => {
  const noted = (above: string, beside = ""): string =>
    tool(`${ECR.slice(0, -2)}:latest${beside}`).replace("    dockerPull", `${above}    dockerPull`);

  test("on the same line, or on comment lines above, with a reason", () => {
    for (const text of [
      noted("", " # omx-ignore: image-latest it is rebuilt"),
      noted("    # omx-ignore: image-latest it is rebuilt\n"),
      noted("    # omx-ignore: image-latest it is rebuilt\n    # and more\n"),
    ]) {
      const { diagnostics, suppressed } = lint(memoryTree({ "main.cwl": text }));
      expect(diagnostics).toEqual([]);
      expect(suppressed).toMatchObject([{ reason: "it is rebuilt", diagnostic: { rule: "image-latest" } }]);
    }
  });

  test("without a reason, with an unknown rule, or without a finding it is a finding itself", () => {
    expect(found({ "main.cwl": noted("    # omx-ignore: image-latest\n") })).toEqual([
      "error ignore-without-reason main.cwl:5",
      "warning image-latest main.cwl:6",
    ]);
    expect(found({ "main.cwl": noted("    # omx-ignore: image-newest why\n") })).toEqual([
      "error ignore-unknown-rule main.cwl:5",
      "warning image-latest main.cwl:6",
    ]);
    expect(found({ "main.cwl": noted("    # omx-ignore: image-public why\n") })).toEqual([
      "info ignore-unused main.cwl:5",
      "warning image-latest main.cwl:6",
    ]);
    expect(found({ "main.cwl": noted("    # omx-ignore: image-latest far away\n    dockerOutputDirectory: /x\n") })).toContain(
      "warning image-latest main.cwl:7",
    );
  });

  test("JSON holds no comments: those of the main file speak for it", () => {
    const wdl = "version 1.0\n# omx-ignore: wdl-namespaced-inputs kept for another engine\nworkflow W { input { Int n } }\n";
    const { diagnostics, suppressed } = lint(memoryTree({ "main.wdl": wdl, "inputs.json": '{"W.T.cpu": 2}' }));
    expect(diagnostics).toEqual([]);
    expect(suppressed).toMatchObject([{ reason: "kept for another engine", diagnostic: { file: "inputs.json" } }]);
  });

  test("Nextflow's comments count", () => {
    const text =
      "process P {\n  // omx-ignore: image-latest a moving base on purpose\n  container '111122223333.dkr.ecr.us-east-1.amazonaws.com/bwa:latest'\n  script: 'true'\n}\nworkflow { P() }\n";
    expect(lint(memoryTree({ "main.nf": text })).suppressed).toHaveLength(1);
  });
});

describe("formats", () => {
  const linted = lint(
    memoryTree({
      "a b.cwl": `# omx-ignore: image-public staged by hand\n${tool("ubuntu")}`.replace(
        "    dockerPull",
        "    # omx-ignore: image-public staged by hand\n    dockerPull",
      ),
    }),
  );

  test("a person reads file:line:column, what is wrong, what to do, and how much there is", () => {
    const text = formatLint(linted, "human");
    expect(text).toContain('a b.cwl:7:1: warning: task "a b" uses "ubuntu"');
    expect(text).toContain("Write the version as a tag, or the digest.");
    expect(text.trimEnd().split("\n").at(-1)).toBe("1 warning, 1 remark (1 suppressed)");
  });

  test("the same remark on many places is one line for a person, and counts each time", () => {
    const task = (name: string): string => `task ${name} { command <<< >>> runtime { docker: "${ECR.slice(0, -2)}:1" zones: "a" } }\n`;
    const wdl = `version 1.0\n${["A", "B", "C"].map(task).join("")}workflow W { input { Int n } call A call B call C }\n`;
    const remarks = lint(memoryTree({ "main.wdl": wdl }));
    const text = formatLint(remarks, "human");
    expect(text.split("\n").filter((line) => line.includes("[wdl-ignored-runtime-key]"))).toEqual([
      expect.stringMatching(/^main.wdl:2:\d+: info: "zones" has no effect in HealthOmics, here and 2 times more /),
    ]);
    expect(text.trimEnd().split("\n").at(-1)).toBe("3 remarks");
    expect(JSON.parse(formatLint(remarks, "json"))).toHaveLength(3);
  });

  test("the JSON is the diagnostics", () => {
    expect(JSON.parse(formatLint(linted, "json"))).toEqual(linted.diagnostics);
  });

  test("SARIF has rules, places as URIs and suppressions", () => {
    const { version, runs } = JSON.parse(formatLint(linted, "sarif"));
    expect(version).toBe("2.1.0");
    const [
      {
        tool: { driver },
        results,
      },
    ] = runs;
    expect(driver.rules.map(({ id }: { id: string }) => id)).toEqual(["image-latest", "image-public", "ignore-unused"]);
    for (const { ruleId, ruleIndex } of results) expect(driver.rules[ruleIndex].id).toBe(ruleId);
    expect(results.find(({ ruleId }: { ruleId: string }) => ruleId === "image-public")).toMatchObject({
      level: "warning",
      locations: [{ physicalLocation: { artifactLocation: { uri: "a%20b.cwl" }, region: { startLine: 7, startColumn: 1 } } }],
      suppressions: [{ kind: "inSource", justification: "staged by hand" }],
    });
  });

  test("it passes below the severity that fails", () => {
    expect(passes(linted.diagnostics)).toBe(true);
    expect(passes(linted.diagnostics, "warning")).toBe(false);
    expect(passes([], "info")).toBe(true);
  });
});

describe("rules", () => {
  test("each has an id of its own and says why and what to do", () => {
    expect(new Set(allRules.map(({ id }) => id)).size).toBe(allRules.length);
    for (const { id, title, reason, fix } of allRules) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
      for (const text of [title, reason, fix]) expect(text.length).toBeGreaterThan(8);
    }
  });

  test("docs/rules.md is what the rules say (node scripts/rules-page.ts writes it)", () => {
    expect(readFileSync(join(import.meta.dirname, "../../../docs/rules.md"), "utf8")).toBe(rulesPage());
  });
});

test("without a main file the findings say so, and nothing is thrown", () => {
  expect(found({})).toEqual(["error main-file :1"]);
  expect(formatLint(lint(memoryTree({})), "human")).toMatch(/^definition: error: there is no workflow/);
});
