/** Documents damaged at random: whatever comes, there is an answer. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFolder } from "../folder-tree.ts";
import { memoryTree } from "../source-tree.ts";
import { readWdl } from "./read.ts";
import { choicesOf, type Choices } from "./testing/choice.ts";

const tree = openFolder(join(import.meta.dirname, "testing/documents"));
const texts = Object.fromEntries(tree.files.map((file) => [file, tree.text(file) ?? ""]));
const PIECES = [
  "{",
  "}",
  "[",
  "]",
  "(",
  ")",
  '"',
  "'",
  "<<<",
  ">>>",
  "~{",
  "${",
  "if",
  "scatter",
  "call",
  "input",
  ":",
  "=",
  ",",
  "\\",
  "#",
  "\0",
  "é",
  "9".repeat(40),
  "-",
  "None",
  "object {",
  "version 1.1",
  "\n",
  'import "',
  "struct X {",
];

function damage(text: string, choices: Choices): string {
  let damaged = text;
  for (let count = 1 + choices.below(4); count > 0; count -= 1) {
    const at = choices.below(damaged.length + 1);
    const until = at + choices.below(choices.chance(0.2) ? 400 : 8);
    const insert = choices.chance(0.6) ? choices.pick(PIECES) : choices.chance(0.3) ? damaged.slice(at, until) : "";
    damaged = damaged.slice(0, at) + insert + damaged.slice(choices.chance(0.5) ? until : at);
  }
  return damaged;
}

test("150 damaged documents", () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const choices = choicesOf(seed);
    const file = choices.pick(Object.keys(texts));
    const damaged = memoryTree({ ...texts, [file]: damage(texts[file] ?? "", choices) });
    for (const main of Object.keys(texts).filter((name) => !name.startsWith("lib/"))) {
      const { diagnostics, images } = readWdl(damaged, main);
      for (const { line, column, file: place } of diagnostics) expect([line > 0, column > 0, place in texts]).toEqual([true, true, true]);
      for (const { image } of images) expect(image, `seed ${seed}`).toMatch(/^\S+$/);
    }
  }
});
