// Layers that compress as images do: files of this machine, gzip level 6. Archives of about a MiB each are compressed once
// and kept in the temporary folder; a layer is a row of them in an order of its own (a gzip file may have many members).
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { fileOf, tarOf } from "../../src/oci/image/tar-writer.ts";
import type { FileEntry } from "../../src/oci/image/tar-writer.ts";

/** A layer, and the digest of its archive before it was compressed. */
export interface Layer {
  readonly bytes: Buffer;
  readonly diffId: string;
}

/** Makes layers of about the size that is asked for, each with other bytes. */
export type MakeLayer = (seed: string, sizeBytes: number) => Promise<Layer>;

/** Where a member lies: in the file of compressed members, and in that of their archives. */
interface Member {
  readonly at: number;
  readonly size: number;
  readonly archiveAt: number;
  readonly archiveSize: number;
}

const FOLDERS = ["/usr/lib", "/usr/share", "/usr/bin"];
const POOL_BYTES = 192 * 1024 * 1024;
const MEMBER_BYTES = 1024 * 1024;
const LARGEST_FILE_BYTES = 16 * 1024 * 1024;
const END_BYTES = 1024;

const compress = promisify(gzip);

/** Reads the pool of members, or makes it once: some ten seconds. */
export async function realLayers(): Promise<MakeLayer> {
  const folder = join(tmpdir(), "omx-bench-members-1");
  if (!existsSync(join(folder, "index.json"))) await makePool(folder);
  const members = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as readonly Member[];
  const [pool, archives] = [readFileSync(join(folder, "members")), openSync(join(folder, "archives"), "r")];
  const raw = Buffer.alloc(Math.max(...members.map(({ archiveSize }) => archiveSize)));
  return async (seed, sizeBytes) => {
    const hash = createHash("sha256");
    const parts: Buffer[] = [];
    const own = archived([fileOf(`opt/${seed}`, `${seed}\n`)]);
    parts.push(await compressed(hash, await own));
    let left = sizeBytes - (parts[0]?.length ?? 0);
    for (const { at, size, archiveAt, archiveSize } of inOrderOf(seed, members)) {
      if (left <= 0) break;
      readSync(archives, raw, 0, archiveSize, archiveAt);
      hash.update(raw.subarray(0, archiveSize));
      parts.push(pool.subarray(at, at + size));
      left -= size;
    }
    if (left > 0) throw new Error(`a layer of ${sizeBytes} bytes is more than the pool of real files has`);
    parts.push(await compressed(hash, Buffer.alloc(END_BYTES)));
    return { bytes: Buffer.concat(parts), diffId: `sha256:${hash.digest("hex")}` };
  };
}

async function compressed(hash: ReturnType<typeof createHash>, bytes: Buffer): Promise<Buffer> {
  hash.update(bytes);
  return await compress(bytes, { level: 6 });
}

/** All members, from a place that the seed chooses, in steps that reach each of them once. */
function* inOrderOf(seed: string, members: readonly Member[]): Generator<Member> {
  const digest = createHash("sha256").update(seed).digest();
  const count = members.length;
  const steps = [1, 3, 7, 11, 13, 17, 19, 23].filter((step) => count % step !== 0 || step === 1);
  const step = steps[digest.readUInt32BE(4) % steps.length] ?? 1;
  for (let index = 0, at = digest.readUInt32BE(0) % count; index < count; index += 1, at = (at + step) % count) {
    const member = members[at];
    if (member) yield member;
  }
}

/** An archive without its end, so that others can follow. */
const archived = async (files: readonly FileEntry[]): Promise<Buffer> =>
  (await buffer(Readable.from(tarOf(files)))).subarray(0, -END_BYTES);

async function makePool(folder: string): Promise<void> {
  const making = `${folder}-${process.pid}`;
  mkdirSync(making, { recursive: true });
  const [members, archives] = [openSync(join(making, "members"), "w"), openSync(join(making, "archives"), "w")];
  const index: Member[] = [];
  let [at, archiveAt] = [0, 0];
  const groups = groupsOf(machineFiles());
  while (at < POOL_BYTES) {
    // Two at a time: as many as the smallest machine has cores.
    const batch = await Promise.all([groups.next(), groups.next()].flatMap(({ value }) => (value ? [packed(value)] : [])));
    if (batch.length === 0) throw new Error(`${FOLDERS.join(", ")} have too few files for the layers`);
    for (const { bytes, archive } of batch) {
      writeSync(members, bytes);
      writeSync(archives, archive);
      index.push({ at, size: bytes.length, archiveAt, archiveSize: archive.length });
      at += bytes.length;
      archiveAt += archive.length;
    }
  }
  closeSync(members);
  closeSync(archives);
  writeFileSync(join(making, "index.json"), JSON.stringify(index));
  renameSync(making, folder);
}

async function packed(files: readonly string[]): Promise<{ readonly bytes: Buffer; readonly archive: Buffer }> {
  const archive = await archived(files.map((file) => fileOf(file.slice(1), readFileSync(file))));
  return { archive, bytes: await compress(archive, { level: 6 }) };
}

function* groupsOf(files: Iterable<string>): Generator<readonly string[]> {
  let group: string[] = [];
  let bytes = 0;
  for (const file of files) {
    group.push(file);
    bytes += statSync(file).size;
    if (bytes < MEMBER_BYTES) continue;
    yield group;
    [group, bytes] = [[], 0];
  }
}

/** Not `recursive` of readdir, which follows links: /usr/bin/X11 leads to itself. */
function* filesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else if (entry.isFile()) yield path;
  }
}

/** Files of this machine, well mixed. */
function machineFiles(): readonly string[] {
  const hashed = (file: string) => createHash("sha1").update(file).digest("hex");
  return FOLDERS.flatMap((folder) => [...filesIn(folder)])
    .filter((file) => statSync(file).size <= LARGEST_FILE_BYTES)
    .map((file) => [hashed(file), file] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, file]) => file);
}
