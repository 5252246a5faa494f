import { lstatSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Readable } from "node:stream";
import { ZipFile } from "yazl";
import type { BlobStore } from "../../storage/blobs.ts";

// The same files give the same archive, whenever it is made.
const MOMENT = new Date("1980-01-01T00:00:00Z");

/** Makes a ZIP of a folder's files, links left out. Returns its SHA-256. */
export async function zipFolder(blobs: BlobStore, folder: string): Promise<string> {
  const zip = new ZipFile();
  const files = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const mode = (lstatSync(file).mode & 0o111) === 0 ? 0o100644 : 0o100755;
    zip.addFile(file, relative(folder, file).split(sep).join("/"), { mtime: MOMENT, mode });
  }
  zip.end();
  return (await blobs.write(zip.outputStream as Readable)).sha256;
}
