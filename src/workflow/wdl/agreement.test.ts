/** Agreement with miniwdl 1.16.0: its answers are recorded by `bench/inspect/wdl.ts --record`, so no Python is needed here. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFolder } from "../folder-tree.ts";
import type { Reading } from "../inspection.ts";
import { memoryTree } from "../source-tree.ts";
import { readWdl } from "./read.ts";

interface Recorded {
  readonly files: Readonly<Record<string, string>>;
  readonly answer: {
    readonly error?: string;
    readonly inputs?: readonly { readonly name: string; readonly type: string; readonly optional: boolean }[];
    readonly images?: readonly (readonly [string, string])[];
    readonly unresolved?: readonly string[];
  };
}

const testing = join(import.meta.dirname, "testing");
const recorded: readonly Recorded[] = JSON.parse(readFileSync(join(testing, "recorded.json"), "utf8"));
const read = (index: number): Reading => readWdl(memoryTree(recorded[index]!.files), "main.wdl");
const cases = recorded.map(({ answer }, index) => [index, answer] as const);
const accepted = cases.filter(([, answer]) => answer.error === undefined);

test("the recording holds enough of both kinds", () => {
  expect(accepted.length).toBeGreaterThan(50);
  expect(cases.length - accepted.length).toBeGreaterThan(5);
});

test.each(accepted)("case %i: names, types and optional flags of the inputs", (index, answer) => {
  expect(read(index).parameters.map(({ name, type, optional }) => ({ name, type, optional }))).toEqual(answer.inputs);
});

test.each(accepted)("case %i: miniwdl accepts it, and we report no error", (index) => {
  expect(read(index).diagnostics.filter((each) => each.severity === "error")).toEqual([]);
});

test.each(cases.filter(([, answer]) => answer.error !== undefined))("case %i: miniwdl refuses it, and we report an error", (index) => {
  expect(read(index).diagnostics.map((each) => each.severity)).toContain("error");
});

test.each(accepted)("case %i: every image that miniwdl's evaluator finds", (index, answer) => {
  const found = read(index).images.map(({ task, image }) => `${task} ${image}`);
  const wanted = (answer.images ?? []).filter(([, image]) => /^[^\s*]+$/.test(image)).map((pair) => pair.join(" "));
  expect(found).toEqual(expect.arrayContaining(wanted));
});

describe("documents written as production collections write them", () => {
  const tree = openFolder(join(testing, "documents"));

  test.each(tree.files.filter((file) => file.endsWith(".wdl")))("%s: miniwdl accepts it, and so do we", (file) => {
    expect(readWdl(tree, file).diagnostics.filter((each) => each.severity === "error")).toEqual([]);
  });

  test("all types of an oddly spelled document, as miniwdl prints them", () => {
    expect(
      readWdl(tree, "odd-spelling.wdl").parameters.map(({ type, name, optional }) => `${type} ${name}${optional ? "" : " !"}`),
    ).toEqual([
      "Holder h !",
      "Array[Int]? a",
      "Float f",
      "Float g",
      "Int i",
      "String s",
      "Boolean b",
      "Directory? d",
      "String multi",
      "String m",
      "Object_ o",
      "String t",
      "Int pow",
      "Envs e !",
    ]);
  });

  test("images and what decides them", () => {
    const lines = (file: string) =>
      readWdl(tree, file).images.map(({ image, task, how, input, condition }) => [task, image, how, input, condition].join(" | "));
    expect(lines("runtime-attributes.wdl")).toEqual(["MergeCounts | marketplace.gcr.io/google/ubuntu1804 | default | linux_docker | "]);
    expect(readWdl(tree, "runtime-attributes.wdl").unresolved.map((each) => each.input)).toEqual(["sv_base_mini_docker"]);
    const digest = "353b4ffdae4281bdd5daf5a73ea3bb26ea742ef2c36e9980cb1f1ed524a07482";
    expect(lines("registry-config.wdl")).toEqual([
      `phase | quay.io/pacbio/hiphase@sha256:${digest} | ternary | backend | backend == "GCP"`,
      `phase | omics/pacbio/hiphase@sha256:${digest} | ternary | backend | !(backend == "GCP") && backend == "AWS-HealthOmics"`,
    ]);
    expect(readWdl(tree, "registry-config.wdl").unresolved.map((each) => each.input)).toEqual(["custom_image"]);
  });
});
