/**
 * Compares our reading of WDL with miniwdl's.
 *
 *   node bench/inspect/wdl.ts --python PYTHON [--cases N] [--seed N]    on generated documents
 *   node bench/inspect/wdl.ts --python PYTHON --root FOLDER             on the documents of a folder
 *   node bench/inspect/wdl.ts --python PYTHON --record FILE             writes the answers that the unit tests compare with
 *
 * PYTHON is one that has miniwdl. Prints how many documents agree and the first that do not;
 * exits with 1 when a document that miniwdl accepts is read otherwise.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openFolder } from "../../src/workflow/folder-tree.ts";
import type { Reading } from "../../src/workflow/inspection.ts";
import { readWdl } from "../../src/workflow/wdl/read.ts";
import { type GeneratedCase, generateCase } from "../../src/workflow/wdl/testing/generate.ts";
import { generateImageCase } from "../../src/workflow/wdl/testing/generate-images.ts";

interface Answer {
  readonly path: string;
  readonly error?: string;
  readonly name?: string;
  readonly images?: readonly (readonly [task: string, image: string])[];
  readonly unresolved?: readonly string[];
  readonly inputs?: readonly { readonly name: string; readonly type: string; readonly optional: boolean }[];
}

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    cases: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    root: { type: "string" },
    record: { type: "string" },
    keep: { type: "boolean", default: false },
  },
});

function caseFiles(index: number): GeneratedCase {
  const generate = index % 2 === 0 ? generateCase : generateImageCase;
  return generate(Number(values.seed) * 1_000_000 + index);
}

function generateInto(root: string): void {
  for (let index = 0; index < Number(values.cases); index += 1) {
    for (const [name, text] of Object.entries(caseFiles(index))) {
      const path = join(root, `case-${index}`, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }
}

function askMiniwdl(root: string): Answer[] {
  const script = join(import.meta.dirname, "miniwdl_oracle.py");
  const { stdout, status, stderr } = spawnSync(values.python, [script, root], { encoding: "utf8", maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`miniwdl could not be asked: ${stderr}`);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line): Answer => JSON.parse(line));
}

const inputsOf = (reading: Reading): string =>
  JSON.stringify(reading.parameters.map(({ name, type, optional }) => ({ name, type, optional })));

/**
 * Images that miniwdl's evaluator gives and we do not, and the reverse. Where it cannot tell all of a task's images
 * (an array with one unknown item is unknown to it), ours may be more; a task must then at least be told of.
 */
function imageDifferences(answer: Answer, reading: Reading): { missing: string[]; extra: string[]; hidden: string[] } {
  const undecided = new Set(answer.unresolved);
  // The generator's random texts: with blanks they are no images.
  const given = (answer.images ?? []).filter(([, image]) => /^[^\s*]+$/.test(image));
  const theirs = new Set(given.map((pair) => pair.join(" ")));
  const ours = new Set(reading.images.map((use) => `${use.task} ${use.image}`));
  const certain = reading.images.filter((use) => use.condition === undefined && !undecided.has(use.task));
  const told = new Set([...reading.unresolved, ...reading.images].map((each) => each.task));
  return {
    missing: [...theirs].filter((each) => !ours.has(each)),
    extra: certain.map((use) => `${use.task} ${use.image}`).filter((each) => !theirs.has(each)),
    hidden: [...undecided].filter((task) => !told.has(task)),
  };
}

/** How long one process of `miniwdl check` takes for a document, and we for one in a fresh tree: medians in milliseconds. */
function timeOneDocument(root: string, accepted: readonly Answer[]): { miniwdlCheck: number; omx: number } {
  const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
  const timed = (work: () => unknown): number => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const miniwdl = join(dirname(values.python), "miniwdl");
  const check = (path: string) => spawnSync(miniwdl, ["check", join(root, path)], { stdio: "ignore" });
  const step = Math.max(1, Math.floor(accepted.length / TIMED));
  const sample = accepted.filter((_, index) => index % step === 0).slice(0, TIMED);
  const ours = accepted.map(({ path }) => timed(() => readWdl(openFolder(root), path)));
  return { miniwdlCheck: Math.round(median(sample.map(({ path }) => timed(() => check(path))))), omx: Number(median(ours).toFixed(2)) };
}
const TIMED = 7;

function compare(root: string): void {
  const answers = askMiniwdl(root);
  const tree = openFolder(root);
  const started = performance.now();
  const readings = answers.map((answer) => ({ answer, reading: readWdl(tree, answer.path) }));
  const milliseconds = performance.now() - started;
  const accepted = readings.filter(({ answer }) => answer.error === undefined);
  const differing = accepted.filter(({ answer, reading }) => JSON.stringify(answer.inputs) !== inputsOf(reading));
  const errorOf = (reading: Reading) => reading.diagnostics.find((each) => each.severity === "error");
  const tooStrict = accepted.filter(({ reading }) => errorOf(reading));
  const tooLenient = readings.filter(({ answer, reading }) => answer.error !== undefined && !errorOf(reading));
  const images = accepted
    .filter(({ answer }) => answer.images)
    .map(({ answer, reading }) => ({ answer, ...imageDifferences(answer, reading) }));
  for (const { answer, ...lists } of images.filter((each) => each.missing.length + each.extra.length + each.hidden.length > 0).slice(0, 8))
    console.log(`IMAGES ${answer.path} ${JSON.stringify(lists)}`);
  const count = (pick: (each: (typeof images)[number]) => readonly unknown[]): number =>
    images.reduce((sum, each) => sum + pick(each).length, 0);
  for (const { answer, reading } of differing.slice(0, 5))
    console.log(`DIFFERS ${answer.path}\n  miniwdl ${JSON.stringify(answer.inputs)}\n  ours    ${inputsOf(reading)}`);
  for (const { answer, reading } of tooStrict.slice(0, 10)) console.log(`REFUSED BY US ${answer.path} ${JSON.stringify(errorOf(reading))}`);
  for (const { answer } of tooLenient.slice(0, 25)) console.log(`REFUSED BY MINIWDL ${answer.path} ${answer.error ?? ""}`);
  console.log(
    JSON.stringify({
      documents: answers.length,
      acceptedByMiniwdl: accepted.length,
      sameParameters: accepted.length - differing.length,
      refusedByUsOnly: tooStrict.length,
      refusedByMiniwdlOnly: tooLenient.length,
      imagesByMiniwdl: count(({ answer }) => answer.images ?? []),
      imagesMissing: count(({ missing }) => missing),
      imagesExtra: count(({ extra }) => extra),
      unresolvedMissing: count(({ hidden }) => hidden),
      milliseconds: Math.round(milliseconds),
      oneDocument: timeOneDocument(
        root,
        accepted.map(({ answer }) => answer),
      ),
    }),
  );
  process.exitCode = differing.length > 0 ? 1 : 0;
}

/** Generated cases and miniwdl's answers on their main files, for tests on machines without Python. */
function record(file: string): void {
  const root = mkdtempSync(join(tmpdir(), "omx-wdl-"));
  generateInto(root);
  const answers = new Map(askMiniwdl(root).map((answer) => [answer.path, answer]));
  const cases = Array.from({ length: Number(values.cases) }, (_, index) => {
    const { path: _path, ...answer } = answers.get(`case-${index}/main.wdl`) ?? { path: "" };
    return { files: caseFiles(index), answer };
  });
  writeFileSync(file, `${JSON.stringify(cases, undefined, 1)}\n`);
  rmSync(root, { recursive: true });
}

if (values.record !== undefined) record(values.record);
else if (values.root !== undefined) compare(resolve(values.root));
else {
  const root = mkdtempSync(join(tmpdir(), "omx-wdl-"));
  generateInto(root);
  compare(root);
  if (values.keep) console.log(root);
  else rmSync(root, { recursive: true });
}
