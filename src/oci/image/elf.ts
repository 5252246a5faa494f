import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** What a program or shared library asks of the dynamic loader. */
export interface Elf {
  /** 32 or 64 bits, and the machine, so that only libraries of the same kind are taken. */
  readonly bits: 32 | 64;
  readonly machine: number;
  /** The dynamic loader; absent for libraries and for static programs. */
  readonly interpreter?: string;
  /** Names of shared libraries: `libc.so.6`. */
  readonly needed: readonly string[];
  /** Folders of its own to look in first, `$ORIGIN` among them. */
  readonly searchPath: readonly string[];
}

/** The ELF facts of a file; undefined where it is none (a script, data). @see https://refspecs.linuxfoundation.org/elf/elf.pdf */
export async function readElf(file: string): Promise<Elf | undefined> {
  await using handle = await open(file);
  const head = await readAt(handle, 0, 64);
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  // Big-endian machines run no workflow engine of ours.
  if (head[5] !== 1) return undefined;
  const layout = head[4] === 2 ? WIDE : NARROW;
  const segments = await readSegments(handle, head, layout);
  const interpreter = segments.find(({ type }) => type === PT_INTERP);
  const about = { bits: layout.bits, machine: head.readUInt16LE(18), ...(await readDynamic(handle, segments, layout)) };
  if (!interpreter) return about;
  return { ...about, interpreter: text(await readAt(handle, interpreter.offset, interpreter.sizeBytes), 0) };
}

/** Where the fields stand, for 32 and for 64 bits. */
interface Layout {
  readonly bits: 32 | 64;
  readonly word: number;
  readonly tableAt: number;
  readonly entrySizeAt: number;
  readonly segment: { readonly offset: number; readonly address: number; readonly size: number };
}

const NARROW: Layout = {
  bits: 32,
  word: 4,
  tableAt: 28,
  entrySizeAt: 42,
  segment: { offset: 4, address: 8, size: 16 },
};
const WIDE: Layout = { bits: 64, word: 8, tableAt: 32, entrySizeAt: 54, segment: { offset: 8, address: 16, size: 32 } };

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;

const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_RPATH = 15;
const DT_RUNPATH = 29;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

async function readSegments(handle: FileHandle, head: Buffer, layout: Layout): Promise<readonly Segment[]> {
  const entrySize = head.readUInt16LE(layout.entrySizeAt);
  const count = head.readUInt16LE(layout.entrySizeAt + 2);
  const table = await readAt(handle, word(head, layout.tableAt, layout), entrySize * count);
  return Array.from({ length: Math.floor(table.length / entrySize) }, (_, index) => {
    const at = index * entrySize;
    const { offset, address, size } = layout.segment;
    return {
      type: table.readUInt32LE(at),
      offset: word(table, at + offset, layout),
      address: word(table, at + address, layout),
      sizeBytes: word(table, at + size, layout),
    };
  });
}

async function readDynamic(handle: FileHandle, segments: readonly Segment[], layout: Layout): Promise<Pick<Elf, "needed" | "searchPath">> {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (!dynamic) return { needed: [], searchPath: [] };
  const table = await readAt(handle, dynamic.offset, dynamic.sizeBytes);
  const entries = Array.from({ length: Math.floor(table.length / (2 * layout.word)) }, (_, index) => {
    const at = index * 2 * layout.word;
    return { tag: word(table, at, layout), value: word(table, at + layout.word, layout) };
  });
  const valueOf = (wanted: number) => entries.find(({ tag }) => tag === wanted)?.value ?? 0;
  const names = await readAt(handle, fileOffset(segments, valueOf(DT_STRTAB)), valueOf(DT_STRSZ));
  const textsOf = (...wanted: readonly number[]) =>
    entries.filter(({ tag }) => wanted.includes(tag)).map(({ value }) => text(names, value));
  return { needed: textsOf(DT_NEEDED), searchPath: textsOf(DT_RUNPATH, DT_RPATH).flatMap((list) => list.split(":")) };
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const segment = segments.find((one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.sizeBytes);
  return segment ? address - segment.address + segment.offset : address;
}

const word = (buffer: Buffer, at: number, { bits }: Layout): number =>
  bits === 64 ? Number(buffer.readBigUInt64LE(at)) : buffer.readUInt32LE(at);

function text(buffer: Buffer, at: number): string {
  const end = buffer.indexOf(0, at);
  return buffer.toString("utf8", at, end < 0 ? buffer.length : end);
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}
