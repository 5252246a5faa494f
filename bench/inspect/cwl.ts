/**
 * Compares our reading of CWL with cwltool's.
 *
 *   node bench/inspect/cwl.ts --python PYTHON [--cases N] [--seed N] [--record FILE]   on generated documents
 *   node bench/inspect/cwl.ts --python PYTHON --root FOLDER                            on the documents of a folder
 *
 * PYTHON is one that has cwltool. Prints how many documents agree and the first that do not, and how much faster one
 * document is read than by a `cwltool --validate` process; exits with 1 when a document that cwltool accepts is read
 * otherwise. `--record` keeps the generated documents with cwltool's answers, for the tests.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { type CwltoolAnswer, differenceFrom } from "../../src/workflow/cwl/testing/compare.ts";
import { generateCase } from "../../src/workflow/cwl/testing/generate.ts";
import { readCwl } from "../../src/workflow/cwl/read.ts";
import { openFolder } from "../../src/workflow/folder-tree.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    cases: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    root: { type: "string" },
    record: { type: "string" },
  },
});

type Line = { readonly path: string } & (CwltoolAnswer | { readonly error: string });

function askCwltool(root: string): readonly Line[] {
  const script = join(import.meta.dirname, "cwltool_oracle.py");
  const { stdout, status, stderr } = spawnSync(values.python, [script, root], { encoding: "utf8", maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`cwltool could not be asked: ${stderr}`);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

function compare(root: string, answers: readonly Line[]): void {
  const tree = openFolder(root);
  const accepted = answers.filter((answer) => !("error" in answer));
  const differing = accepted.flatMap((answer) => {
    const difference = differenceFrom(answer as CwltoolAnswer, readCwl(tree, answer.path));
    return difference === undefined ? [] : [`${answer.path}: ${difference}`];
  });
  const strict = accepted.flatMap(({ path }) =>
    readCwl(tree, path)
      .diagnostics.filter(({ severity }) => severity === "error")
      .map(({ rule, message, file, line }) => `${path}: ${rule} ${file}:${line} ${message}`),
  );
  console.log(`${accepted.length} of ${answers.length} documents are accepted by cwltool; ${accepted.length - differing.length} agree`);
  for (const line of differing.slice(0, 25)) console.log(`differs: ${line}`);
  for (const line of strict.slice(0, 25)) console.log(`refused by us alone: ${line}`);
  if (differing.length > 0) process.exitCode = 1;
}

function generateInto(root: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const cases = Array.from({ length: Number(values.cases) }, (_, index) => generateCase(Number(values.seed) * 1_000_000 + index));
  return new Map(
    cases.map((files, index) => {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, `case-${index}`, name)), { recursive: true });
        writeFileSync(join(root, `case-${index}`, name), text);
      }
      return [`case-${index}/main.cwl`, files];
    }),
  );
}

/** One document in a fresh tree against one process of cwltool, as the reader and cwltool start from nothing. */
function time(root: string, answers: readonly Line[]): void {
  const sample = answers.filter((answer) => !("error" in answer)).slice(0, 5);
  const cwltool = join(dirname(values.python), "cwltool");
  const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
  const timed = (work: () => unknown): number => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  const theirs = median(
    sample.map(({ path }) =>
      timed(() => spawnSync(cwltool, ["--validate", "--skip-schemas", "--disable-js-validation", join(root, path)], { stdio: "ignore" })),
    ),
  );
  const ours = median(answers.map(({ path }) => timed(() => readCwl(openFolder(root), path))));
  console.log(`one document: cwltool ${theirs.toFixed(0)} ms, omx ${ours.toFixed(2)} ms, ${(theirs / ours).toFixed(0)} times faster`);
}

const made = values.root === undefined;
const root = values.root === undefined ? mkdtempSync(join(tmpdir(), "omx-cwl-")) : resolve(values.root);
try {
  const cases = made ? generateInto(root) : new Map<string, Readonly<Record<string, string>>>();
  const answers = askCwltool(root);
  compare(root, answers);
  time(root, answers);
  if (values.record !== undefined) {
    const kept = answers.flatMap(({ path, ...answer }) =>
      cases.has(path) && !("error" in answer) ? [{ files: cases.get(path), answer }] : [],
    );
    writeFileSync(values.record, `[\n${kept.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`);
  }
} finally {
  if (made) rmSync(root, { recursive: true });
}
