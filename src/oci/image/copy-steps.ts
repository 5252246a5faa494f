import { posix } from "node:path";
import type { Random } from "../../kit/random.ts";
import { unpackedIfArchive } from "./add-archive.ts";
import { SourceMissing } from "./build-context.ts";
import type { BuildContext, CopySource } from "./build-context.ts";
import type { Unpacking } from "./archive.ts";
import { copyInto, folderInto } from "./copy-instruction.ts";
import { CopyRefused } from "./copy-refused.ts";
import { heredocWord } from "./dockerfile.ts";
import type { Instruction } from "./dockerfile.ts";
import { expandText } from "./dockerfile-words.ts";
import { globPattern, isGlob } from "./glob.ts";
import { EngineNeeded } from "./engine-needed.ts";
import type { FileTree } from "./file-tree.ts";
import { writeLayer } from "./layer.ts";
import type { Stage } from "./stage.ts";
import { fileOf } from "./tar-writer.ts";
import type { LayerEntry } from "./tar-writer.ts";

/** What a COPY needs of the build that it is part of. */
export interface CopyEnvironment {
  readonly context: BuildContext;
  readonly folder: string;
  readonly compression: "gzip" | "none";
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
  /** How much the archives of the build have been so far. */
  readonly unpacking: Unpacking;
  /** The stage or image that `--from` means, seen from a stage's number. */
  source(from: string, before: number): Promise<Stage>;
}

/** A COPY or ADD at its place in a build. */
export interface CopyStep {
  readonly stage: Stage;
  readonly instruction: Instruction;
  /** The number of the stage: only earlier ones can be copied from. */
  readonly index: number;
  readonly expand: (text: string) => string;
}

const KNOWN_FLAGS = new Set(["from", "chown", "chmod", "link"]);

/** Carries out a COPY or ADD: one layer on top of the stage. */
export async function copy(build: CopyEnvironment, step: CopyStep): Promise<void> {
  const { stage, instruction, expand } = step;
  const { keyword, text, json, flags } = instruction;
  const unknown = Object.entries(flags).find(([flag, value]) => !KNOWN_FLAGS.has(flag) && !/^false$/i.test(value));
  if (unknown) throw new EngineNeeded(instruction, `${keyword} --${unknown[0]} needs Docker or Buildah`);
  const written = json ?? text.split(/\s+/);
  const words = written.map((word) => (heredocWord(word) ? word : expand(word)));
  if (heredocWord(written.at(-1) ?? "")) throw new CopyRefused(`${written.at(-1)} is a text, and cannot be where ${keyword} copies to`);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) throw new CopyRefused(`write ${keyword} source destination`);
  const sources = (await Promise.all(words.slice(0, -1).map((word) => sourcesOf(build, step, word)))).flat();
  if (sources.length === 0)
    throw new SourceMissing(
      `no file ${flags["from"] === undefined ? "of the build context" : "there"} fits ${words.slice(0, -1).join(" ")}`,
    );
  const [chown, chmod] = [flags["chown"], flags["chmod"]].map((flag) => (flag && expand(flag)) || undefined);
  if (chmod && /^[ugoa]*[-+=]/.test(chmod))
    throw new EngineNeeded(instruction, `--chmod=${chmod}, a mode in letters, needs Docker with BuildKit; octal digits need no engine`);
  const entries = await copyInto(stage, { sources, destination, chown, chmod });
  stage.addLayer(await writeLayer(entries, build), `${keyword} ${text}`);
}

/** WORKDIR makes its folder where it is not there, for the user of that moment, as BuildKit does. */
export async function makeWorkdir(build: CopyEnvironment, stage: Stage, { keyword, text }: Instruction): Promise<void> {
  const entries = await folderInto(stage, stage.config.WorkingDir ?? "/");
  if (entries.length === 0) stage.note(`${keyword} ${text}`);
  else stage.addLayer(await writeLayer(entries, build), `${keyword} ${text}`);
}

async function sourcesOf(build: CopyEnvironment, step: CopyStep, word: string): Promise<readonly CopySource[]> {
  const { instruction, index } = step;
  const from = instruction.flags["from"] || undefined;
  if (heredocWord(word)) return [heredocOf(step, word)];
  if (from !== undefined) return fromStage(await build.source(from, index), word);
  if (instruction.keyword !== "ADD") return build.context.find(word);
  if (/^(?:https?|git|ssh):\/\/|^git@|\.git(?:#|$)/.test(word))
    throw new EngineNeeded(instruction, `ADD of an address (${word}) needs Docker, Podman or Buildah`);
  return Promise.all((await build.context.find(word)).map((source) => unpackedIfArchive(source, instruction, build.unpacking)));
}

function heredocOf({ stage, instruction }: CopyStep, word: string): CopySource {
  const { name, isExpanded } = heredocWord(word) ?? { name: word, isExpanded: false };
  // Of two texts with one name BuildKit takes the last, for both.
  const found = instruction.heredocs.findLast((one) => one.name === name);
  if (!found) throw new CopyRefused(`the text ${word} is not there`);
  const content = isExpanded ? expandText(found.content, (variable) => stage.variable(variable)) : found.content;
  return { name, isFolder: false, entries: [fileOf("", content)] };
}

const fitting = (pattern: RegExp, tree: FileTree): readonly string[] =>
  tree.below("").flatMap(([path]) => (pattern.test(path) ? [path] : []));

async function fromStage(stage: Stage, word: string): Promise<readonly CopySource[]> {
  const tree = await stage.tree();
  const pattern = posix.resolve("/", word).slice(1);
  const paths = isGlob(pattern) ? fitting(globPattern(pattern), tree) : [pattern];
  const wanted: LayerEntry[] = [];
  const sources = paths.map((path): CopySource => {
    const real = tree.resolve(path);
    const node = tree.at(real);
    if (!node) throw new SourceMissing(`${word} is not in the image or stage that is copied from`);
    const below = node.kind === "directory" ? tree.below(real) : [["", node] as const];
    wanted.push(...below.flatMap(([, { entry }]) => entry ?? []));
    const entries = below.map(([at, { entry }]): LayerEntry => ({ ...(entry ?? { kind: "directory", mode: 0o755 }), path: at }));
    return { name: posix.basename(path), isFolder: node.kind === "directory", entries };
  });
  await stage.fetch(wanted);
  return sources;
}
