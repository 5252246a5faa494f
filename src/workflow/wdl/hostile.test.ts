import { describe, expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { readWdl } from "./read.ts";

const read = (texts: Record<string, string> | string) =>
  readWdl(memoryTree(typeof texts === "string" ? { "main.wdl": texts } : texts), "main.wdl");

const task = (docker: string, inputs = "", key = "docker") => `
task T {
  input { ${inputs} }
  command <<< >>>
  runtime { ${key}: ${docker} }
}
`;
const main = (body: string, rest: string) => `version 1.1\nworkflow W {\n${body}\n}\n${rest}`;

/** Work without bound would outlive the time that a test has. */
describe("hostile documents end within bounds", () => {
  test("a chain of 20,000 declarations", () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => `String s${i} = s${i + 1}`).join("\n");
    const reading = read(main(`${chain}\nString s20000 = "a:1"\ncall T { input: image = s0 }`, task("image", "String image")));
    expect(reading.images.length + reading.unresolved.length).toBe(1);
  });

  test("declarations that need each other", () => {
    expect(read(main('String a = b String b = a + "x" call T { input: image = a }', task("image", "String image"))).images).toEqual([]);
  });

  test("a text that doubles 60 times", () => {
    const doubling = Array.from({ length: 60 }, (_, i) => `String s${i + 1} = s${i} + s${i}`).join("\n");
    expect(read(main(`String s0 = "aaaaaaaa"\n${doubling}\ncall T { input: image = s60 }`, task("image", "String image"))).images).toEqual(
      [],
    );
  });

  test("sub-workflows that double 40 times", () => {
    const texts: Record<string, string> = {
      "w40.wdl": `version 1.0\nworkflow W40 { input { String d } call T { input: image = d } }${task("image", "String image")}`,
    };
    for (let i = 0; i < 40; i += 1) {
      const callee = `w${i + 1}.W${i + 1}`;
      texts[i === 0 ? "main.wdl" : `w${i}.wdl`] =
        `version 1.0\nimport "w${i + 1}.wdl"\nworkflow W${i} { input { String d = "a:1" } call ${callee} as A { input: d = d } call ${callee} as B { input: d = d } }`;
    }
    const reading = read(texts);
    expect(reading.images.map((each) => each.image)).toEqual(["a:1"]);
    expect(reading.diagnostics.map((each) => each.rule)).toContain("wdl-too-large");
  });

  test("scatters of scatters", () => {
    const items = `[${Array.from({ length: 30 }, (_, i) => i).join(",")}]`;
    const nested = Array.from({ length: 8 }, (_, i) => `scatter (i${i} in ${items}) {`).join(" ") + " call T " + "}".repeat(8);
    expect(read(main(nested, task('"a:1"'))).images).toMatchObject([{ image: "a:1", task: "T" }]);
  });

  test("a pattern that would take for ever", () => {
    const text = main("call T", task(`sub("${"a".repeat(400)}b", "(a+)+$", "x")`));
    expect(read(text).unresolved).toHaveLength(1);
  });

  test("60 undecided conditions", () => {
    const parts = Array.from({ length: 60 }, (_, i) => `(if b${i} then "x" else "y")`).join(" + ");
    const inputs = Array.from({ length: 60 }, (_, i) => `Boolean b${i}`).join(" ");
    const reading = read(main(`input { ${inputs} } call T { input: image = ${parts} }`, task("image", "String image")));
    expect(reading.unresolved).toMatchObject([{ task: "T", input: expect.stringMatching(/^b\d+$/) }]);
  });
});
