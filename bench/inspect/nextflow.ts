/**
 * Compares the containers that omx reads from Nextflow pipelines with those that a real Nextflow gives.
 *
 *   node bench/inspect/nextflow.ts --nextflow COMMAND [--seeds FROM-TO] [--record]
 *
 * COMMAND runs Nextflow 24.10.0 (src/workflow/nextflow/README.md says how to have one). `--record` writes the answers
 * beside the unit tests, which need no Java then.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openFolder } from "../../src/workflow/folder-tree.ts";
import { containersByName } from "../../src/workflow/nextflow/testing/containers.ts";
import { generatePipeline } from "../../src/workflow/nextflow/testing/generate.ts";
import { ORACLE_FILE, PROFILES, readRecorded, type Answers, type Recorded } from "../../src/workflow/nextflow/testing/recorded.ts";

const { values: options } = parseArgs({
  options: { nextflow: { type: "string" }, seeds: { type: "string", default: "1-10" }, record: { type: "boolean", default: false } },
});
const { nextflow } = options;
if (nextflow === undefined) {
  process.stderr.write("Usage: node bench/inspect/nextflow.ts --nextflow COMMAND [--seeds FROM-TO] [--record]\n");
  process.exit(2);
}

const corpus = fileURLToPath(new URL("../../src/workflow/nextflow/testing/corpus", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "omx-inspect-"));
const totals = { same: 0, different: 0, unasked: 0 };

const answers: Record<string, Answers> = {};
for (const name of readdirSync(corpus)) {
  const folder = join(work, name);
  cpSync(join(corpus, name), folder, { recursive: true });
  answers[name] = compare(name, folder, ["", ...(PROFILES[name] ?? [])]);
}
const generated: Record<string, Answers> = {};
const [from = 1, to = from] = options.seeds.split("-").map(Number);
for (let seed = from; seed <= to; seed++) {
  const folder = join(work, `seed-${seed}`);
  for (const [path, text] of Object.entries(generatePipeline(seed))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  generated[seed] = compare(`seed ${seed}`, folder, seed % 4 === 0 ? ["", "other"] : [""]);
}
if (options.record) {
  const recorded: Recorded = { nextflow: "24.10.0", corpus: answers, generated: { ...previous(), ...generated } };
  writeFileSync(ORACLE_FILE, `${JSON.stringify(recorded, null, 1)}\n`);
}
rmSync(work, { recursive: true });
process.stdout.write(`${JSON.stringify(totals)}\n`);
process.exitCode = totals.different === 0 ? 0 : 1;

function previous(): Recorded["generated"] {
  try {
    return readRecorded().generated;
  } catch {
    return {};
  }
}

function compare(name: string, folder: string, profiles: readonly string[]): Answers {
  const all: Record<string, Readonly<Record<string, string | null>>> = {};
  for (const profile of profiles) {
    const theirs = inspect(folder, profile);
    if (theirs === undefined) {
      totals.unasked++;
      continue;
    }
    all[profile] = theirs;
    const ours = containersByName(openFolder(folder), profile === "" ? undefined : profile);
    for (const [process_, container] of Object.entries(theirs)) {
      const isSame = (ours[process_] ?? null) === container;
      totals[isSame ? "same" : "different"]++;
      if (!isSame) process.stdout.write(`${name} ${profile} ${process_}: Nextflow ${container}, omx ${ours[process_]}\n`);
    }
    for (const extra of Object.keys(ours)) {
      if (!(extra in theirs)) process.stdout.write(`${name} ${profile} ${extra}: only omx, ${ours[extra]}\n`);
    }
  }
  return all;
}

function inspect(folder: string, profile: string): Readonly<Record<string, string | null>> | undefined {
  const args = [
    "-log",
    join(folder, ".nextflow.log"),
    "inspect",
    "main.nf",
    "-format",
    "json",
    ...(profile === "" ? [] : ["-profile", profile]),
  ];
  try {
    const output = execFileSync(nextflow!, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    // Pipelines print as well, before and after the answer.
    const answer = output.slice(output.indexOf('{\n    "processes"'), output.lastIndexOf("}") + 1);
    const { processes } = JSON.parse(answer) as { processes: { name: string; container?: string }[] };
    return Object.fromEntries(processes.map((each) => [each.name, each.container ?? null] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
  } catch (error) {
    const text = error instanceof Error && "stdout" in error ? String(error.stdout) : String(error);
    process.stdout.write(`${folder} ${profile}: Nextflow gives no answer: ${text.slice(0, 400)}\n`);
    return undefined;
  }
}
