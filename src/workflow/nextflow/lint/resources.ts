import { openedChoices } from "../evaluate/choices.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import type { Value } from "../evaluate/types.ts";
import { isQuantity, numeric, parseQuantity } from "../evaluate/values.ts";
import { chooseFirst } from "../images/directives.ts";
import type { Task } from "../images/containers.ts";
import type { Pipeline } from "../pipeline.ts";
import { report, sourceOf, type Project } from "../project.ts";
import type { Severity } from "../../inspection.ts";

const GIB = 1024 ** 3;

/** Instances of every region reach 24xlarge; 48xlarge are in five (guide, "Compute and memory requirements"). */
const LARGEST = { cpus: 192, memory: 1536 } as const;
const LARGEST_EVERYWHERE = { cpus: 96, memory: 768 } as const;
/** omics.c.large, the smallest there is: what asks for less costs the same. */
const SMALLEST = { cpus: 2, memory: 4 } as const;

const ACCELERATORS = new Set([
  "nvidia-tesla-t4",
  "nvidia-tesla-t4-a10g",
  "nvidia-tesla-a10g",
  "nvidia-t4-a10g-l4",
  "nvidia-l4-a10g",
  "nvidia-l4",
  "nvidia-l40s",
]);

/** Whether what the tasks ask for is there to be had. */
export function checkResources(project: Project, { tasks }: Pipeline): void {
  for (const task of tasks) {
    checkAmount(project, "cpus", asked(project, task, "cpus"));
    checkAmount(project, "memory", asked(project, task, "memory"));
    checkTime(project, asked(project, task, "time"));
    checkAccelerator(project, task);
  }
}

interface Asked {
  readonly value: Value;
  readonly file: SourceFile;
  readonly offset: number;
}

/** What a directive gives at the first attempt, and where it is written. */
function asked(project: Project, { configured, directives, scope }: Task, name: string): Asked | undefined {
  const selected = configured.settings.get(name);
  const own = directives.findLast((each) => each.name === name && each.conditions.length === 0);
  if (own !== undefined && selected?.how !== "selector") {
    const value = chooseFirst(own, scope.builtin)[0]?.value;
    return value === undefined ? undefined : { value, file: own.scope.file, offset: own.offset };
  }
  if (selected === undefined) return undefined;
  const choice = openedChoices(selected.setting.choices, scope)[0];
  const file = sourceOf(project, selected.setting.file);
  return choice === undefined || file === undefined ? undefined : { value: choice.value, file, offset: selected.setting.offset };
}

function amountOf(kind: "cpus" | "memory", value: Value): number | undefined {
  if (kind === "cpus") return numeric(value);
  const quantity = typeof value === "string" ? parseQuantity(value) : isQuantity(value) ? value : undefined;
  return quantity?.kind === "memory" ? quantity.amount / GIB : undefined;
}

function checkAmount(project: Project, kind: "cpus" | "memory", given: Asked | undefined): void {
  const amount = given === undefined ? undefined : amountOf(kind, given.value);
  if (given === undefined || amount === undefined) return;
  const unit = kind === "cpus" ? "vCPUs" : "GiB";
  const say = (rule: string, severity: Severity, message: string): void =>
    report(project, { rule, severity, file: given.file, offset: given.offset, message });
  const text = `${Number(amount.toFixed(2))} ${unit}`;
  if (amount > LARGEST[kind])
    return say("nextflow-resources-high", "error", `${text} are more than any instance of HealthOmics has (${LARGEST[kind]})`);
  if (amount > LARGEST_EVERYWHERE[kind]) {
    return say(
      "nextflow-resources-high",
      "warning",
      `${text} need an instance that only five regions have; ${LARGEST_EVERYWHERE[kind]} ${unit} are there in all`,
    );
  }
  if (amount < SMALLEST[kind]) {
    say(
      "nextflow-resources-low",
      "info",
      `${text} run on an omics.c.large, which has ${SMALLEST[kind]} ${unit} and is paid for whole; the task is held to what it asks for`,
    );
  }
}

function checkTime(project: Project, given: Asked | undefined): void {
  if (given === undefined) return;
  const quantity = typeof given.value === "string" ? parseQuantity(given.value) : isQuantity(given.value) ? given.value : undefined;
  if (quantity?.kind !== "duration" || quantity.amount >= 60_000) return;
  const message = "a time limit below one minute is refused: the smallest is 60 s, and seconds are cut off";
  report(project, { rule: "nextflow-time-short", severity: "warning", file: given.file, offset: given.offset, message });
}

function checkAccelerator(project: Project, { directives }: Task): void {
  for (const { name, args, scope, offset } of directives) {
    const type = args.find((each) => each.name === "type")?.value;
    if (name !== "accelerator" || type?.kind !== "literal" || ACCELERATORS.has(String(type.value))) continue;
    const message = `HealthOmics has no accelerator "${type.value}"; it has ${[...ACCELERATORS].join(", ")}`;
    report(project, { rule: "nextflow-accelerator", severity: "error", file: scope.file, offset, message });
  }
}
