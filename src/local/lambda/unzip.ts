import { createWriteStream } from "node:fs";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import yauzl, { type Entry, type ZipFile } from "yauzl";

/** A file that is no ZIP, or that wants to write outside of its folder. */
export class BadZip extends Error {
  override readonly name = "BadZip";
}

/** A ZIP that unpacks to more than Lambda takes. */
export class TooLargeZip extends Error {
  override readonly name = "TooLargeZip";
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const UNZIPPED_BYTES = 262_144_000;

const TYPE_MASK = 0o170000;
const SYMBOLIC_LINK = 0o120000;

/** Unpacks a ZIP into a folder, with the files' permissions. @throws BadZip, TooLargeZip */
export async function unzip(file: string, folder: string): Promise<void> {
  const zip = await open(file);
  const links: { readonly path: string; readonly target: string }[] = [];
  let bytes = 0;
  try {
    for (let entry = await next(zip); entry !== undefined; entry = await next(zip)) {
      const path = inside(folder, entry.fileName);
      // Of an entry that holds more than it says no more is unpacked: that is an error of its stream.
      bytes += entry.uncompressedSize;
      if (bytes > UNZIPPED_BYTES) throw new TooLargeZip(`it unpacks to more than ${UNZIPPED_BYTES} bytes`);
      if (entry.fileName.endsWith("/")) await mkdir(path, { recursive: true });
      else if ((modeOf(entry) & TYPE_MASK) === SYMBOLIC_LINK) links.push({ path, target: await text(await read(zip, entry)) });
      else await write(zip, entry, path);
    }
    // Last, so that nothing is written through them.
    for (const { path, target } of links) {
      inside(folder, resolve(dirname(path), target));
      await mkdir(dirname(path), { recursive: true });
      await symlink(target, path);
    }
  } finally {
    zip.close();
  }
}

const modeOf = (entry: Entry): number => entry.externalFileAttributes >>> 16;

function inside(folder: string, name: string): string {
  const path = resolve(folder, name);
  if (path !== folder && !path.startsWith(folder + sep)) throw new BadZip(`"${name}" would be written outside of the folder`);
  return path;
}

async function write(zip: ZipFile, entry: Entry, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await pipeline(await read(zip, entry), createWriteStream(path));
  const permissions = modeOf(entry) & 0o777;
  await chmod(path, permissions === 0 ? 0o644 : permissions | 0o600);
}

const open = (file: string): Promise<ZipFile> =>
  new Promise((done, fail) => {
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? fail(new BadZip(error.message)) : done(zip)));
  });

/** The next entry; undefined after the last. */
const next = (zip: ZipFile): Promise<Entry | undefined> =>
  new Promise((done, fail) => {
    const settle = (act: () => void) => {
      for (const name of ["entry", "end", "error"]) zip.removeAllListeners(name);
      act();
    };
    zip.once("entry", (entry: Entry) => settle(() => done(entry)));
    zip.once("end", () => settle(() => done(undefined)));
    zip.once("error", (error: Error) => settle(() => fail(new BadZip(error.message))));
    zip.readEntry();
  });

const read = (zip: ZipFile, entry: Entry): Promise<Readable> =>
  new Promise((done, fail) => {
    zip.openReadStream(entry, (error, stream) => (error ? fail(new BadZip(error.message)) : done(stream)));
  });
