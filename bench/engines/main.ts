// What a run through the local accounts costs beside the bare engine: StartRun until COMPLETED against `miniwdl run`, `cwltool`
// and `nextflow run`, on the same input, definition, image and machine, in turns.
//   node bench/engines/main.ts [--rounds 3] [--parts 1,28] [--engines WDL,CWL,NEXTFLOW] [--where docker,host] [--json]
// A workflow has as many parallel tasks as --parts says and one more. The aim: at most 10 % or 3 s.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GetRunCommand } from "@aws-sdk/client-omics";
import { engineHost } from "../../src/local/engines/testing/run-engine.ts";
import { LET_OMICS_READ, pushHostImage } from "../../src/local/omics/testing/images.ts";
import { openLab } from "../../src/local/omics/testing/omics.ts";
import { bareEngines, type Where } from "./bare.ts";
import { WORKFLOWS, type Language } from "./workflows.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    parts: { type: "string", default: "1,28" },
    engines: { type: "string", default: "WDL,CWL,NEXTFLOW" },
    where: { type: "string", default: "docker,host" },
    json: { type: "boolean", default: false },
  },
});
const IMAGE = "omx-bench:host";
const TEXT = "1\n2\n3\n";
// A client that asks more often is a large part of what is measured.
const LOOK_MS = 200;
const SETTLING_MS = 1500;

const say = (line: string): void => console.error(line);
const scratch = mkdtempSync(join(tmpdir(), "omx-bench-"));
const file = join(scratch, "text.txt");
writeFileSync(file, TEXT);
const bare = await bareEngines(engineHost(scratch), file);

interface Row {
  readonly engine: Language;
  readonly where: Where;
  readonly tasks: number;
  readonly bareSeconds: readonly number[];
  readonly oursSeconds: readonly number[];
  /** CPU seconds of a round: of this process, which holds the local accounts and their client, and of all that it started. */
  readonly bareCpu: readonly number[];
  readonly oursCpu: readonly number[];
}
const rows: Row[] = [];
for (const where of values.where.split(",") as Where[]) {
  await using lab = await openLab({ containers: where });
  const { uri, digest } = await pushHostImage(lab.config, "bench", [LET_OMICS_READ]);
  const text = await lab.put("text.txt", TEXT);
  let isTagged = where === "host";

  async function ours(workflowId: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const id = await lab.start({ workflowId, parameters: parameters as never });
    for (;;) {
      const { status, statusMessage } = await lab.omics.send(new GetRunCommand({ id }));
      if (status === "COMPLETED") return;
      if (status === "FAILED" || status === "CANCELLED") throw new Error(`run ${id} is ${status}: ${statusMessage}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  for (const engine of values.engines.split(",") as Language[])
    for (const parts of values.parts.split(",").map(Number)) {
      const workflow = WORKFLOWS[engine](parts, uri);
      const parameters = workflow.parameters(text);
      const workflowId = await lab.workflow(workflow.files);
      await ours(workflowId, parameters); // warms up: environments, images
      if (!isTagged) execFileSync("docker", ["tag", `${new URL(lab.config.endpoint).host}/111122223333/us-east-1/bench@${digest}`, IMAGE]);
      isTagged = true;
      const alone = WORKFLOWS[engine](parts, IMAGE);
      const isComparable = bare.can(engine, where);
      if (isComparable) await bare.run(engine, where, alone);
      const [alones, ourss]: [Cost[], Cost[]] = [[], []];
      for (let round = 0; round < Number(values.rounds); round++) {
        if (isComparable) alones.push(await cost(() => bare.run(engine, where, alone)));
        ourss.push(await cost(() => ours(workflowId, parameters)));
      }
      const row: Row = {
        engine,
        where,
        tasks: parts + 1,
        bareSeconds: alones.map(({ seconds }) => seconds),
        oursSeconds: ourss.map(({ seconds }) => seconds),
        bareCpu: alones.map(({ cpu }) => cpu),
        oursCpu: ourss.map(({ cpu }) => cpu),
      };
      rows.push(row);
      say(described(row));
    }
}
bare.close();
rmSync(scratch, { recursive: true, force: true });
if (values.json) console.log(JSON.stringify(rows.map((row) => ({ ...row, bare: median(row.bareSeconds), ours: median(row.oursSeconds) }))));

interface Cost {
  readonly seconds: number;
  readonly cpu: number;
}

async function cost(work: () => Promise<void>): Promise<Cost> {
  const [from, before] = [performance.now(), cpuSeconds()];
  await work();
  const seconds = (performance.now() - from) / 1000;
  await new Promise((resolve) => setTimeout(resolve, SETTLING_MS)); // what a run does after its end is its cost as well
  return { seconds, cpu: cpuSeconds() - before };
}

/** proc(5): fields 14 to 17 are clock ticks of the process and of its children that ended, a hundred a second. */
function cpuSeconds(): number {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  } catch {
    return Number.NaN;
  }
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}

function described({ engine, where, tasks, bareSeconds, oursSeconds, bareCpu, oursCpu }: Row): string {
  const [alone, with_] = [median(bareSeconds), median(oursSeconds)];
  const shown = `${engine.padEnd(8)} ${where.padEnd(6)} ${String(tasks).padStart(2)} tasks  ours ${with_.toFixed(2)} s (${spread(oursSeconds)})`;
  if (bareSeconds.length === 0) return `${shown}  the engine alone can't run there`;
  return `${shown}  bare ${alone.toFixed(2)} s (${spread(bareSeconds)})  overhead ${(with_ - alone).toFixed(2)} s, ${((with_ / alone - 1) * 100).toFixed(0)} %  CPU ${median(oursCpu).toFixed(1)} against ${median(bareCpu).toFixed(1)} s`;
}

function spread(all: readonly number[]): string {
  return `${Math.min(...all).toFixed(2)}–${Math.max(...all).toFixed(2)}`;
}
