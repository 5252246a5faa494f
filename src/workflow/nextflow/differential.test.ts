import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openFolder } from "../folder-tree.ts";
import { memoryTree } from "../source-tree.ts";
import { containersByName } from "./testing/containers.ts";
import { generatePipeline } from "./testing/generate.ts";
import { readRecorded } from "./testing/recorded.ts";

const recorded = readRecorded();
const corpus = fileURLToPath(new URL("./testing/corpus", import.meta.url));

describe("containers equal those of nextflow inspect", () => {
  test("every pipeline of the corpus was asked", () => {
    expect(Object.keys(recorded.corpus).sort()).toEqual(readdirSync(corpus).sort());
  });

  for (const [name, answers] of Object.entries(recorded.corpus)) {
    for (const [profile, containers] of Object.entries(answers)) {
      test(`${name}${profile === "" ? "" : ` with -profile ${profile}`}`, () => {
        const ours = containersByName(openFolder(`${corpus}/${name}`), profile === "" ? undefined : profile);
        expect(ours).toMatchObject(containers);
      });
    }
  }

  for (const [seed, answers] of Object.entries(recorded.generated)) {
    test(`generated pipeline ${seed}`, () => {
      const tree = memoryTree(generatePipeline(Number(seed)));
      for (const [profile, containers] of Object.entries(answers)) {
        expect(containersByName(tree, profile === "" ? undefined : profile)).toMatchObject(containers);
      }
    });
  }
});
