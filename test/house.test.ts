import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const LONGEST = 200;
/** What a program says is as long as it has to be; so is a pattern. */
const TEXTS = /`[^`]*`/g;
const SAID = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
const COMMENT_OR_PATTERN = /^\s*(?:\*|\/)/;

test("no line of code has over 200 characters, without what its strings say", () => {
  const sources = globSync(["src/**/*.ts", "bench/**/*.ts", "scripts/**/*.ts"], { cwd: ROOT, exclude: ["src/model/generated/**", "**/*.test.ts", "**/testing/**"] });
  expect(sources.length).toBeGreaterThan(500);
  const tooLong = sources.flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .replaceAll(TEXTS, (text) => text.replaceAll(/[^\n]+/g, ""))
      .split("\n")
      .flatMap((line, index) => (!COMMENT_OR_PATTERN.test(line) && line.replaceAll(SAID, '""').length > LONGEST ? [`${file}:${index + 1}`] : [])),
  );
  expect(tooLong).toEqual([]);
});
