import { posix } from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import tar from "tar-stream";
import type { CopySource } from "./build-context.ts";
import type { Instruction } from "./dockerfile.ts";
import { EngineNeeded } from "./engine-needed.ts";
import { fileOf } from "./tar-writer.ts";
import type { LayerEntry } from "./tar-writer.ts";

/** ADD unpacks a local tar archive. One that this code cannot unpack is a case for an engine, never copied packed. */
export async function unpackedIfArchive(source: CopySource, instruction: Instruction): Promise<CopySource> {
  const [file] = source.entries;
  if (source.isFolder || file?.kind !== "file") return source;
  const start = await startOf(file);
  const packing = Object.entries(PACKINGS).find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0];
  if (packing === undefined && !isTar(start)) return source;
  if (packing !== undefined && packing !== "gzip")
    throw new EngineNeeded(instruction, `ADD of an archive packed by ${packing} (${source.name}) needs Docker, Podman or Buildah`);
  const bytes = await buffer(Readable.from(file.open()));
  const plain = packing === "gzip" ? gunzipSync(bytes) : bytes;
  return isTar(plain) ? { name: source.name, isFolder: true, entries: await entriesOf(plain) } : source;
}

const PACKINGS: Readonly<Record<string, Buffer>> = {
  gzip: Buffer.from([0x1f, 0x8b]),
  bzip2: Buffer.from("BZh"),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
};

const isTar = (bytes: Buffer): boolean => bytes.length >= 512 && bytes.toString("latin1", 257, 262) === "ustar";

async function startOf(file: Extract<LayerEntry, { kind: "file" }>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.open()) {
    chunks.push(chunk);
    if (chunks.reduce((sum, one) => sum + one.length, 0) >= 512) break;
  }
  return Buffer.concat(chunks);
}

async function entriesOf(archive: Buffer): Promise<readonly LayerEntry[]> {
  const extract = tar.extract();
  extract.end(archive);
  const entries: LayerEntry[] = [];
  for await (const entry of extract) {
    const { name, type, mode = 0o644, uid = 0, gid = 0, linkname } = entry.header;
    const about = { path: posix.normalize(`/${name}`).replace(/^\/+|\/+$/g, ""), mode: mode & 0o7777, uid, gid };
    const content = await buffer(entry as unknown as AsyncIterable<Uint8Array>);
    const linked = type === "link" ? entries.find(({ path }) => path === posix.normalize(`/${linkname ?? ""}`).slice(1)) : undefined;
    if (about.path === "") continue;
    if (type === "directory") entries.push({ kind: "directory", ...about });
    else if (type === "symlink") entries.push({ kind: "symlink", ...about, mode: 0o777, linkTarget: linkname ?? "" });
    else if (type === "file") entries.push({ ...fileOf(about.path, content), ...about });
    else if (linked) entries.push({ ...linked, path: about.path });
  }
  return entries;
}
