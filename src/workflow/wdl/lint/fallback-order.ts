/** `omicsResourceFallbackOrder` (user guide, advanced-resource-configuration). */
import type { Attribute, Expression, Finding, MapExpression, Task } from "../ast.ts";
import { plainText } from "../literals.ts";

const ATTRIBUTE = "omicsResourceFallbackOrder";
const KEYS = new Set(["acceleratorType", "acceleratorCount", "cpu", "memory", "omicsResourceWaitTimeoutInMin"]);
const MAX_PROFILES = 10;

/** What HealthOmics would refuse in a task's list of fallback resources. */
export function lintFallbackOrder(task: Task): readonly Finding[] {
  const attribute = task.runtime.find(({ name }) => name === ATTRIBUTE);
  if (!attribute) return [];
  return [...messages(task, attribute)].map((message) => ({
    rule: "wdl-fallback-order",
    message,
    start: attribute.start,
    end: attribute.end,
  }));
}

function* messages(task: Task, { value }: Attribute): Iterable<string> {
  const beside = task.runtime.find(({ name }) => KEYS.has(name));
  if (beside) yield `${beside.name} cannot stand beside ${ATTRIBUTE}`;
  if (value.kind !== "array") return;
  if (value.items.length === 0 || value.items.length > MAX_PROFILES)
    yield `${value.items.length} profiles: 1 to ${MAX_PROFILES} are allowed`;
  const profiles = value.items.filter((item) => item.kind === "map");
  for (const profile of profiles) yield* profileMessages(profile);
  const cpuProfiles = profiles.filter((profile) => !keysOf(profile).includes("acceleratorType"));
  if (cpuProfiles.length > 1) yield "more than one profile has no accelerator";
}

function* profileMessages(profile: MapExpression): Iterable<string> {
  const keys = keysOf(profile);
  const unknown = keys.find((key) => key !== undefined && !KEYS.has(key));
  if (unknown !== undefined) yield `"${unknown}" is not a key of a profile`;
  if (keys.includes("acceleratorType") !== keys.includes("acceleratorCount")) yield "acceleratorType and acceleratorCount go together";
}

const keysOf = (profile: MapExpression): readonly (string | undefined)[] => profile.entries.map(({ key }) => textOf(key));

const textOf = (key: Expression): string | undefined => (key.kind === "string" ? plainText(key.parts) : undefined);

export const hasFallbackOrder = (task: Task): boolean => task.runtime.some(({ name }) => name === ATTRIBUTE);
