import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { wholeMatcher } from "./config/pattern.ts";
import { readNextflow } from "./read.ts";

const MANY = 50_000;

/** Texts made to exhaust a reader. Each must be read, whatever it says, within the time limit. */
const HOSTILE: Readonly<Record<string, string>> = {
  "round brackets": `x = ${"(".repeat(MANY)}`,
  "square brackets": `x = ${"[".repeat(MANY)}`,
  braces: "{".repeat(MANY),
  "open interpolations": `x = "${"${".repeat(MANY)}`,
  "nested strings": `x = ${'"${'.repeat(MANY)}`,
  "open strings": "x = 'abc\n".repeat(MANY),
  negations: `x = ${"!".repeat(MANY)}a`,
  sums: `x = ${"a + ".repeat(MANY)}a`,
  members: `x = a${".b".repeat(MANY)}`,
  ternaries: `x = ${"a ? b : ".repeat(MANY)}c`,
  "else branches": `if (a) { }${" else if (b) { }".repeat(MANY)}`,
  commands: "a ".repeat(MANY),
  comments: "/*".repeat(MANY),
  closures: "{ a, b ".repeat(MANY),
  functions: "def f(".repeat(MANY),
  types: "List<".repeat(MANY),
  processes: "process A {\n".repeat(MANY),
  labels: "a: ".repeat(MANY),
  "regular expressions": `process { withName: '${"(a+)+".repeat(500)}' { container = 'x' } }`,
  "doubled text": `a = 'abababab'\n${"a = a + a\n".repeat(200)}\nprocess.container = a`,
  recursion: "def f(x) { f(x) + f(x) }\nprocess.container = f(1)",
  "many choices": `process.container = "${"${params.a ? 'x' : 'y'}".repeat(200)}"`,
  "self reference": "x = { x() }\nprocess.container = x()",
  controls: Array.from({ length: 200 }, (_, at) => String.fromCharCode(at))
    .join("")
    .repeat(50),
};

describe("hostile text is read in bounded time", () => {
  test.each(Object.entries(HOSTILE))(
    "%s",
    (_, text) => {
      const main = "process ONE { container 'one:1'\nscript: 'true' }\nworkflow { ONE() }";
      const asConfig = readNextflow(memoryTree({ "main.nf": main, "nextflow.config": text }), "main.nf");
      expect(asConfig.images.map(({ task }) => task)).toContain("ONE");
      const asScript = readNextflow(memoryTree({ "main.nf": `${main}\n${text}` }), "main.nf");
      expect(asScript.languageVersion).toBe("DSL2");
    },
    10_000,
  );
});

describe("includes", () => {
  test("of scripts in a circle end", () => {
    const result = readNextflow(
      memoryTree({
        "main.nf": "include { A } from './a'\nworkflow { A() }",
        "a.nf": "include { B } from './b'\nworkflow A { B() }",
        "b.nf": "include { A } from './a'\nprocess P { container 'p:1'\nscript: 'true' }\nworkflow B { P(); A() }",
      }),
      "main.nf",
    );
    expect(result.images).toMatchObject([{ image: "p:1" }]);
  });

  test("that double at every level end", () => {
    const levels = 40;
    const files: Record<string, string> = { "main.nf": "include { W0 } from './w0'\nworkflow { W0() }" };
    for (let at = 0; at < levels; at++) {
      files[`w${at}.nf`] = `include { W${at + 1} as X; W${at + 1} as Y } from './w${at + 1}'\nworkflow W${at} { X(); Y() }`;
    }
    files[`w${levels}.nf`] = `process W${levels} { container 'p:1'\nscript: 'true' }`;
    expect(readNextflow(memoryTree(files), "main.nf").diagnostics.length).toBeLessThan(50);
  }, 240_000);

  test("out of the tree, absolute or of another scheme read nothing", () => {
    for (const target of ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "${projectDir}/../../x"]) {
      const result = readNextflow(
        memoryTree({ "main.nf": `include { A } from "${target}"\nworkflow { A() }`, "nextflow.config": `includeConfig "${target}"` }),
        "main.nf",
      );
      expect(result.diagnostics.filter(({ file }) => file === "main.nf")).toMatchObject([{ rule: "nextflow-missing-include" }]);
      expect(result.images).toEqual([]);
    }
  });
});

describe("names that objects have", () => {
  test("are names of processes, parameters and settings like others", () => {
    const result = readNextflow(
      memoryTree({
        "main.nf":
          "params.constructor = 1\nparams.__proto__ = 2\nprocess toString { container 'a:1'\nscript: 'true' }\nworkflow { toString() }",
        "nextflow.config": "process { withName: constructor { container = 'x' } }\nhasOwnProperty = 1",
      }),
      "main.nf",
    );
    expect(Object.keys(result.parameterTemplate)).toEqual(["constructor", "__proto__"]);
    expect(result.images).toMatchObject([{ task: "toString", image: "a:1" }]);
  });
});

describe("selectors are Java's patterns for whole names", () => {
  test.each([
    [".*:FOO", "A:B:FOO", true],
    [".*:FOO", "FOO", false],
    ["(.+:)?FOO", "FOO", true],
    ["FOO|BAR", "BAR", true],
    ["FOO|BAR", "BARN", false],
    ["A{2,3}", "AAA", true],
    [".*:(?!X)\\w+", "A:YY", true],
    [".*:(?!X)\\w+", "A:XY", false],
    ["[A-C]+_\\d", "ABC_1", true],
    ["[^A]x", "Bx", true],
    ["FOO.*", "FOO:B", true],
    ["(A|B)+C", "ABABC", true],
    ["a++", "aa", true],
    ["", "", true],
  ])("%s and %s", (pattern, text, matches) => {
    expect(wholeMatcher(pattern)?.(text)).toBe(matches);
  });

  test("and no pattern at all matches nothing", () => {
    for (const pattern of ["*a", "(a", "[a", "a)", "\\q"]) expect(wholeMatcher(pattern)).toBeUndefined();
  });
});
