import { stat } from "node:fs/promises";
import yazl from "yazl";

/** A file, and its name in an archive. */
export interface ArchivedFile {
  readonly path: string;
  readonly name: string;
}

const FIRST_DAY = new Date(1980, 0, 1);

/** Files as a ZIP: the same bytes for the same files, with what may be executed. */
export async function packFiles(files: readonly ArchivedFile[]): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const { path, name } of files) {
    const isExecutable = ((await stat(path)).mode & 0o111) !== 0;
    zip.addFile(path, name, { mtime: FIRST_DAY, forceDosTimestamp: true, mode: isExecutable ? 0o100755 : 0o100644 });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
