import type { Platform } from "../manifest.ts";
import { neededStages } from "./base-names.ts";
import { heredocWord, type Instruction, parseDockerfile } from "./dockerfile.ts";
import { expandWord } from "./dockerfile-words.ts";
import { isGlob } from "./glob.ts";
import { predefinedArgs, readStages, stageToBuild } from "./stages.ts";

/** A file of the build context that a COPY or ADD names. */
export interface CopiedName {
  readonly name: string;
  readonly line: number;
}

export interface CopiedNamesOptions {
  readonly file: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: Platform;
  /** The stage that is built, by name or number. @default - the last one */
  readonly target?: string | undefined;
}

/**
 * The files and folders that a Dockerfile takes from its context, as far as they are written without patterns and
 * variables, by stages that the one that is built needs.
 * @throws DockerfileError
 */
export function copiedNames(text: string, { file, buildArgs, platform, target }: CopiedNamesOptions): readonly CopiedName[] {
  const { instructions, escape } = parseDockerfile(text, file);
  const { plans, globals } = readStages(instructions, { file, escape, buildArgs, predefined: predefinedArgs(platform) });
  const needed = neededStages(plans, stageToBuild(plans, { file, target }), (word) =>
    expandWord(word, (name) => globals.get(name), escape),
  );
  return plans.flatMap((plan, index) => (needed.has(index) ? plan.instructions.flatMap(namesIn) : []));
}

const namesIn = ({ keyword, flags, text, json, line }: Instruction): readonly CopiedName[] =>
  (keyword === "COPY" && flags["from"] === undefined) || keyword === "ADD"
    ? (json ?? text.split(/\s+/)).slice(0, -1).flatMap((name) => (isPlain(name) ? [{ name, line }] : []))
    : [];

const isPlain = (word: string): boolean => !/[$"'\\:]|^git@|\.git$/.test(word) && !isGlob(word) && !heredocWord(word);
