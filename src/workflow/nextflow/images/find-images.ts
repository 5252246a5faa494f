import type { ImageOrigin, ImageUse, UnresolvedImage } from "../../inspection.ts";
import { settingAt } from "../config/settings.ts";
import type { Config } from "../config/read-config.ts";
import { openedChoices } from "../evaluate/choices.ts";
import type { Choice, Scope } from "../evaluate/types.ts";
import { isUnknown, textOf, truth } from "../evaluate/values.ts";
import { placeOf } from "../syntax/source-file.ts";
import { containersOf, type ContainerChoice, type Task } from "./containers.ts";

/** A container of one task, before tasks of the same process are told together. */
export interface Found {
  readonly task: Task;
  readonly image?: string;
  /** Instead of an image: the source that an input completes. */
  readonly expression?: string;
  readonly file: string;
  readonly line: number;
  readonly how: ImageOrigin;
  readonly condition?: string;
  readonly input?: string;
}

/** The containers of a task as the configuration's registry completes them, the default first. */
export function findImages(task: Task, config: Config): readonly Found[] {
  const registry = settingAt(config.root, "docker", "registry");
  const isForced = truth(settingAt(config.root, "docker", "registryOverride")?.choices[0]?.value ?? null) === true;
  const prefixes = registry === undefined ? [] : openedChoices(registry.choices, task.scope);
  const found = containersOf(task).flatMap((choice) => complete(task, choice, { prefix: prefixes[0], isForced }));
  const hasDefault = found.some(({ image, condition }) => image !== undefined && condition === undefined);
  // What another engine or input would need is of no interest where an image is known without.
  return hasDefault ? found.filter(({ image }) => image !== undefined) : found;
}

interface Registry {
  readonly prefix: Choice | undefined;
  readonly isForced: boolean;
}

function complete(task: Task, choice: ContainerChoice, { prefix, isForced }: Registry): readonly Found[] {
  const reference = textOf(choice.value)?.trim();
  const at = placeOf(choice.file.text, choice.offset);
  const shared = { task, file: choice.file.path, line: at.line, how: originOf(choice), ...conditionOf(choice) };
  if (reference === undefined) return undecided(choice, task.scope, shared);
  if (reference === "" || reference.includes("\u0001") || typeof choice.value === "boolean") return [];
  const input = choice.inputs[0];
  const decides = input === undefined ? {} : { input };
  const needsRegistry = isForced || !namesHost(reference);
  if (prefix === undefined || !needsRegistry) return [{ ...shared, image: reference, ...decides }];
  return prefixed({ reference, prefix, isForced }, { ...shared, ...decides });
}

interface Prefixed {
  readonly reference: string;
  readonly prefix: Choice;
  readonly isForced: boolean;
}

function prefixed({ reference, prefix, isForced }: Prefixed, shared: Omit<Found, "image">): readonly Found[] {
  const registry = textOf(prefix.value);
  const input = isUnknown(prefix.value) ? (prefix.value.inputs[0] ?? prefix.inputs[0]) : prefix.inputs[0];
  const decides = input === undefined ? {} : { input: shared.input ?? input };
  const rest = isForced && namesHost(reference) ? reference.slice(reference.indexOf("/") + 1) : reference;
  if (registry === undefined) {
    if (input === undefined && prefix.value === null) return [{ ...shared, image: reference }];
    const source = isUnknown(prefix.value) ? unquoted(prefix.value.expression) : `\${params.${input}}`;
    return [{ ...shared, expression: `${source}/${rest}`, ...(input !== undefined && { input }) }];
  }
  if (registry === "") return [{ ...shared, image: reference, ...decides }];
  return [{ ...shared, image: `${registry.replace(/\/$/, "")}/${rest}`, ...decides }];
}

/** Whether a reference begins with a registry's host, as Nextflow judges it (ContainerHandler.isAbsoluteDockerName). */
export function namesHost(reference: string): boolean {
  if (reference.startsWith("/")) return true;
  const slash = reference.indexOf("/");
  return slash > 0 && /[.:]/.test(reference.slice(0, slash));
}

/** A container without a text: an input decides it, or it is not set. */
function undecided(choice: ContainerChoice, scope: Scope, shared: Omit<Found, "expression" | "image">): readonly Found[] {
  if (isUnknown(choice.value)) {
    const input = choice.value.inputs[0] ?? choice.inputs[0];
    return [{ ...shared, expression: unquoted(choice.value.expression), ...(input !== undefined && { input }) }];
  }
  const input = choice.inputs[0];
  const isWrittenNull = choice.file.text.startsWith("null", choice.offset);
  if (choice.value !== null || input === undefined || isWrittenNull || choice.conditions.length > 0) return [];
  return [{ ...shared, expression: `\${params.${input}}`, input }];
}

/** A string's source without its quotes, another expression's as an interpolation would have it. */
const unquoted = (source: string): string => /^"(.*)"$/.exec(source)?.[1] ?? `\${${source}}`;

function originOf({ how, selected }: ContainerChoice): ImageOrigin {
  if (selected?.setting.profile !== undefined && selected.setting.profile !== "standard") return "profile";
  return selected?.how ?? how;
}

const conditionOf = ({ conditions }: Choice): { readonly condition?: string } =>
  conditions.length === 0 ? {} : { condition: [...new Set(conditions)].join(" && ") };

/** What is told of the tasks of one definition, aliases by their own names where their images differ. */
export function describeImages(found: readonly Found[]): {
  readonly images: readonly ImageUse[];
  readonly unresolved: readonly UnresolvedImage[];
} {
  const images = new Map<string, ImageUse>();
  const unresolved = new Map<string, UnresolvedImage>();
  for (const [task, each] of named(found)) {
    const { image, expression, file, line, how, condition, input } = each;
    const decides = input === undefined ? {} : { input };
    if (image !== undefined) {
      const key = JSON.stringify([task, image]);
      const before = images.get(key);
      if (before !== undefined && (before.condition === undefined || condition !== undefined)) continue;
      images.set(key, { image, task, file, line, how, ...(condition !== undefined && { condition }), ...decides });
    } else if (expression !== undefined) {
      const key = JSON.stringify([task, expression]);
      if (!unresolved.has(key)) unresolved.set(key, { expression, task, file, line, ...decides });
    }
  }
  return { images: [...images.values()], unresolved: [...unresolved.values()] };
}

/** Each finding with the name it is told under. */
function named(found: readonly Found[]): readonly (readonly [string, Found])[] {
  const byDefinition = Map.groupBy(found, ({ task }) => task.invocation.process);
  return [...byDefinition].flatMap(([process, all]) => {
    const byName = Map.groupBy(all, ({ task }) => task.invocation.name);
    const usual = content(byName.get(process.name) ?? [...byName.values()][0] ?? []);
    const isOwnNameFree = !byName.has(process.name);
    const isUniform = [...byName.values()].every((each) => content(each) === usual);
    return [...byName].flatMap(([name, each]) => {
      const isUsual = content(each) === usual && (!isOwnNameFree || isUniform);
      return each.map((one) => [isUsual ? process.name : name, one] as const);
    });
  });
}

const content = (found: readonly Found[]): string =>
  JSON.stringify([...new Set(found.map(({ image, expression, condition }) => JSON.stringify([image, expression, condition])))].sort());
