import type { Platform } from "../manifest.ts";
import { type Instruction, parseDockerfile } from "./dockerfile.ts";
import { expandWord } from "./dockerfile-words.ts";
import { BadSubstitution } from "./substitution-patterns.ts";
import { predefinedArgs, readStages, stageNamed, type StagePlan, stageToBuild } from "./stages.ts";

/** A place where a Dockerfile names an image: a FROM, a `COPY --from` or a `RUN --mount=…,from=`. */
export interface BaseUse {
  /** As it is meant, variables filled in. */
  readonly image: string;
  /** As it is written. */
  readonly written: string;
  readonly instruction: Instruction;
  /** Whether a stage that is not there yet has this name: then that was meant, perhaps. */
  readonly isStageToCome: boolean;
  /** Whether the stage that is built needs it; others are of no account. */
  readonly isNeeded: boolean;
  /** What a FROM asks for itself. @default - the platform that is built for */
  readonly platform?: string;
}

export interface BaseOptions {
  readonly file: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platform: Platform;
  /** The stage that is built, by name or number. @default - the last one */
  readonly target?: string | undefined;
  /** Of the machine that runs commands, for `FROM --platform=$BUILDPLATFORM`. @default - the platform that is built for */
  readonly buildPlatform?: Platform | undefined;
}

/**
 * Where a Dockerfile names images; stages of its own and `scratch` are none.
 * @throws DockerfileError
 */
export function baseUses(text: string, { file, buildArgs, platform, target, buildPlatform = platform }: BaseOptions): readonly BaseUse[] {
  const { instructions, escape } = parseDockerfile(text, file);
  const { plans, globals } = readStages(instructions, { file, escape, buildArgs, predefined: predefinedArgs(platform) });
  const expand = (word: string): string => orScratch(() => expandWord(word, (variable) => globals.get(variable), escape));
  const machine = new Map(Object.entries(predefinedArgs(buildPlatform)).filter(([name]) => name.startsWith("BUILD")));
  const named = namedInAll(plans, expand, (word) =>
    orScratch(() => expandWord(word, (variable) => machine.get(variable) ?? globals.get(variable), escape)),
  );
  const needed = closure(named, stageToBuild(plans, { file, target }));
  return named.flatMap((names, index) =>
    names.flatMap(({ stage, ...name }) =>
      stage === undefined && name.image !== "scratch" ? [{ ...name, isNeeded: needed.has(index) }] : [],
    ),
  );
}

/** The numbers of the stages that one of them needs, itself included. */
export const neededStages = (plans: readonly StagePlan[], target: number, expand: (word: string) => string): ReadonlySet<number> =>
  closure(
    namedInAll(plans, (word) => orScratch(() => expand(word))),
    target,
  );

const namedInAll = (plans: readonly StagePlan[], expand: Expand, expandPlatform = expand): readonly (readonly Named[])[] =>
  plans.map((plan, index) => namedIn(plan, { index, plans, expand, expandPlatform }));

/**
 * The Dockerfile with other addresses for images. What is not in the map stays as it is; so do all other lines, and the
 * number of each.
 */
export function replaceBases(text: string, uses: readonly BaseUse[], addresses: ReadonlyMap<string, string>): string {
  const lines = text.split("\n");
  for (const { image, written, instruction } of uses) {
    const address = addresses.get(image);
    if (address === undefined) continue;
    const before = instruction.keyword === "FROM" ? "(^|\\s)" : "(from=[\"']?)";
    const pattern = new RegExp(`${before}${written.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?=["',\\s]|$)`);
    // The first line of the instruction that has it: a FROM may be continued over several.
    const at = lines.findIndex((line, index) => index >= instruction.line - 1 && index < instruction.lastLine && pattern.test(line));
    if (at >= 0) lines[at] = (lines[at] ?? "").replace(pattern, (_, start: string) => `${start}${address}`);
  }
  return lines.join("\n");
}

/** A substitution that is not known, or is none, is told when the stage is begun. */
function orScratch(expand: () => string): string {
  try {
    return expand();
  } catch (error) {
    if (error instanceof BadSubstitution) return "scratch";
    throw error;
  }
}

interface Named extends Omit<BaseUse, "isNeeded"> {
  /** The earlier stage that is meant. */
  readonly stage: number | undefined;
}

type Expand = (word: string) => string;

interface Among {
  readonly index: number;
  readonly plans: readonly StagePlan[];
  readonly expand: Expand;
  readonly expandPlatform: Expand;
}

function namedIn(
  { image, from, instructions, platform: asked }: StagePlan,
  { index, plans, expand, expandPlatform }: Among,
): readonly Named[] {
  const base = expand(image);
  // A number is a stage for COPY --from alone.
  const stage = /^\d+$/.test(base) ? undefined : stageNamed(plans, base, index);
  const isToCome = (name: string, first: number) => plans.some((plan, at) => at >= first && plan.name === name.toLowerCase());
  const copied = instructions.flatMap((instruction) =>
    sourcesOf(instruction).map((name): Named => ({
      image: name,
      written: name,
      instruction,
      stage: stageNamed(plans, name, index),
      isStageToCome: isToCome(name, index),
    })),
  );
  const platform = asked === undefined ? "" : expandPlatform(asked);
  return [
    {
      image: base,
      written: image,
      instruction: from,
      stage,
      isStageToCome: isToCome(base, index + 1),
      ...(platform !== "" && { platform }),
    },
    ...copied,
  ];
}

function sourcesOf({ keyword, flags, mounts }: Instruction): readonly string[] {
  if (keyword === "RUN") return mounts.flatMap((mount) => /(?:^|,)from=["']?([^,"']+)/.exec(mount)?.[1] ?? []);
  if (keyword !== "COPY" || flags["from"] === undefined) return [];
  return [flags["from"].replace(/^["']|["']$/g, "")];
}

function closure(named: readonly (readonly Named[])[], target: number): ReadonlySet<number> {
  const needed = new Set<number>();
  const waiting = [target];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (needed.has(index)) continue;
    needed.add(index);
    waiting.push(...(named[index] ?? []).flatMap(({ stage }) => stage ?? []));
  }
  return needed;
}
