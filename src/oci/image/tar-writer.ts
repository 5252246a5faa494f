/** Something that lies in a layer. Paths have no slash in front; every entry has the same time, 1970. */
export type LayerEntry = FileEntry | DirectoryEntry | SymlinkEntry | SpecialEntry;

interface EntryOwner {
  readonly path: string;
  readonly mode: number;
  /** @default 0 */
  readonly uid?: number;
  /** @default 0 */
  readonly gid?: number;
}

export interface FileEntry extends EntryOwner {
  readonly kind: "file";
  readonly sizeBytes: number;
  /** The bytes, read anew at each call. */
  open(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface DirectoryEntry extends EntryOwner {
  readonly kind: "directory";
}

export interface SymlinkEntry extends EntryOwner {
  readonly kind: "symlink";
  readonly linkTarget: string;
}

/** A device, or a named pipe. */
export interface SpecialEntry extends EntryOwner {
  readonly kind: "special";
  readonly type: SpecialType;
  /** Of a device; a pipe has zeros. */
  readonly major: number;
  readonly minor: number;
}

export type SpecialType = keyof typeof SPECIAL_TYPES;

const SPECIAL_TYPES = { "character-device": "3", "block-device": "4", fifo: "6" } as const;

/** Whether an archive's type of entry is one of `SpecialEntry`. */
export const isSpecialType = (type: string): type is SpecialType => type in SPECIAL_TYPES;

/** A file whose bytes are in memory. */
export const fileOf = (path: string, content: Uint8Array | string, mode = 0o644): FileEntry => {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return { kind: "file", path, mode, sizeBytes: bytes.length, open: () => [bytes] };
};

const BLOCK = 512;

/** How much of a file to read at once: a folder of small files would spend its time on memory that they do not fill. */
export const readBytes = (sizeBytes: number): number => Math.min(Math.max(sizeBytes + 1, BLOCK), 256 * 1024);

/**
 * The tar archive of the entries: sorted by path, the last of equal paths wins, one fixed time, no names of users. The
 * same entries give the same bytes on every machine.
 * @throws Error when a file has another size than its entry says (it changed while it was read)
 */
export async function* tarOf(entries: readonly LayerEntry[]): AsyncGenerator<Uint8Array> {
  const byPath = [...new Map(entries.map((entry) => [entry.path, entry])).values()];
  for (const entry of byPath.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    yield headersOf(entry);
    if (entry.kind === "file") yield* contentOf(entry);
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* contentOf(entry: FileEntry): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of entry.open()) {
    length += chunk.length;
    yield chunk;
  }
  if (length !== entry.sizeBytes) throw new Error(`${entry.path} changed while it was read: ${entry.sizeBytes} bytes became ${length}`);
  const padding = (BLOCK - (length % BLOCK)) % BLOCK;
  if (padding > 0) yield Buffer.alloc(padding);
}

const TYPES = { file: "0", directory: "5", symlink: "2" } as const;
const LARGEST_USTAR_BYTES = 0o77777777777;
/** Eight octal digits: readers take them, though the format would keep the last place for a NUL. */
const LARGEST_USTAR_ID = 0o77777777;
const LONGEST_USTAR_NAME = 100;

/** The ustar header, after a pax header for what ustar has no room for (POSIX.1-2017, pax, "ustar Interchange Format"). */
function headersOf(entry: LayerEntry): Buffer {
  const path = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  const linkTarget = entry.kind === "symlink" ? entry.linkTarget : "";
  const sizeBytes = entry.kind === "file" ? entry.sizeBytes : 0;
  const pax = [
    ...(isPlain(path) ? [] : [record("path", path)]),
    ...(isPlain(linkTarget) ? [] : [record("linkpath", linkTarget)]),
    ...(sizeBytes > LARGEST_USTAR_BYTES ? [record("size", String(sizeBytes))] : []),
    ...(["uid", "gid"] as const).flatMap((name) => ((entry[name] ?? 0) > LARGEST_USTAR_ID ? [record(name, String(entry[name]))] : [])),
  ].join("");
  const main = header({
    name: path,
    linkTarget,
    type: entry.kind === "special" ? SPECIAL_TYPES[entry.type] : TYPES[entry.kind],
    mode: entry.mode,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    sizeBytes,
    ...(entry.kind === "special" && { device: entry }),
  });
  return pax === "" ? main : Buffer.concat([paxHeader(pax), main]);
}

function paxHeader(text: string): Buffer {
  const content = Buffer.from(text);
  const padded = Buffer.alloc(Math.ceil(content.length / BLOCK) * BLOCK);
  content.copy(padded);
  const head = header({
    name: "PaxHeader",
    linkTarget: "",
    type: "x",
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: content.length,
  });
  return Buffer.concat([head, padded]);
}

interface Header {
  readonly name: string;
  readonly linkTarget: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly device?: Pick<SpecialEntry, "major" | "minor">;
}

function header({ name, linkTarget, type, mode, uid, gid, sizeBytes, device }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(cut(name), 0, "latin1");
  block.write(octal(mode & 0o7777, 7), 100);
  block.write(octal(uid > LARGEST_USTAR_ID ? 0 : uid, 7), 108);
  block.write(octal(gid > LARGEST_USTAR_ID ? 0 : gid, 7), 116);
  block.write(octal(sizeBytes > LARGEST_USTAR_BYTES ? 0 : sizeBytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(cut(linkTarget), 157, "latin1");
  block.write("ustar\0" + "00", 257);
  if (device) [device.major, device.minor].forEach((number, index) => block.write(octal(number, 7), 329 + 8 * index));
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");

/** Readers of pax take the name from its record; the others see the beginning. */
const cut = (name: string): string => Buffer.from(name).subarray(0, LONGEST_USTAR_NAME).toString("latin1");

const isPlain = (name: string): boolean => name.length <= LONGEST_USTAR_NAME && /^[\x20-\x7e]*$/.test(name);

/** A pax record begins with its own length, which counts its own digits. */
function record(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
