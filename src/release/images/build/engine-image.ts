import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { extract as tarExtract } from "tar-stream";
import { type BuiltImage, imageWith } from "../../../oci/image/built-image.ts";
import { packingOf } from "../../../oci/image/decompress.ts";
import { fileBlob, type Layer } from "../../../oci/image/layer.ts";
import { MEDIA_TYPES } from "../../../oci/media-types.ts";
import { type Engine, run } from "./engine.ts";

export interface EngineImage {
  readonly engine: Engine;
  /** What the engine calls it, under whatever name. */
  readonly id: string;
  /** Layers that some registry has, by the digest of their archive: they are not packed a second time. */
  readonly known: ReadonlyMap<string, Layer>;
  /** For layers; the caller removes it. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes an image out of an engine, ready to be pushed by its digest: an engine pushes to tags alone.
 * @throws ReleaseError ImagesFailed with what the engine says
 */
export async function takeImage({ engine, id, known, folder, signal }: EngineImage): Promise<BuiltImage> {
  await mkdir(folder, { recursive: true });
  const archive = join(folder, "saved.tar");
  await run({ ...engine, onLine: () => undefined }, saveArguments(engine, id, archive));
  const saved = await readSaved(archive);
  const [config] = await filesOf(archive, new Set([saved.Config]), (_, content) => buffer(content));
  if (!config) throw incomplete(engine, saved.Config);
  const { diff_ids: diffIds } = (JSON.parse(config.toString("utf8")) as { readonly rootfs: { readonly diff_ids: readonly string[] } })
    .rootfs;
  const layers = new Map(known);
  // The same archive may be there twice, once as a link to the other.
  const wanted = new Map(diffIds.flatMap((diffId, index) => (layers.has(diffId) ? [] : [[saved.Layers[index] ?? "", diffId] as const])));
  await filesOf(archive, new Set(wanted.keys()), async (name, content) => {
    const diffId = wanted.get(name) ?? "";
    layers.set(diffId, await packLayer(content, { diffId, file: join(folder, diffId.replace(":", "-")), signal }));
  });
  await rm(archive);
  return imageWith(
    config,
    diffIds.map((diffId) => layers.get(diffId) ?? fail(incomplete(engine, diffId))),
  );
}

function saveArguments({ program }: Engine, id: string, archive: string): readonly string[] {
  if (program === "docker") return ["save", "--output", archive, id];
  return program === "podman"
    ? ["save", "--quiet", "--format", "docker-archive", "--output", archive, id]
    : ["push", "--quiet", id, `docker-archive:${archive}`];
}

/** Docker's own list of what an archive holds (moby, image/spec, "manifest.json"), which all engines write. */
interface Saved {
  readonly Config: string;
  readonly Layers: readonly string[];
}

async function readSaved(archive: string): Promise<Saved> {
  const [list] = await filesOf(archive, new Set(["manifest.json"]), (_, content) => buffer(content));
  const [saved] = JSON.parse(list?.toString("utf8") ?? "[]") as readonly {
    readonly Config: string;
    readonly Layers: readonly string[] | null;
  }[];
  if (!saved) throw new Error("the engine saved an archive without an image");
  return { Config: saved.Config, Layers: saved.Layers ?? [] };
}

/** Reads the files of these names out of an archive, as they come. */
async function filesOf<Result>(
  archive: string,
  names: ReadonlySet<string>,
  read: (name: string, content: Readable) => Promise<Result>,
): Promise<readonly Result[]> {
  const tar = tarExtract();
  const feeding = pipeline(createReadStream(archive, { highWaterMark: 1024 * 1024 }), tar);
  feeding.catch(() => undefined);
  const results: Result[] = [];
  for await (const entry of tar) {
    const { name, type } = entry.header;
    if (type === "file" && names.has(name)) results.push(await read(name, entry as unknown as Readable));
    entry.resume();
  }
  await feeding;
  return results;
}

interface Packing {
  readonly diffId: string;
  readonly file: string;
  readonly signal: AbortSignal | undefined;
}

/** What an engine has packed already stays as it is; the rest is packed, and has to be what the configuration says. */
async function packLayer(content: Readable, { diffId, file, signal }: Packing): Promise<Layer> {
  const { packing, all } = await begun(content);
  const [plain, packed] = [createHash("sha256"), createHash("sha256")];
  let size = 0;
  const counted = seen((chunk) => {
    signal?.throwIfAborted();
    packed.update(chunk);
    size += chunk.length;
  });
  if (packing) await pipeline(all, counted, createWriteStream(file));
  else
    await pipeline(
      all,
      seen((chunk) => plain.update(chunk)),
      createGzip(),
      counted,
      createWriteStream(file),
    );
  const found = `sha256:${plain.digest("hex")}`;
  if (!packing && found !== diffId) throw new Error(`the engine saved the layer ${found} as ${diffId}`);
  const descriptor = {
    mediaType: packing === "zstd" ? MEDIA_TYPES.ociLayerZstd : MEDIA_TYPES.ociLayerGzip,
    digest: `sha256:${packed.digest("hex")}`,
    size,
  };
  return { descriptor, diffId, source: fileBlob(file, descriptor) };
}

/** How a stream is packed, and all of it. */
async function begun(content: Readable): Promise<{ readonly packing: ReturnType<typeof packingOf>; readonly all: Readable }> {
  const chunks = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done) return { packing: undefined, all: Readable.from([], { objectMode: false }) };
  return { packing: packingOf(first.value), all: Readable.from(after(first.value, chunks), { objectMode: false }) };
}

async function* after(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => chunks };
}

const seen = (see: (chunk: Buffer) => void) =>
  async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      see(chunk);
      yield chunk;
    }
  };

const incomplete = ({ program }: Engine, name: string): Error => new Error(`${program} saved an image without its ${name}`);

function fail(error: Error): never {
  throw error;
}
