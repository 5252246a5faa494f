import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseOmxYaml } from "../src/release/project/omx-yaml.ts";
import { openFolder } from "../src/workflow/folder-tree.ts";
import { inspect, toJson } from "../src/workflow/inspect.ts";
import type { Inspection } from "../src/workflow/inspection.ts";

const EXAMPLES = join(import.meta.dirname, "..", "examples");
const PYTHON = "public.ecr.aws/docker/library/python:3.12-slim-bookworm";

const read = (name: string): Inspection => inspect(openFolder(join(EXAMPLES, name)));
const imagesByTask = ({ images }: Inspection) => Object.fromEntries(images.map(({ task, image }) => [task, image]));
const typesByName = ({ parameters }: Inspection) => Object.fromEntries(parameters.map(({ name, type }) => [name, type]));
const configOf = (name: string) => parseOmxYaml(readFileSync(join(EXAMPLES, name, "omx.yaml"), "utf8"));

describe("what omx reads of the examples", () => {
  test("phage-variants is WDL 1.1 with an image to pull and one to build", () => {
    const found = read("phage-variants");
    expect(toJson(found)).toMatchObject({ engine: "WDL", languageVersion: "1.1", main: "main.wdl", name: "phage_variants" });
    expect(typesByName(found)).toEqual({
      reference_fasta: "File",
      reads: "Array[File]+",
      min_base_quality: "Int",
      min_depth: "Int",
      min_allele_fraction: "Float",
    });
    expect(found.parameterTemplate["reads"]).toEqual({
      description: "Reads of each sample: FASTQ, gzip, single-end, named after the sample (ancestor.fastq.gz)",
      optional: false,
    });
    expect(found.parameterTemplate["min_depth"]).toMatchObject({ optional: true });
    expect(imagesByTask(found)).toEqual({
      index_reference: PYTHON,
      align_reads: "phage-variants-tools:1.0",
      call_variants: "phage-variants-tools:1.0",
      merge_samples: PYTHON,
      summarize: PYTHON,
    });
    expect(configOf("phage-variants").images.build.map(({ target }) => target)).toEqual(["phage-variants-tools:1.0"]);
  });

  test("reads-qc-nf is Nextflow with the parameters of its schema", () => {
    const found = read("reads-qc-nf");
    expect(toJson(found)).toMatchObject({
      engine: "NEXTFLOW",
      languageVersion: "DSL2",
      main: "main.nf",
      name: "reads-qc-nf",
      version: "1.0.0",
    });
    expect(typesByName(found)).toEqual({
      reads: "array",
      outdir: "string",
      adapter: "string",
      min_quality: "integer",
      min_length: "integer",
    });
    expect(
      Object.entries(found.parameterTemplate)
        .filter(([, { optional }]) => !optional)
        .map(([name]) => name),
    ).toEqual(["reads"]);
    expect(new Set(Object.values(imagesByTask(found)))).toEqual(new Set([PYTHON]));
    expect(Object.keys(imagesByTask(found)).sort()).toEqual(["READ_STATISTICS", "REPORT", "TRIM_READS"]);
  });

  test("gc-content-cwl is CWL v1.2 of two tools", () => {
    const found = read("gc-content-cwl");
    expect(toJson(found)).toMatchObject({ engine: "CWL", languageVersion: "v1.2", main: "main.cwl" });
    expect(typesByName(found)).toEqual({ genomes: "File[]", window: "int" });
    expect(found.parameterTemplate).toEqual({
      genomes: { description: "Genomes as FASTA, each with one sequence or more", optional: false },
      window: { description: "Bases of a window; windows do not overlap", optional: true },
    });
    expect(imagesByTask(found)).toEqual({ count: PYTHON, summarize: PYTHON });
  });
});

describe.each(["phage-variants", "reads-qc-nf", "gc-content-cwl"])("%s", (name) => {
  test("has nothing that a person should have to correct", () => {
    expect(read(name).diagnostics.filter(({ severity }) => severity !== "info")).toEqual([]);
  });

  test("describes every parameter and every file that its tests need", () => {
    const { parameterTemplate, unresolved } = read(name);
    expect(Object.entries(parameterTemplate).filter(([, { description }]) => !description)).toEqual([]);
    expect(unresolved).toEqual([]);
    const { tests } = configOf(name);
    expect(tests.length).toBeGreaterThan(0);
    for (const { data, parameters, expect: matchers } of tests) {
      expect([...Object.keys(data), ...Object.keys(parameters)].filter((parameter) => !(parameter in parameterTemplate))).toEqual([]);
      const files = [...Object.values(data).flat(), ...matchers.flatMap(({ sameLinesAs }) => sameLinesAs ?? [])];
      expect(files.filter((file) => !existsSync(join(EXAMPLES, name, file)))).toEqual([]);
    }
  });
});

test.each(["phage-variants", "reads-qc-nf"])("the reads of %s are what its script makes", (name) => {
  expect(() => execFileSync("python3", [join(EXAMPLES, name, "data", "make_reads.py"), "--check"], { encoding: "utf8" })).not.toThrow();
});
