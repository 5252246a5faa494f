import { posix } from "node:path";
import type { Platform } from "../manifest.ts";
import type { BaseImage } from "./base-image.ts";
import { CREATED, imageOf } from "./built-image.ts";
import type { BuiltImage, ContainerConfig, HistoryEntry } from "./built-image.ts";
import type { FileTree } from "./file-tree.ts";
import type { Layer } from "./layer.ts";
import type { LayerFiles } from "./layer-files.ts";
import type { LayerEntry } from "./tar-writer.ts";

/** What a stage may change of a configuration while its instructions are carried out. */
export type ConfigDraft = { -readonly [Key in keyof ContainerConfig]: ContainerConfig[Key] };

/** What Docker gives an image that is made of nothing. */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** One stage of a build: a base, and what the instructions so far made of it. */
export class Stage {
  readonly platform: Platform;
  readonly config: ConfigDraft;
  /** Values of ARG, by name. */
  readonly args = new Map<string, string>();
  /** What MAINTAINER says. */
  author: string | undefined;
  /** Whether this Dockerfile, and not the base, set CMD: ENTRYPOINT clears an inherited one. */
  isCommandOwn = false;
  readonly #base: BaseImage | undefined;
  readonly #files: LayerFiles;
  readonly #layers: Layer[];
  readonly #history: HistoryEntry[];
  #tree: Promise<FileTree> | undefined;

  constructor({
    base,
    platform,
    files,
  }: {
    readonly base: BaseImage | undefined;
    readonly platform: Platform;
    readonly files: LayerFiles;
  }) {
    this.#base = base;
    this.#files = files;
    const of = base?.config;
    this.platform = of
      ? { os: of.os, architecture: of.architecture, ...(of.variant === undefined ? {} : { variant: of.variant }) }
      : platform;
    this.author = of?.author;
    this.config = { ...(base ? of?.config : { Env: [DEFAULT_PATH] }) };
    this.#layers = [...(base?.layers ?? [])];
    this.#history = [...(of?.history ?? [])];
  }

  /** A new stage on top of what this one is now. */
  next(): Stage {
    const stage = new Stage({ base: this.#base, platform: this.platform, files: this.#files });
    Object.assign(stage.config, this.config);
    stage.author = this.author;
    stage.#layers.splice(0, Infinity, ...this.#layers);
    stage.#history.splice(0, Infinity, ...this.#history);
    if (this.#tree) stage.#tree = this.#tree.then((tree) => tree.copy());
    return stage;
  }

  /** The files of the stage. Those of a base image are looked up only when something is copied. */
  tree(): Promise<FileTree> {
    return (this.#tree ??= this.#files.tree(this.#layers));
  }

  /** Makes the content of entries readable. */
  fetch(entries: readonly LayerEntry[]): Promise<void> {
    return this.#files.fetch(entries);
  }

  /** Notes an instruction that changed only the configuration. */
  note(instruction: string): void {
    this.#history.push({ created: CREATED, created_by: instruction, empty_layer: true });
  }

  /** Puts a layer on top. Its entries must be in the tree already. */
  addLayer(layer: Layer, instruction: string): void {
    this.#layers.push(layer);
    this.#history.push({ created: CREATED, created_by: instruction });
  }

  /** A path as the stage's instructions mean it: relative ones start at WORKDIR. */
  absolute(path: string): string {
    return posix.resolve(this.config.WorkingDir || "/", path);
  }

  /** The value of a variable: what ENV sets goes before ARG. */
  variable(name: string): string | undefined {
    const entry = this.config.Env?.findLast((one) => one.startsWith(`${name}=`));
    return entry?.slice(name.length + 1) ?? this.args.get(name);
  }

  /** The image as it is now. */
  image(labels: Readonly<Record<string, string>>): BuiltImage {
    const merged = { ...this.config.Labels, ...labels };
    const config = Object.keys(merged).length === 0 ? this.config : { ...this.config, Labels: sorted(merged) };
    return imageOf({
      platform: this.platform,
      ...(this.author === undefined ? {} : { author: this.author }),
      config: sorted(config) as ContainerConfig,
      history: this.#history,
      layers: this.#layers,
    });
  }
}

/** Members in one order, so that equal configurations have equal bytes. */
function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
