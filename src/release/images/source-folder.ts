import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { listObjects, openObject, readObject } from "../../aws/objects.ts";
import { parseS3Uri, type S3Uri } from "../../kit/s3-uri.ts";
import { ReleaseError } from "../errors.ts";

const LIMIT_BYTES = 2 * 1024 ** 3;
const LIMIT_ENTRIES = 100_000;

/**
 * Fetches the source of an image into a folder: a ZIP, or everything below a prefix.
 * @returns a hash of the source: the same files give the same one
 * @throws ReleaseError ProjectInvalid for an archive that would leave its folder or is over 2 GiB
 */
export async function fetchSource(s3: S3Client, uri: string, folder: string): Promise<string> {
  const at = parseS3Uri(uri);
  await mkdir(folder, { recursive: true });
  if (!at.key.endsWith(".zip")) return fetchPrefix(s3, at, folder);
  const bytes = await readObject(s3, at);
  await unpack(bytes, { folder, uri });
  return createHash("sha256").update(bytes).digest("hex");
}

async function fetchPrefix(s3: S3Client, { bucket, key }: S3Uri, folder: string): Promise<string> {
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  const hash = createHash("sha256");
  let found = 0;
  for await (const object of listObjects(s3, { bucket, key: prefix })) {
    const path = object.key.slice(prefix.length);
    if (path === "" || path.endsWith("/")) continue;
    const target = inside(folder, path, `s3://${bucket}/${prefix}`);
    await mkdir(dirname(target), { recursive: true });
    const stream = await openObject(s3, { bucket, key: object.key });
    hash.update(`${path}\n`);
    await pipeline(stream, async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    }, createWriteStream(target));
    found++;
  }
  if (found === 0) throw bad(`s3://${bucket}/${prefix}`, "nothing lies there");
  return hash.digest("hex");
}

async function unpack(bytes: Buffer, { folder, uri }: { readonly folder: string; readonly uri: string }): Promise<void> {
  const zip = await fromBufferPromise(bytes, { lazyEntries: true }).catch((error: Error) => {
    throw bad(uri, error.message);
  });
  let total = 0;
  let entries = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      total += entry.uncompressedSize;
      if (total > LIMIT_BYTES || ++entries > LIMIT_ENTRIES) throw bad(uri, "it unpacks to more than 2 GiB or 100,000 files");
      await extract(zip, entry, { folder, uri });
    }
  } finally {
    zip.close();
  }
}

async function extract(zip: ZipFile, entry: Entry, { folder, uri }: { readonly folder: string; readonly uri: string }): Promise<void> {
  const target = inside(folder, entry.fileName, uri);
  if (entry.fileName.endsWith("/")) {
    await mkdir(target, { recursive: true });
    return;
  }
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & 0o170000) === 0o120000) throw bad(uri, `${entry.fileName} is a symbolic link`);
  await mkdir(dirname(target), { recursive: true });
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
  await chmod(target, (mode & 0o111) === 0 ? 0o644 : 0o755);
}

function inside(folder: string, path: string, uri: string): string {
  const target = resolve(folder, path);
  if (!target.startsWith(resolve(folder) + sep)) throw bad(uri, `${path} would leave the folder`);
  return target;
}

const bad = (uri: string, why: string): ReleaseError =>
  new ReleaseError("ProjectInvalid", { says: `the source ${uri} can't be built: ${why}`, fix: "pack the folder of the Dockerfile as a ZIP, or name a prefix that holds it", blame: "user" });
