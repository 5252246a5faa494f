import { readFile } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { parseImageRef } from "../../kit/image-ref.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";
import { systemRandom } from "../../kit/random.ts";
import type { Random } from "../../kit/random.ts";
import { InvalidManifest, type Platform } from "../manifest.ts";
import type { ResolveBase } from "./base-image.ts";
import { neededStages } from "./base-names.ts";
import { BuildContext, SourceMissing } from "./build-context.ts";
import type { BuiltImage } from "./built-image.ts";
import { CONFIG_INSTRUCTIONS, WrongArgument } from "./config-instructions.ts";
import { UNPACK_LIMITS } from "./archive.ts";
import type { UnpackLimits, Unpacking } from "./archive.ts";
import { CopyRefused } from "./copy-refused.ts";
import { copy, makeWorkdir } from "./copy-steps.ts";
import type { CopyEnvironment } from "./copy-steps.ts";
import { DockerfileError, parseDockerfile, parseInstruction } from "./dockerfile.ts";
import type { Dockerfile, Instruction } from "./dockerfile.ts";
import { expandWord, splitWords, UnknownSubstitution } from "./dockerfile-words.ts";
import { EngineNeeded } from "./engine-needed.ts";
import { BadPattern } from "./glob.ts";
import { LayerFiles } from "./layer-files.ts";
import { Stage } from "./stage.ts";
import { givenArg, predefinedArgs, readStages, stageNamed, stageToBuild } from "./stages.ts";
import type { StagePlan } from "./stages.ts";
import { BadSubstitution } from "./substitution-patterns.ts";

export interface BuildOptions {
  /** The folder whose files may be copied. */
  readonly context: string;
  /** Relative to the context. @default "Dockerfile" */
  readonly dockerfile?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** The stage to build, by name or number. @default - the last one */
  readonly target?: string;
  /** @default linux/amd64, on which HealthOmics runs tasks */
  readonly platform?: Platform;
  /** Labels beside those of the Dockerfile. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Finds the images that FROM and COPY --from name. */
  readonly resolveBase: ResolveBase;
  /** Where layers and files are kept until the caller has pushed the image and removes the folder. */
  readonly folder: string;
  readonly compression?: "gzip" | "none";
  /** Of everything that ADD unpacks. @default 2 GiB and 100,000 entries */
  readonly unpackLimits?: UnpackLimits;
  readonly random?: Random;
  /** Ends the build with the signal's reason. @default - nothing does */
  readonly signal?: AbortSignal | undefined;
}

/** An image, or the first instruction that needs Docker, Podman or Buildah. */
export type BuildOutcome =
  | { readonly kind: "built"; readonly image: BuiltImage }
  | {
      readonly kind: "needsEngine";
      readonly file: string;
      readonly line: number;
      readonly instruction: string;
      readonly reason: string;
    };

/**
 * Builds an image without a daemon: the same Dockerfile, files, arguments and bases give the same digest on every machine
 * and at any time. Only stages that the target needs are looked at.
 * @throws DockerfileError with file and line for what no engine could build either
 * @throws RegistryError where a base cannot be read
 */
export async function buildImage(options: BuildOptions): Promise<BuildOutcome> {
  const file = options.dockerfile ?? "Dockerfile";
  const path = isAbsolute(file) ? file : join(options.context, file);
  const text = await readFile(path, "utf8").catch(() => {
    throw new DockerfileError({ file, line: 1 }, "the file does not exist in the build context");
  });
  const name = isAbsolute(file) ? relative(options.context, file) : file;
  const build = new Build(options, parseDockerfile(text, name), {
    file: name,
    context: await BuildContext.open(options.context, name),
  });
  try {
    return { kind: "built", image: await build.run() };
  } catch (error) {
    if (!(error instanceof EngineNeeded)) throw error;
    const { line, instruction, message } = error;
    return { kind: "needsEngine", file: name, line, instruction, reason: message };
  }
}

const RUN_NEEDS_ENGINE = "RUN runs a command in the image, which needs Docker, Podman or Buildah";
const DEFAULT_PLATFORM: Platform = { os: "linux", architecture: "amd64" };

/** One build: its stages are made when something needs them, each once. */
class Build implements CopyEnvironment {
  readonly context: BuildContext;
  readonly folder: string;
  readonly compression: "gzip" | "none";
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
  readonly unpacking: Unpacking;
  readonly #options: BuildOptions;
  readonly #file: string;
  readonly #files: LayerFiles;
  readonly #platform: Platform;
  readonly #escape: string;
  readonly #plans: readonly StagePlan[];
  readonly #globals: ReadonlyMap<string, string>;
  readonly #stages = new Map<number, Promise<Stage>>();

  constructor(
    options: BuildOptions,
    { instructions, escape }: Dockerfile,
    { file, context }: { readonly file: string; readonly context: BuildContext },
  ) {
    this.context = context;
    this.folder = options.folder;
    this.compression = options.compression ?? "gzip";
    this.random = options.random ?? systemRandom;
    this.signal = options.signal;
    this.unpacking = {
      folder: join(options.folder, "unpacked"),
      random: this.random,
      signal: options.signal,
      limits: options.unpackLimits ?? UNPACK_LIMITS,
      bytes: 0,
      entries: 0,
    };
    this.#options = options;
    this.#file = file;
    this.#files = new LayerFiles(join(options.folder, "files"));
    this.#platform = options.platform ?? DEFAULT_PLATFORM;
    this.#escape = escape;
    const { plans, globals } = readStages(instructions, {
      file,
      escape,
      buildArgs: options.buildArgs ?? {},
      predefined: predefinedArgs(this.#platform),
    });
    this.#plans = plans;
    this.#globals = globals;
  }

  async run(): Promise<BuiltImage> {
    const index = stageToBuild(this.#plans, { file: this.#file, target: this.#options.target });
    this.#refuseRuns(index);
    return (await this.#stage(index)).image(this.#options.labels ?? {});
  }

  /** What an engine builds anyway is not begun here: a COPY or WORKDIR before the RUN would read the whole base. */
  #refuseRuns(target: number): void {
    const needed = neededStages(this.#plans, target, (text) => expandWord(text, (name) => this.#globals.get(name), this.#escape));
    const run = this.#plans
      .flatMap(({ instructions }, index) => (needed.has(index) ? instructions : []))
      .find(({ keyword }) => keyword === "RUN");
    if (run) throw new EngineNeeded(run, RUN_NEEDS_ENGINE);
  }

  /** The stage that a COPY --from means, an earlier one or an image. */
  async source(from: string, before: number): Promise<Stage> {
    const index = stageNamed(this.#plans, from, before);
    if (index !== undefined) return this.#stage(index);
    return this.#onImage(from, this.#platform);
  }

  #stage(index: number): Promise<Stage> {
    const made = this.#stages.get(index) ?? this.#make(index);
    this.#stages.set(index, made);
    return made;
  }

  async #make(index: number): Promise<Stage> {
    const plan = this.#plans[index];
    if (!plan) throw new RangeError(`no stage ${index}`);
    const stage = await this.#told(plan.from, () => this.#begin(plan, index));
    const inherited = (stage.config.OnBuild ?? []).map((text) => parseInstruction(text, { file: this.#file, line: plan.from.line }));
    delete stage.config.OnBuild;
    for (const instruction of [...inherited, ...plan.instructions])
      await this.#told(instruction, () => this.#carryOut(stage, instruction, index));
    return stage;
  }

  async #begin(plan: StagePlan, index: number): Promise<Stage> {
    const expand = (text: string) => expandWord(text, (name) => this.#globals.get(name), this.#escape);
    const image = expand(plan.image);
    const earlier = stageNamed(this.#plans, image, index);
    if (earlier !== undefined && !/^\d+$/.test(image)) return (await this.#stage(earlier)).next();
    const platform = plan.platform === undefined ? this.#platform : platformOf(expand(plan.platform));
    return this.#onImage(image, platform);
  }

  async #onImage(image: string, platform: Platform): Promise<Stage> {
    if (image === "scratch") return new Stage({ base: undefined, platform, files: this.#files });
    const base = await this.#options.resolveBase(parseImageRef(image), platform);
    return new Stage({ base, platform, files: this.#files });
  }

  async #carryOut(stage: Stage, instruction: Instruction, index: number): Promise<void> {
    this.signal?.throwIfAborted();
    const { keyword, text } = instruction;
    const expand = Object.assign((word: string) => expandWord(word, (name) => stage.variable(name), this.#escape), {
      escape: this.#escape,
    });
    if (keyword === "ARG") return this.#declare(stage, text, expand);
    if (keyword === "COPY" || keyword === "ADD") return copy(this, { stage, instruction, index, expand });
    const apply = CONFIG_INSTRUCTIONS[keyword];
    if (!apply) throw new EngineNeeded(instruction, RUN_NEEDS_ENGINE);
    apply(stage, instruction, expand);
    if (keyword === "WORKDIR") return makeWorkdir(this, stage, instruction);
    stage.note(`${keyword} ${text}`);
  }

  #declare(stage: Stage, text: string, expand: (word: string) => string): void {
    for (const word of splitWords(text, this.#escape)) {
      const [name = "", ...rest] = word.split("=");
      if (name === "") throw new WrongArgument(`write ARG name=value, not "ARG ${text}"`);
      const given = givenArg(this.#options.buildArgs ?? {}, name) ?? (rest.length > 0 ? expand(rest.join("=")) : this.#globals.get(name));
      if (given !== undefined) stage.args.set(name, given);
    }
  }

  /** Adds file and line to what went wrong in an instruction. */
  async #told<Result>(instruction: Instruction, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UnknownSubstitution) throw new EngineNeeded(instruction, error.message);
      const isUsers = [SourceMissing, CopyRefused, WrongArgument, InvalidValue, InvalidManifest, BadPattern, BadSubstitution].some(
        (type) => error instanceof type,
      );
      if (isUsers) throw new DockerfileError({ file: this.#file, line: instruction.line }, (error as Error).message);
      throw error;
    }
  }
}

function platformOf(text: string): Platform {
  const [os = "", architecture = "", variant] = text.split("/");
  if (os === "" || architecture === "") throw new WrongArgument(`--platform=${text}: write it as linux/amd64`);
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
