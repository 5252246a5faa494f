import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";

/** What the x86 kernel runs without an emulation. */
export type TinyArchitecture = "386" | "amd64";

const u16 = (value: number): readonly number[] => [value & 0xff, value >>> 8];
const u32 = (value: number): readonly number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const u64 = (value: number): readonly number[] => [...u32(value), ...u32(0)];

const BASE = 0x10000;
const FLAGS = 0x241;
const MODE = 0o644;

/** A program without libraries, by the System V ABI, that writes its architecture to `/made`: the smallest image in which a RUN leaves something. */
function tinyProgram(architecture: TinyArchitecture): Buffer {
  const [written, path] = [Buffer.from(`${architecture}\n`), Buffer.from("/made\0")];
  const code = architecture === "amd64" ? codeOf64 : codeOf32;
  const headerBytes = architecture === "amd64" ? 64 + 56 : 52 + 32;
  const at = BASE + headerBytes + code(0, 0, 0).length;
  const body = Buffer.concat([Buffer.from(code(at, written.length, at + written.length)), written, path]);
  const header = architecture === "amd64" ? header64(headerBytes + body.length) : header32(headerBytes + body.length);
  return Buffer.concat([Buffer.from(header), body]);
}

// open(path, O_WRONLY|O_CREAT|O_TRUNC, 0644); write(fd, text, bytes); exit(0)
const codeOf64 = (text: number, bytes: number, path: number): readonly number[] => [
  0xbf,
  ...u32(path),
  0xbe,
  ...u32(FLAGS),
  0xba,
  ...u32(MODE),
  0xb8,
  ...u32(2),
  0x0f,
  0x05,
  0x89,
  0xc7,
  0xbe,
  ...u32(text),
  0xba,
  ...u32(bytes),
  0xb8,
  ...u32(1),
  0x0f,
  0x05,
  0x31,
  0xff,
  0xb8,
  ...u32(60),
  0x0f,
  0x05,
];
const codeOf32 = (text: number, bytes: number, path: number): readonly number[] => [
  0xbb,
  ...u32(path),
  0xb9,
  ...u32(FLAGS),
  0xba,
  ...u32(MODE),
  0xb8,
  ...u32(5),
  0xcd,
  0x80,
  0x89,
  0xc3,
  0xb9,
  ...u32(text),
  0xba,
  ...u32(bytes),
  0xb8,
  ...u32(4),
  0xcd,
  0x80,
  0x31,
  0xdb,
  0xb8,
  ...u32(1),
  0xcd,
  0x80,
];

const ident = (bits: 1 | 2): readonly number[] => [0x7f, 0x45, 0x4c, 0x46, bits, 1, 1, ...Array.from({ length: 9 }, () => 0)];
const header64 = (size: number): readonly number[] => [
  ...ident(2),
  ...u16(2),
  ...u16(62),
  ...u32(1),
  ...u64(BASE + 64 + 56),
  ...u64(64),
  ...u64(0),
  ...u32(0),
  ...u16(64),
  ...u16(56),
  ...u16(1),
  ...u16(0),
  ...u16(0),
  ...u16(0),
  ...u32(1),
  ...u32(5),
  ...u64(0),
  ...u64(BASE),
  ...u64(BASE),
  ...u64(size),
  ...u64(size),
  ...u64(0x1000),
];
const header32 = (size: number): readonly number[] => [
  ...ident(1),
  ...u16(2),
  ...u16(3),
  ...u32(1),
  ...u32(BASE + 52 + 32),
  ...u32(52),
  ...u32(0),
  ...u32(0),
  ...u16(52),
  ...u16(32),
  ...u16(1),
  ...u16(0),
  ...u16(0),
  ...u16(0),
  ...u32(1),
  ...u32(0),
  ...u32(BASE),
  ...u32(BASE),
  ...u32(size),
  ...u32(size),
  ...u32(5),
  ...u32(0x1000),
];

/** A layer that holds such a program as `/make`, or what no kernel takes for a program. */
export const tinyLayer = (architecture: TinyArchitecture | "none"): Promise<Buffer> =>
  fileLayer("make", architecture === "none" ? Buffer.from("\u0001 no program") : tinyProgram(architecture));

/** A layer that holds one file, which may be executed. */
export function fileLayer(name: string, content: Buffer): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name, mode: 0o755, mtime: new Date(0) }, content);
  tar.finalize();
  return buffer(tar);
}
