import type { Platform } from "../manifest.ts";
import { DockerfileError } from "./dockerfile.ts";
import type { Instruction } from "./dockerfile.ts";
import { expandWord, splitWords } from "./dockerfile-words.ts";
import { BadSubstitution } from "./substitution-patterns.ts";

/** One stage as the Dockerfile has it. */
export interface StagePlan {
  /** In lower case, as stages are compared. */
  readonly name?: string;
  /** The base as written: an image, an earlier stage, `scratch`, with variables. */
  readonly image: string;
  readonly platform?: string;
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
}

export interface StageOptions {
  readonly file: string;
  /** The escape character. */
  readonly escape: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly predefined: Readonly<Record<string, string>>;
}

/** Divides a Dockerfile into its stages, and finds the values of the ARGs that stand before the first. */
export function readStages(
  instructions: readonly Instruction[],
  options: StageOptions,
): { readonly plans: readonly StagePlan[]; readonly globals: ReadonlyMap<string, string> } {
  const globals = new Map(Object.entries(options.predefined));
  const plans: (StagePlan & { readonly instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    const { keyword, line } = instruction;
    if (keyword === "FROM") plans.push({ ...readFrom(instruction, options.file), from: instruction, instructions: [] });
    else if (plans.length > 0) plans.at(-1)?.instructions.push(instruction);
    else if (keyword === "ARG") declare(globals, instruction, options);
    else throw new DockerfileError({ file: options.file, line }, `${keyword} stands before the first FROM; only ARG may`);
  }
  if (plans.length === 0) throw new DockerfileError({ file: options.file, line: 1 }, "there is no FROM");
  return { plans, globals };
}

/** The stage of this name or number before another. */
export function stageNamed(plans: readonly StagePlan[], name: string, before: number): number | undefined {
  const found = plans.findLastIndex((plan, index) => index < before && plan.name === name.toLowerCase());
  if (found >= 0) return found;
  return /^\d+$/.test(name) && Number(name) < before ? Number(name) : undefined;
}

/** The stage that is built: the one asked for, or the last. @throws DockerfileError where there is none of that name */
export function stageToBuild(
  plans: readonly StagePlan[],
  { file, target }: { readonly file: string; readonly target?: string | undefined },
): number {
  const index = target === undefined ? plans.length - 1 : stageNamed(plans, target, plans.length);
  if (index !== undefined) return index;
  throw new DockerfileError(
    { file, line: 1 },
    `there is no stage "${target}"; stages are ${plans.map((plan, at) => plan.name ?? String(at)).join(", ")}`,
  );
}

function readFrom({ text, flags, line }: Instruction, file: string): Pick<StagePlan, "name" | "image" | "platform"> {
  const [image = "", as, name, ...more] = text.split(/\s+/);
  if (image === "" || more.length > 0 || (as !== undefined && (as.toLowerCase() !== "as" || name === undefined)))
    throw new DockerfileError({ file, line }, `write FROM image, or FROM image AS name, not "FROM ${text}"`);
  if (name !== undefined && !/^[a-z][a-z0-9_.-]*$/i.test(name))
    throw new DockerfileError(
      { file, line },
      `"${name}" is not a name for a stage: begin with a letter, go on with letters, digits, and _ . -`,
    );
  const platform = flags["platform"];
  return {
    image,
    ...(name === undefined ? {} : { name: name.toLowerCase() }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function declare(globals: Map<string, string>, { text, line }: Instruction, { file, escape, buildArgs }: StageOptions): void {
  for (const word of splitWords(text, escape)) {
    const [name = "", ...rest] = word.split("=");
    if (name === "") throw new DockerfileError({ file, line }, `write ARG name=value, not "ARG ${text}"`);
    const value =
      givenArg(buildArgs, name) ?? (rest.length > 0 ? expanded(rest.join("="), globals, { file, line, escape }) : globals.get(name));
    if (value !== undefined) globals.set(name, value);
  }
}

/** What the caller says; names like `constructor` are names. */
export const givenArg = (buildArgs: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;

function expanded(
  word: string,
  globals: ReadonlyMap<string, string>,
  { escape, ...place }: { readonly file: string; readonly line: number; readonly escape: string },
): string {
  try {
    return expandWord(word, (other) => globals.get(other), escape);
  } catch (error) {
    throw error instanceof BadSubstitution ? new DockerfileError(place, error.message) : error;
  }
}

/** What BuildKit sets without being told (Dockerfile reference, "Automatic platform ARGs"). */
export function predefinedArgs({ os, architecture, variant = "" }: Platform): Readonly<Record<string, string>> {
  const platform = [os, architecture, ...(variant === "" ? [] : [variant])].join("/");
  return Object.fromEntries(
    ["TARGET", "BUILD"].flatMap((side) => [
      [`${side}PLATFORM`, platform],
      [`${side}OS`, os],
      [`${side}ARCH`, architecture],
      [`${side}VARIANT`, variant],
    ]),
  );
}
