import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import type { Header } from "tar-stream";
import { unpacked } from "./decompress.ts";
import { fileBytes } from "./file-bytes.ts";
import { FileTree } from "./file-tree.ts";
import { InvalidManifest } from "../manifest.ts";
import type { Layer } from "./layer.ts";
import { isSpecialType } from "./tar-writer.ts";
import type { LayerEntry } from "./tar-writer.ts";

/** The files of existing layers: which there are, and, once fetched, their content. */
export class LayerFiles {
  readonly #folder: string;
  /** Where the content of an entry lies: the layer, and the path it has there. */
  readonly #origins = new WeakMap<LayerEntry, { readonly layer: Layer; readonly path: string }>();
  readonly #fetched = new Set<string>();

  /** @param folder the caller's, for the content that is fetched */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The files of the layers one over another, whiteouts applied. Each layer is read once, nothing is kept but names. */
  async tree(layers: readonly Layer[]): Promise<FileTree> {
    const tree = new FileTree();
    for (const layer of layers) await this.#apply(tree, layer);
    return tree;
  }

  /** Makes the content of entries of existing layers readable; entries from elsewhere are left alone. */
  async fetch(entries: readonly LayerEntry[]): Promise<void> {
    const wanted = new Map<Layer, Set<string>>();
    for (const entry of entries) {
      const origin = entry.kind === "file" ? this.#origins.get(entry) : undefined;
      if (!origin || this.#fetched.has(this.#fileFor(origin))) continue;
      wanted.set(origin.layer, (wanted.get(origin.layer) ?? new Set()).add(origin.path));
    }
    await mkdir(this.#folder, { recursive: true });
    for (const [layer, paths] of wanted) await this.#fetchFrom(layer, paths);
  }

  async #apply(tree: FileTree, layer: Layer): Promise<void> {
    const headers: Header[] = [];
    await eachEntry(layer, (header) => void headers.push(header));
    // What a layer takes away is taken from the layers below it, wherever in its archive that stands.
    for (const { name } of headers) removeWhiteout(tree, cleanPath(name));
    for (const header of headers) this.#put(tree, layer, header);
  }

  #put(tree: FileTree, layer: Layer, { name, type, mode = 0o644, uid = 0, gid = 0, size = 0, linkname, devmajor, devminor }: Header): void {
    const path = cleanPath(name);
    if (path === "" || posix.basename(path).startsWith(".wh.")) return;
    const about = { path, mode: mode & 0o7777, uid, gid };
    if (type === "directory") return tree.put({ kind: "directory", ...about });
    if (type === "symlink") return tree.put({ kind: "symlink", ...about, linkTarget: linkname ?? "" });
    if (type === "link") return this.#putHardLink(tree, path, cleanPath(linkname ?? ""));
    if (type && isSpecialType(type)) return tree.put({ kind: "special", ...about, type, major: devmajor ?? 0, minor: devminor ?? 0 });
    if (type !== "file" && type !== "contiguous-file") return;
    this.#putFile(tree, { kind: "file", ...about, sizeBytes: size }, { layer, path });
  }

  #putFile(
    tree: FileTree,
    entry: Omit<Extract<LayerEntry, { kind: "file" }>, "open">,
    origin: { readonly layer: Layer; readonly path: string },
  ): void {
    const whole: LayerEntry = { ...entry, open: () => fileBytes(this.#fileFor(origin), entry.sizeBytes) };
    this.#origins.set(whole, origin);
    tree.put(whole);
  }

  #putHardLink(tree: FileTree, path: string, target: string): void {
    const node = tree.at(target);
    const origin = node?.kind === "file" ? this.#origins.get(node.entry) : undefined;
    if (node?.kind === "file" && node.entry.kind === "file" && origin) this.#putFile(tree, { ...node.entry, path }, origin);
  }

  async #fetchFrom(layer: Layer, paths: ReadonlySet<string>): Promise<void> {
    await eachEntry(layer, async ({ name, type }, content) => {
      const path = cleanPath(name);
      if (type === "link" || !paths.has(path)) return;
      await pipeline(content, createWriteStream(this.#fileFor({ layer, path })));
    });
    for (const path of paths) this.#fetched.add(this.#fileFor({ layer, path }));
  }

  #fileFor({ layer, path }: { readonly layer: Layer; readonly path: string }): string {
    return join(this.#folder, createHash("sha256").update(`${layer.descriptor.digest} ${path}`).digest("hex"));
  }
}

/** Calls for each entry of the layer's archive, one after another; content that is not read is passed over. */
async function eachEntry(
  { source }: Pick<Layer, "source">,
  visit: (header: Header, content: AsyncIterable<Uint8Array>) => Promise<void> | void,
): Promise<void> {
  const extract = tar.extract();
  const feeding = pipeline(unpacked(source.read()), extract);
  const reading = (async () => {
    for await (const entry of extract) {
      await visit(entry.header, entry as unknown as AsyncIterable<Uint8Array>);
      entry.resume();
    }
  })();
  await Promise.all([feeding, reading]).catch((error: NodeJS.ErrnoException) => {
    const isDamaged = error.code?.startsWith("Z_") || /^(?:Invalid tar header|Unexpected end of data)/.test(error.message);
    throw isDamaged ? new InvalidManifest(`the layer ${source.blob.digest} of a base can't be unpacked: ${error.message}`) : error;
  });
}

/** `.wh.name` takes a name of lower layers away, `.wh..wh..opq` everything in its folder (OCI image spec, "Whiteouts"). */
function removeWhiteout(tree: FileTree, path: string): void {
  const folder = posix.dirname(path) === "." ? "" : posix.dirname(path);
  const name = posix.basename(path);
  if (name === ".wh..wh..opq") tree.clear(folder);
  else if (name.startsWith(".wh.")) tree.remove(posix.join(folder, name.slice(".wh.".length)));
}

/** Without a slash at either end, and never above the root. */
const cleanPath = (name: string): string => posix.normalize(`/${name}`).replace(/^\/+|\/+$/g, "");
