import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import yazl from "yazl";

const FIRST_DAY = new Date(1980, 0, 1);

/** A folder as a ZIP, the same bytes for the same files. */
export async function packFolder(folder: string): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
  for (const file of files) {
    const executable = ((await stat(file)).mode & 0o111) !== 0;
    zip.addFile(file, relative(folder, file).split(sep).join("/"), { mtime: FIRST_DAY, forceDosTimestamp: true, mode: executable ? 0o100755 : 0o100644 });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
