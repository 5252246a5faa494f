import { isUtf8 } from "node:buffer";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { openSteadily } from "../../../aws/steady-object.ts";
import type { S3Uri } from "../../../kit/s3-uri.ts";
import { badSource, isOfArchive, makeFile, makeFolder, makeRunnable, noteLink, tooMuch, type Unpacking } from "./unpacking.ts";

/**
 * Fetches a ZIP and unpacks it.
 * @throws ReleaseError ProjectInvalid, ObjectCutShort
 */
export async function fetchZip(s3: S3Client, at: S3Uri, unpacking: Unpacking): Promise<void> {
  await unzip(await spool(s3, at, unpacking), unpacking);
}

/** A ZIP is read from its end: it is put on disk, for a function has not the memory for it. It may not be larger than what it unpacks to. */
async function spool(s3: S3Client, at: S3Uri, unpacking: Unpacking): Promise<string> {
  const file = `${unpacking.folder}.zip`;
  let size = 0;
  await pipeline(
    await openSteadily(s3, at, unpacking.signal),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        size += chunk.length;
        if (size > unpacking.limits.bytes) throw tooMuch(unpacking);
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  return file;
}

async function unzip(file: string, unpacking: Unpacking): Promise<void> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false }).catch((error: Error) => {
    throw badSource(unpacking, error.message);
  });
  let declared = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) throw badSource(unpacking, `${entry.fileName} is encrypted`);
      declared += entry.uncompressedSize;
      if (declared > unpacking.limits.bytes) throw tooMuch(unpacking);
      await unzipEntry(zip, entry, unpacking);
    }
  } catch (error) {
    throw isOfArchive(error) ? badSource(unpacking, (error as Error).message) : error;
  } finally {
    zip.close();
    await rm(file);
  }
}

async function unzipEntry(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<void> {
  const [name, mode] = [nameOf(entry), entry.externalFileAttributes >>> 16];
  if ((mode & 0o170000) === 0o120000) return noteLink(unpacking, name, await linkTextOf(zip, entry, unpacking));
  if (name.endsWith("/")) return makeFolder(unpacking, name);
  await makeRunnable(await makeFile(unpacking, name, () => zip.openReadStreamPromise(entry)), mode);
}

const MADE_BY_UNIX = 3;
const UNICODE_PATH = 0x7075;

/** Info-ZIP stores a name as the bytes that Unix has, and says only in some locales that they are UTF-8; without a word they would be CP437. */
function nameOf({ fileName, fileNameRaw, versionMadeBy, generalPurposeBitFlag, extraFields }: Entry): string {
  const isSaid = (generalPurposeBitFlag & 0x800) !== 0 || extraFields.some(({ id }) => id === UNICODE_PATH);
  return !isSaid && versionMadeBy >>> 8 === MADE_BY_UNIX && isUtf8(fileNameRaw) ? fileNameRaw.toString("utf8") : fileName;
}

/** The content of a link's entry is where it leads. */
async function linkTextOf(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<string> {
  if (entry.uncompressedSize > LONGEST_LINK)
    throw badSource(unpacking, `${entry.fileName} is a link to a name of ${entry.uncompressedSize} bytes`);
  return text(await zip.openReadStreamPromise(entry));
}

const LONGEST_LINK = 4096;
