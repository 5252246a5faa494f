import { expect, test } from "vitest";
import { memoryTree } from "../source-tree.ts";
import { nextflowProfileTemplates, readNextflow } from "./read.ts";

const withContainer = (directive: string) => `process ONE { container ${directive}\nscript: 'x' }\nworkflow { ONE() }\n`;
const times = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at)).join("\n");

/** Each would take the memory, the stack or the time of whoever built its values without a bound. */
const HOSTILE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "parameters that hold themselves": {
    "main.nf": withContainer('"x:${params.a.b}"'),
    "nextflow.config": "params.b = 1\nparams.a = params\nprofiles { x { params.b = 2 } }",
  },
  "a map that holds itself": { "main.nf": `def m = [a: 1]\nm.x = m\nparams.m = m\n${withContainer('"${m}:${m == m}"')}` },
  "a list that doubles": { "main.nf": `def a = ['x']\n${"a = [a, a]\n".repeat(60)}${withContainer('"${a}"')}` },
  "a sum that doubles": { "main.nf": `def a = ['x']\n${"a = a + a\n".repeat(60)}${withContainer("\"${a.join('')}\"")}` },
  "a map that doubles": { "main.nf": `def a = [x: 1]\n${"a = [l: a, r: a]\n".repeat(60)}params.m = a\n${withContainer('"${params.m}"')}` },
  "loops inside loops": {
    "main.nf": withContainer('"${(1..9999).collect { a -> (1..9999).collect { b -> (1..9999).collect { a } } }.size()}"'),
  },
  "conditions one after another": {
    "main.nf": withContainer(`{ def r = ''\n${"if (params.a) { r = r + 'a' } else { r = r + 'b' }\n".repeat(60)}r }`),
  },
  "switches one after another": {
    "main.nf": withContainer(`{ def r = ''\n${"switch (params.a) { case 1: r = r + 'a'; break; default: r = r + 'c' }\n".repeat(60)}r }`),
  },
  "scripts that include each other with other parameters": {
    "main.nf": "params.n = 1\ninclude { ONE } from './a' addParams(n: params.n + 1)\nworkflow { ONE() }",
    "a.nf": "include { ONE as X } from './b' addParams(n: params.n + 1)\nprocess ONE { container 'a' }",
    "b.nf": "include { ONE as X } from './a' addParams(n: params.n + 1)\nprocess ONE { container 'a' }",
  },
  "a switch that begins without a case": { "main.nf": `def f(x) { switch (x) { foo; case 1: return 2 } }\n${withContainer("'own/a:1'")}` },
  "a closure that gives itself": { "main.nf": `def f = { f }\nc = { c }\n${withContainer("c")}` },
  "thousands of profiles": {
    "main.nf": withContainer('"x:${params.a}"'),
    "nextflow.config": `params.a = 1\nprofiles {\n${times(1000, (at) => `p${at} { params.a = ${at} }`)}\n}`,
  },
};

test.each(Object.keys(HOSTILE))(
  "%s are read to an end",
  (name) => {
    const tree = memoryTree(HOSTILE[name]!);
    const { images, unresolved } = readNextflow(tree, "main.nf");
    expect(images.length + unresolved.length).toBeGreaterThan(0);
    expect(() => nextflowProfileTemplates(tree, "main.nf")).not.toThrow();
  },
  60_000,
);

test("workflows that call themselves and each other are followed once", () => {
  const main = "process P { container 'own/p:1'\nscript: 'x' }\nworkflow A { A(); B(); P() }\nworkflow B { A(); B() }\nworkflow { A() }";
  expect(readNextflow(memoryTree({ "main.nf": main }), "main.nf").images).toMatchObject([{ task: "P", image: "own/p:1" }]);
});

test("loops of a configuration that include over and over end", () => {
  const loop = (body: string) => `(1..9999).each { ${body} }`;
  const files = {
    "main.nf": "workflow { }",
    "nextflow.config": loop("includeConfig 'a.config'"),
    "a.config": loop(loop("params.a = [1]")),
  };
  expect(readNextflow(memoryTree(files), "main.nf").images).toEqual([]);
});
