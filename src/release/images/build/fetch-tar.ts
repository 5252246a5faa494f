import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { S3Client } from "@aws-sdk/client-s3";
import { extract, type Header } from "tar-stream";
import { ObjectCutShort, openSteadily } from "../../../aws/steady-object.ts";
import type { S3Uri } from "../../../kit/s3-uri.ts";
import { badSource, isOfArchive, makeFile, makeFolder, makeHardLink, makeRunnable, noteLink, type Unpacking } from "./unpacking.ts";

/**
 * Fetches a `.tar.gz` and unpacks it as it comes.
 * @throws ReleaseError ProjectInvalid, ObjectCutShort
 */
export async function fetchTar(s3: S3Client, at: S3Uri, unpacking: Unpacking): Promise<void> {
  const stream = await openSteadily(s3, at, unpacking.signal);
  const tar = extract();
  let broken: unknown;
  const feeding = pipeline(stream, createGunzip(), tar).catch((error: Error) => {
    broken = error;
    tar.destroy(error);
  });
  try {
    for await (const entry of tar) {
      await unpackEntry(entry.header, entry as unknown as Readable, unpacking);
      entry.resume();
    }
  } catch (error) {
    stream.destroy();
    await feeding;
    // A file that is being written says only that no more came.
    if (broken instanceof ObjectCutShort) throw broken;
    const { message } = error as Error;
    throw isOfArchive(error) ? badSource(unpacking, message === "incorrect header check" ? "it is not packed by gzip" : message) : error;
  } finally {
    stream.destroy();
    await feeding;
  }
  if (unpacking.entries === 0) throw badSource(unpacking, "it is empty");
}

async function unpackEntry({ type, name, mode = 0, linkname }: Header, content: Readable, unpacking: Unpacking): Promise<void> {
  if (type === "directory") return makeFolder(unpacking, `${name}/`);
  if (type === "symlink") return noteLink(unpacking, name, linkname ?? "");
  if (type === "link") return makeHardLink(unpacking, name, linkname ?? "");
  if (type !== "file" && type !== "contiguous-file") throw badSource(unpacking, `${name} is a ${type}`);
  await makeRunnable(await makeFile(unpacking, name, () => content), mode);
}
