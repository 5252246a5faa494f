/** What a task asks of its machine. */
import type { Attribute, Finding, Task } from "../ast.ts";
import type { Document } from "../document.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import { type Frame, mainFrame } from "../evaluation/frames.ts";
import { newSession } from "../evaluation/session.ts";
import type { Value } from "../evaluation/values.ts";

/** The smallest instance (user guide, memory-and-compute-tasks). */
const SMALLEST = { cpus: 2, gibibytes: 4 };
/** The largest that every Region has. */
const LARGEST = { cpus: 96, gibibytes: 768 };
/** The largest that any Region has. */
const LIMIT = { cpus: 192, gibibytes: 1536 };

/** Attributes with an effect (user guide, workflow-languages-wdl). */
const KNOWN = new Set([
  "docker",
  "container",
  "cpu",
  "memory",
  "disks",
  "disk",
  "acceleratorType",
  "acceleratorCount",
  "gpuType",
  "gpuCount",
  "gpu",
  "maxRetries",
  "max_retries",
  "preemptible",
  "returnCodes",
  "return_codes",
  "continueOnReturnCode",
  "omicsTimeout",
  "omicsResourceFallbackOrder",
]);

const ACCELERATORS = new Set([
  "nvidia-tesla-t4",
  "nvidia-tesla-t4-a10g",
  "nvidia-tesla-a10g",
  "nvidia-t4-a10g-l4",
  "nvidia-l4-a10g",
  "nvidia-l4",
  "nvidia-l40s",
]);

type Check = (value: Value, attribute: Attribute, written: string) => readonly Finding[];

const CHECKS: Readonly<Record<string, Check>> = {
  cpu: (value, at) => amount(numberOf(value), { at, unit: "vCPU", least: SMALLEST.cpus, most: LARGEST.cpus, limit: LIMIT.cpus }),
  memory: checkMemory,
  preemptible: (_, at) => [found("wdl-preemptible", "preemptible is the number of retries after a service error", at)],
  disks: checkDisks,
  maxRetries: checkRetries,
  max_retries: checkRetries,
  omicsTimeout: checkTimeout,
  acceleratorType: checkAccelerator,
  gpuType: checkAccelerator,
};

/** The findings on a task's runtime attributes, as far as their values are known from the task itself. */
export function lintResources(document: Document, task: Task): readonly Finding[] {
  const frame: Frame = mainFrame({ document, unit: task, session: newSession(), prefix: "", given: [] });
  return task.runtime.flatMap((attribute) => {
    if (!KNOWN.has(attribute.name))
      return [found("wdl-ignored-runtime-key", `"${attribute.name}" has no effect in HealthOmics`, attribute)];
    const check = Object.hasOwn(CHECKS, attribute.name) ? CHECKS[attribute.name] : undefined;
    const written = document.syntax.source.text.slice(attribute.value.start, attribute.value.end);
    return check?.(evaluate(attribute.value, frame), attribute, written) ?? [];
  });
}

const found = (rule: string, message: string, { start, end }: Attribute): Finding => ({ rule, message, start, end });

function numberOf(value: Value): number | undefined {
  if (value.kind === "number") return value.value;
  if (value.kind !== "text" || !/^\s*\d+(\.\d+)?\s*$/.test(value.text)) return undefined;
  return Number(value.text);
}

interface Range {
  readonly at: Attribute;
  readonly unit: string;
  readonly least: number;
  readonly most: number;
  readonly limit: number;
}

function amount(asked: number | undefined, { at, unit, least, most, limit }: Range): readonly Finding[] {
  if (asked === undefined) return [];
  const written = `${Math.round(asked * 100) / 100} ${unit}`;
  if (asked < least) return [found("wdl-small-task", `${written} is less than the smallest instance has (${least})`, at)];
  if (asked > limit) return [found("wdl-resources-too-large", `${written} is more than any instance has (${limit})`, at)];
  return asked > most ? [found("wdl-cpu-limit", `${written} is more than most Regions offer (${most})`, at)] : [];
}

const GIBIBYTE = 2 ** 30;
const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  ki: 2 ** 10,
  kib: 2 ** 10,
  mi: 2 ** 20,
  mib: 2 ** 20,
  gi: 2 ** 30,
  gib: 2 ** 30,
  ti: 2 ** 40,
  tib: 2 ** 40,
};

/** Bytes of "4 GiB", "4G" or a plain number; undefined for anything else. */
export function memoryBytes(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() || "b"];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

function checkMemory(value: Value, at: Attribute): readonly Finding[] {
  const text = value.kind === "text" ? value.text : value.kind === "number" ? String(value.value) : "";
  const bytes = memoryBytes(text);
  const limits = amount(bytes === undefined ? undefined : bytes / GIBIBYTE, {
    at,
    unit: "GiB",
    least: SMALLEST.gibibytes,
    most: LARGEST.gibibytes,
    limit: LIMIT.gibibytes,
  });
  // "4 GB" falls just below 4 GiB: the unit is what to say then.
  const isDecimal = /\d\s*[GT]B?\s*$/.test(text);
  return isDecimal
    ? [
        found("wdl-decimal-memory", `"${text.replace(/(\d)\.0+(?!\d)/, "$1")}" is decimal; instances are sized in GiB`, at),
        ...limits.filter((each) => each.rule !== "wdl-small-task"),
      ]
    : limits;
}

function checkDisks(_: Value, at: Attribute, written: string): readonly Finding[] {
  const isMore = /local-disk|\/|SSD|HDD|LOCAL/.test(written);
  return isMore ? [found("wdl-disks", "only the size of disks has an effect, and that only with local scratch storage", at)] : [];
}

function checkRetries(value: Value, at: Attribute): readonly Finding[] {
  return value.kind === "number" && value.value > 0 ? [found("wdl-retries-findutils", "retries need GNU findutils in the image", at)] : [];
}

function checkTimeout(value: Value, at: Attribute): readonly Finding[] {
  const seconds = value.kind === "number" ? value.value : value.kind === "text" ? secondsOf(value.text) : undefined;
  return seconds !== undefined && seconds < 60 ? [found("wdl-short-timeout", `${seconds} s is less than a minute`, at)] : [];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const DURATION = /(\d{1,9})\s?([smhd]?)/gi;

/** `1h30m`, `45s`, `90`; undefined for anything else. */
function secondsOf(text: string): number | undefined {
  const parts = [...text.matchAll(DURATION)];
  if (parts.length === 0 || text.replace(DURATION, "").trim() !== "") return undefined;
  return parts.reduce((sum, [, count = "0", unit = ""]) => sum + Number(count) * (SECONDS[unit.toLowerCase() || "s"] ?? 1), 0);
}

function checkAccelerator(value: Value, at: Attribute): readonly Finding[] {
  const isUnknown = value.kind === "text" && !ACCELERATORS.has(value.text);
  return isUnknown ? [found("wdl-accelerator", `"${value.text}" is no accelerator of HealthOmics`, at)] : [];
}
