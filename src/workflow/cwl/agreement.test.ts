import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { memoryTree } from "../source-tree.ts";
import { readCwl } from "./read.ts";
import { type CwltoolAnswer, differenceFrom } from "./testing/compare.ts";
import { generateCase } from "./testing/generate.ts";

interface Recorded {
  readonly files: Readonly<Record<string, string>>;
  readonly answer: CwltoolAnswer;
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "testing/golden.json"), "utf8")) as readonly Recorded[];

test("generated documents are read as cwltool read them (bench/inspect/cwl.ts --record)", () => {
  expect(recorded.length).toBeGreaterThan(50);
  for (const { files, answer } of recorded) {
    const reading = readCwl(memoryTree(files), "main.cwl");
    expect(differenceFrom(answer, reading)).toBeUndefined();
    expect(reading.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  }
});

test("generated documents, whole and cut off anywhere, are read without an exception, and every place is in a file", () => {
  for (let seed = 0; seed < 300; seed++) {
    const files: Readonly<Record<string, string>> = generateCase(seed);
    const main = files["main.cwl"] ?? "";
    const cut: Readonly<Record<string, string>> = {
      ...files,
      "main.cwl": main.slice(0, Math.floor(main.length * ((seed % 10) / 10))),
    };
    for (const each of [files, cut]) {
      const { diagnostics, parameters, images, unresolved } = readCwl(memoryTree(each), "main.cwl");
      for (const { file, line } of [...diagnostics, ...parameters, ...images, ...unresolved]) {
        expect(each[file]).toBeDefined();
        expect(line).toBeLessThanOrEqual((each[file] ?? "").split("\n").length);
      }
    }
  }
});
