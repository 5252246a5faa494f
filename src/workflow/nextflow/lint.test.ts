import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { engineFor } from "./lint/engine.ts";
import { readNextflow } from "./read.ts";
import { nextflowRules } from "./rules.ts";

const RUN = "\nscript:\n'true'\n}\nworkflow { ONE() }\n";
const one = (body: string, config = "", more: Readonly<Record<string, string>> = {}) => ({
  "main.nf": `process ONE {\ncontainer 'quay.io/a:1'\n${body}${RUN}`,
  "nextflow.config": config,
  ...more,
});

/** For each rule a pipeline that breaks it, and the place that is told. */
const CASES: readonly (readonly [rule: string, files: Readonly<Record<string, string>>, file: string, line: number])[] = [
  ["nextflow-syntax", one("", "params { a = \n\n\nprocess.cpus = ) 1"), "nextflow.config", 4],
  ["nextflow-missing-main", { "other.nf": "workflow { }" }, "main.nf", 1],
  ["nextflow-missing-include", { "main.nf": "\ninclude { A } from './gone'\nworkflow { }" }, "main.nf", 2],
  ["nextflow-missing-include", { "main.nf": "include { A } from '../../outside'\nworkflow { }" }, "main.nf", 1],
  [
    "nextflow-missing-definition",
    { "main.nf": "include { A } from './m'\nworkflow { }", "m.nf": "process B { script: 'true' }" },
    "main.nf",
    1,
  ],
  ["nextflow-missing-config", one("", "\nincludeConfig 'conf/gone.config'"), "nextflow.config", 2],
  ["nextflow-include-cycle", one("", "includeConfig 'a.config'", { "a.config": "\nincludeConfig 'nextflow.config'" }), "a.config", 2],
  ["nextflow-remote-config", one("", "includeConfig 'https://example.org/x.config'"), "nextflow.config", 1],
  ["nextflow-schema-unusable", one("", "", { "nextflow_schema.json": "{" }), "nextflow_schema.json", 1],
  ["nextflow-publish-dir", one("publishDir 'results', mode: 'copy'"), "main.nf", 3],
  ["nextflow-publish-dir", one('publishDir path: "${params.outdir}/x"', "params.outdir = './results'"), "main.nf", 3],
  [
    "nextflow-publish-dir",
    one("", "process.publishDir = [ path: { \"${params.outdir}/${task.process}\" }, mode: 'copy' ]"),
    "nextflow.config",
    1,
  ],
  ["nextflow-output-path", { ...one(""), "main.nf": `${one("")["main.nf"]}output {\n  bams {\n    path '/abs'\n  }\n}` }, "main.nf", 10],
  ["nextflow-dsl1", { "main.nf": "process A {\ncontainer 'a:1'\ninput:\nfile x from ch\nscript:\n'true'\n}" }, "main.nf", 1],
  ["nextflow-engine-version", one("", "manifest { nextflowVersion = '!>=99.0' }"), "nextflow.config", 1],
  ["nextflow-plugin", one("", "plugins {\n  id 'nf-prov@1.0.0'\n}"), "nextflow.config", 2],
  ["nextflow-plugin-version", one("", "plugins { id 'nf-schema@2.0.0' }"), "nextflow.config", 1],
  ["nextflow-preview", { ...one(""), "main.nf": `nextflow.preview.output = true\n${one("")["main.nf"]}` }, "main.nf", 1],
  ["nextflow-network-service", one("", "wave.enabled = true"), "nextflow.config", 1],
  ["nextflow-resources-high", one("cpus 256"), "main.nf", 3],
  ["nextflow-resources-high", one("memory { 800.GB * task.attempt }"), "main.nf", 3],
  ["nextflow-resources-low", one("memory '512 MB'"), "main.nf", 3],
  ["nextflow-time-short", one("time '30 s'"), "main.nf", 3],
  ["nextflow-accelerator", one("accelerator 1, type: 'nvidia-tesla-k80'"), "main.nf", 3],
  ["nextflow-image-needs-ps", one("", "trace {\n  enabled = true\n}"), "nextflow.config", 2],
  ["nextflow-no-container", { "main.nf": `process ONE {\nconda 'a=1'${RUN}` }, "main.nf", 1],
];

describe("each rule is told at its place", () => {
  test.each(CASES)("%s", (rule, files, file, line) => {
    const { diagnostics } = readNextflow(memoryTree(files), "main.nf");
    expect(diagnostics).toContainEqual(expect.objectContaining({ rule, file, line }));
    const known = nextflowRules.find(({ id }) => id === rule);
    expect(known).toBeDefined();
  });

  test("and every rule that is listed has a case", () => {
    const provoked = new Set(CASES.map(([rule]) => rule));
    // The tree alone decides that a file is no text.
    expect(nextflowRules.map(({ id }) => id).filter((id) => !provoked.has(id))).toEqual(["nextflow-unreadable"]);
  });
});

test("a pipeline as HealthOmics wants it gets no word", () => {
  const files = {
    "main.nf": `process ONE {\ncontainer '123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1'\ncpus 2\nmemory '4 GB'\npublishDir "\${params.outdir}/one"${RUN}`,
    "nextflow.config":
      "params.outdir = '/mnt/workflow/pubdir'\nmanifest { version = '1.0.0'\nnextflowVersion = '24.10.8' }\nplugins { id 'nf-schema@2.3.0' }",
  };
  expect(readNextflow(memoryTree(files), "main.nf").diagnostics).toEqual([]);
});

test("a config include that only HealthOmics or a try takes is read there, and no error where it is not", () => {
  const files = one(
    "",
    "if (\"$AWS_WORKFLOW_RUN\") {\n includeConfig 'omics.config'\n}\ntry { includeConfig 'gone.config' } catch (Exception e) { }",
    {
      "omics.config": "process { withName: ONE { container = 'omics:1' } }",
    },
  );
  const { images, diagnostics } = readNextflow(memoryTree(files), "main.nf");
  expect(images).toMatchObject([{ image: "omics:1" }]);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
});

describe("the engine HealthOmics takes (guide, Version support)", () => {
  test.each([
    [undefined, "23.10.0"],
    ["", "23.10.0"],
    ["nonsense", "23.10.0"],
    ["24.10.8", "24.10.8"],
    ["!22.04.0", "22.04.0"],
    ["22.04", "22.04.0"],
    [">=22.10.0", "23.10.0"],
    ["!>=23.04.0", "23.10.0"],
    [">=24.04.2", "24.10.8"],
    ["!>=25.04.0", "25.10.0"],
    [">=22.0, <23.0", "22.04.0"],
    [">=99.1", "23.10.0"],
    ["!>=99.1", undefined],
  ])("%j gives %s", (spec, engine) => {
    expect(engineFor(spec, "DSL2")).toBe(engine);
  });

  test("is 22.04 for DSL1 whatever is asked", () => expect(engineFor(">=24.04.0", "DSL1")).toBe("22.04.0"));
});
