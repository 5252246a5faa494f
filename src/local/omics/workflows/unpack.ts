import { createWriteStream, mkdirSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { fromBufferPromise, type Entry, type ZipFile } from "yauzl";
import { readFile } from "node:fs/promises";

/**
 * Unpacks an archive that `openZip` found sound. Programs stay executable: a definition's `bin/` holds scripts.
 * @throws Error for an entry that would leave the folder (openZip refuses it before)
 */
export async function unpackZip(archive: string, folder: string): Promise<void> {
  const zip = await fromBufferPromise(await readFile(archive));
  mkdirSync(folder, { recursive: true });
  for await (const entry of zip.eachEntry()) await unpackEntry(zip, entry, folder);
}

async function unpackEntry(zip: ZipFile, entry: Entry, folder: string): Promise<void> {
  const target = join(folder, entry.fileName);
  if (target !== folder && !target.startsWith(folder + sep)) throw new Error(`the archive entry ${entry.fileName} leaves the folder`);
  if (entry.fileName.endsWith("/")) {
    mkdirSync(target, { recursive: true });
    return;
  }
  mkdirSync(dirname(target), { recursive: true });
  // The upper half is the Unix mode where the archive was made on Unix (APPNOTE 4.4.15). What lies in a `bin/` is a program
  // whatever the archive says (guide, "Task environment").
  const isProgram = ((entry.externalFileAttributes >>> 16) & 0o111) !== 0 || /(^|\/)bin\/[^/]+$/.test(entry.fileName);
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { mode: isProgram ? 0o755 : 0o644 }));
}
