import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { readWdl } from "./read.ts";

const reading = (text: string, more: Record<string, string> = {}) => readWdl(memoryTree({ "main.wdl": text, ...more }), "main.wdl");

describe("parameter template (user guide, parameter-templates: the table of required and optional)", () => {
  test.each([
    ["Int x", true],
    ["Int x = 2", false],
    ["Int x = 1+2", false],
    ["Int? x", false],
    ["Int? x = 3", false],
    ["Array[Int] x", true],
    ["Array[Int]+ x", true],
    ["Array[Int?] x", true],
    ["Array[Int]? x", false],
    ["Sample x", true],
    ["Sample? x", false],
  ])("%s is required: %s", (declaration, required) => {
    const text = `version 1.0\nstruct Sample { String id }\nworkflow W { input { ${declaration} } }`;
    expect(reading(text).parameterTemplate).toEqual({ x: { description: "", optional: !required } });
  });

  test("descriptions come from parameter_meta, as text or as an object", () => {
    const text = `version 1.0
workflow W {
  input { File a Int b = 1 String c }
  parameter_meta { a: "the reads" b: { description: "how many" } }
}`;
    expect(reading(text).parameterTemplate).toEqual({
      a: { description: "the reads", optional: false },
      b: { description: "how many", optional: true },
      c: { description: "", optional: false },
    });
  });

  test("only the main workflow's own inputs, not those of its calls", () => {
    const text = `version 1.1
import "t.wdl" as t
workflow W { input { File a } call t.T { input: x = a } }`;
    const task = "version 1.1\ntask T { input { File x Int threads = 4 } command {} }";
    expect(Object.keys(reading(text, { "t.wdl": task }).parameterTemplate)).toEqual(["a"]);
  });

  test("a document of one task has the task's inputs; of several tasks none", () => {
    const task = (name: string) => `task ${name} { input { File ${name}_in } command <<< cat ~{${name}_in} >>> }\n`;
    expect(Object.keys(reading(`version 1.0\n${task("a")}`).parameterTemplate)).toEqual(["a_in"]);
    expect(reading(`version 1.0\n${task("a")}${task("b")}`).parameterTemplate).toEqual({});
  });

  test("draft-2: the declarations in the body are inputs", () => {
    const text =
      "workflow W { File a Int n = 3 call T { input: x = a } output { T.out T.* } }\ntask T { File x command { ls ${x} } output { File out = stdout() } }";
    const { parameterTemplate, languageVersion, diagnostics } = reading(text);
    expect(parameterTemplate).toEqual({ a: { description: "", optional: false }, n: { description: "", optional: true } });
    expect(languageVersion).toBe("draft-2");
    expect(diagnostics.filter((each) => each.severity === "error")).toEqual([]);
  });
});

describe("typed parameters", () => {
  const text = `version 1.0
import "structs.wdl" as s alias Sample as S2
struct Sample { String id Array[File]+? reads }
workflow W {
  meta { version: '1.4.0' }
  input {
    Array[File]+? reads
    Map[ String , Pair[Int,Float?] ] m = {"a": (1, 2.5)}
    Sample sample
    S2? other
    String label = "run-~{n}"
    Int n = 3
  }
}`;
  const parameters = () => reading(text, { "structs.wdl": "version 1.0\nstruct Sample { Int size }" }).parameters;

  test("types are written as miniwdl prints them, with place and default", () => {
    expect(parameters().map(({ name, type, optional, line, ...rest }) => [name, type, optional, line, rest.default])).toEqual([
      ["reads", "Array[File]+?", true, 7, undefined],
      ["m", "Map[String,Pair[Int,Float?]]", true, 8, { a: { left: 1, right: 2.5 } }],
      ["sample", "Sample", false, 9, undefined],
      ["other", "S2?", true, 10, undefined],
      ["label", "String", true, 11, '"run-~{n}"'],
      ["n", "Int", true, 12, 3],
    ]);
  });

  test("struct members, also of an imported and renamed struct; files are marked", () => {
    const [reads, , sample, other, label] = parameters();
    expect(sample?.members).toEqual([
      { name: "id", type: "String", optional: false },
      { name: "reads", type: "Array[File]+?", optional: true, isFile: true },
    ]);
    expect(other?.members).toEqual([{ name: "size", type: "Int", optional: false }]);
    expect([reads?.isFile, sample?.isFile, label?.isFile]).toEqual([true, true, undefined]);
  });

  test("the version that the workflow gives itself", () => {
    expect(reading(text).version).toBe("1.4.0");
  });
});

describe("what cannot be read", () => {
  test("one diagnostic at its place, and the rest is there", () => {
    const { diagnostics, parameters } = reading("version 1.0\nworkflow W {\n  input {\n    File a\n    Int ) b\n    String c\n  }\n}\n");
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({ rule: "wdl-syntax", severity: "error", file: "main.wdl", line: 5, column: 9 });
    expect(parameters.map((parameter) => parameter.name)).toEqual(["a", "c"]);
  });

  test("a broken task does not hide the workflow after it", () => {
    const { parameters, diagnostics } = reading("version 1.0\ntask T { input { File } command { } }\nworkflow W { input { File a } }\n");
    expect(parameters.map((parameter) => parameter.name)).toEqual(["a"]);
    expect(diagnostics).toHaveLength(1);
  });

  test.each([
    ["missing file", 'import "no.wdl" as n', "wdl-missing-import"],
    ["URL", 'import "https://example.org/x.wdl" as n', "wdl-remote-import"],
    ["absolute path", 'import "/x.wdl" as n', "wdl-absolute-import"],
    ["path that leaves the folder", 'import "../../x.wdl" as n', "wdl-missing-import"],
    ["the file itself", 'import "main.wdl" as n', "wdl-import-cycle"],
  ])("import of a %s", (_, line, rule) => {
    const { diagnostics } = reading(`version 1.0\n${line}\nworkflow W { input { File a } }\n`);
    expect(diagnostics[0]).toMatchObject({ rule, severity: "error", line: 2, column: 1 });
  });

  test.each([
    ["deep parentheses", `workflow W { input { Int a = ${"(".repeat(100_000)}1${")".repeat(100_000)} } }`],
    ["a deep type", `workflow W { input { ${"Array[".repeat(100_000)}Int${"]".repeat(100_000)} a } }`],
    ["a long sum", `workflow W { input { Int a = ${"1+".repeat(100_000)}1 } }`],
    ["nested sections", `workflow W { ${"if (true) {".repeat(100_000)} }`],
    ["nested interpolations", `workflow W { String s = ${'"~{'.repeat(100_000)} }`],
    ["nested meta", `workflow W { meta { a: ${"[".repeat(100_000)} } }`],
    ["only quotes", `workflow W { String s = ${"'".repeat(100_001)} }`],
    ["an open comment", `workflow W { ${"#".repeat(1_000_000)}`],
    ["a megabyte of blank lines", `${"\n".repeat(1_000_000)} workflow W {`],
  ])("%s ends in a diagnostic", (_, text) => {
    const { diagnostics } = reading(`version 1.1\n${text}`);
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThan(5);
  });

  test("a file of 50 MB is refused unread", () => {
    const tree = {
      ...memoryTree({}),
      has: () => true,
      size: () => 50_000_000,
      text: () => {
        throw new Error("read");
      },
    };
    expect(readWdl(tree, "main.wdl").diagnostics[0]?.message).toMatch(/50000000 bytes/);
  });

  test("a struct that holds itself", () => {
    const { diagnostics, parameters } = reading("version 1.0\nstruct A { B b }\nstruct B { A a }\nworkflow W { input { A a } }");
    expect(diagnostics.map((each) => each.rule)).toContain("wdl-struct");
    expect(parameters[0]?.type).toBe("A");
  });
});

test("what a version does not have yet is a finding, and is read all the same", () => {
  const read = (version: string, call: string) => {
    const text = `version ${version}\nworkflow W { input { Int a } call t { ${call} } }\ntask t { input { Int a } command <<< >>> runtime { "container": "x/y:1" } }\n`;
    const { diagnostics, images } = readWdl(memoryTree({ "main.wdl": text }), "main.wdl");
    expect(images).toMatchObject([{ image: "x/y:1", task: "t" }]);
    return diagnostics.filter(({ rule, line }) => rule === "wdl-syntax" && line === 2).length;
  };
  expect([read("1.0", "input: a"), read("1.1", "input: a"), read("1.0", "input: a = 1")]).toEqual([1, 0, 0]);
  expect([read("1.0", "a = 1"), read("1.1", "a = 1"), read("1.1", "a"), read("1.2", "a")]).toEqual([1, 1, 1, 0]);
});
