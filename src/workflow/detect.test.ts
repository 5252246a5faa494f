import { describe, expect, test } from "vitest";

import { detect } from "./detect.ts";
import { memoryTree } from "./source-tree.ts";

const tree = (...files: readonly string[]) => memoryTree(Object.fromEntries(files.map((file) => [file, ""])));

describe("the level nearest to the root decides (guide, workflow-defn-packaging)", () => {
  test.each([
    [["odd-name.wdl", "tasks/a.wdl", "tasks/main.wdl"], "WDL", "odd-name.wdl"],
    [["main.wdl", "other.wdl"], "WDL", "main.wdl"],
    [["repo/main.nf", "repo/lib.nf", "repo/modules/x/main.nf"], "NEXTFLOW", "repo/main.nf"],
    [["a/b/one.cwl", "README.md", "a/notes.txt"], "CWL", "a/b/one.cwl"],
    [[".hidden.wdl", ".github/main.wdl", "wf/deep/x.wdl"], "WDL", "wf/deep/x.wdl"],
    [["__MACOSX/._main.wdl", "main.wdl"], "WDL", "main.wdl"],
  ])("%j → %s %s", (files, engine, main) => {
    expect(detect(tree(...files))).toEqual({ engine, main });
  });
});

test.each([
  [["a.wdl", "b.wdl"], {}, /none of 2 files is called main.wdl \(a.wdl, b.wdl\).*`main`/],
  [["x/main.wdl", "y/main.wdl"], {}, /2 files are called main.wdl.*`main`/],
  [["main.wdl", "deep/main.nf"], {}, /several engines \(WDL, NEXTFLOW\).*`engine`/],
  [["main.wdl", "deep/main.nf"], { main: "main.wdl" }, /several engines/],
  [["README.md", ".x.wdl"], {}, /no workflow/],
  [["main.nf"], { engine: "CWL" as const }, /no CWL workflow/],
  [["wf/main.wdl"], { main: "main.wdl" }, /no file "main.wdl"; did you mean wf\/main.wdl/],
  [["main.wdl"], { main: "/main.wdl" }, /relative to the root/],
  [["main.wdl"], { main: "../main.wdl" }, /without leaving it/],
])("%j with %j says what to do", (files, asked, message) => {
  expect(detect(tree(...files), asked)).toMatchObject({
    rule: "main-file",
    severity: "error",
    line: 1,
    message: expect.stringMatching(message),
  });
});

test("what is asked for is taken, relative to the root", () => {
  const both = tree("main.wdl", "deep/main.nf", "deep/pack.cwl");
  expect(detect(both, { engine: "NEXTFLOW" })).toEqual({ engine: "NEXTFLOW", main: "deep/main.nf" });
  expect(detect(both, { engine: "CWL", main: "./deep/pack.cwl#align" })).toEqual({ engine: "CWL", main: "deep/pack.cwl#align" });
  expect(detect(tree("a.wdl", "b.wdl"), { main: "b.wdl" })).toEqual({ engine: "WDL", main: "b.wdl" });
});
