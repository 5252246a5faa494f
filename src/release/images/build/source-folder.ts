import { mkdir } from "node:fs/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { listObjects } from "../../../aws/objects.ts";
import { openSteadily } from "../../../aws/steady-object.ts";
import { formatS3Uri, parseS3Uri, type S3Uri } from "../../../kit/s3-uri.ts";
import { UNPACK_LIMITS, type UnpackLimits } from "../../../oci/image/archive.ts";
import { fetchTar } from "./fetch-tar.ts";
import { fetchZip } from "./fetch-zip.ts";
import { badSource, makeFile, makeFolder, makeLinks, startUnpacking, type Unpacking } from "./unpacking.ts";

export interface Fetching {
  /** @default 2 GiB and 100,000 entries */
  readonly limits?: UnpackLimits;
  /** Ends it with the signal's reason. @default - nothing does */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches the source of an image into a folder: a ZIP, a `.tar.gz`, or everything below a prefix.
 * @throws ReleaseError ProjectInvalid for an archive that would leave its folder, by a name or by a link, that holds
 * devices, or that is over its limits; ObjectCutShort where S3 breaks off whatever is tried
 */
export async function fetchSource(
  s3: S3Client,
  uri: string,
  folder: string,
  { limits = UNPACK_LIMITS, signal }: Fetching = {},
): Promise<void> {
  const at = parseS3Uri(uri);
  await mkdir(folder, { recursive: true });
  const unpacking = startUnpacking({ folder, uri, limits, signal });
  const packing = packingOf(at);
  try {
    if (packing === "zip") await fetchZip(s3, at, unpacking);
    else if (packing === "tar") await fetchTar(s3, at, unpacking);
    else await fetchPrefix(s3, at, unpacking);
    await makeLinks(unpacking);
  } catch (error) {
    signal?.throwIfAborted();
    throw isOfFiles(error) ? badSource(unpacking, error.message) : error;
  }
}

function packingOf({ key }: S3Uri): "zip" | "tar" | undefined {
  if (/\.zip$/i.test(key)) return "zip";
  return /\.(?:tar\.gz|tgz)$/i.test(key) ? "tar" : undefined;
}

/** The same for the same source: a prefix may end with a slash or not. */
export function sourceKey(uri: string): string {
  const at = parseS3Uri(uri);
  return packingOf(at) ? uri : formatS3Uri({ ...at, key: prefixOf(at) });
}

const prefixOf = ({ key }: S3Uri): string => (key === "" || key.endsWith("/") ? key : `${key}/`);

/** A file where another needs a folder, a name that is too long. */
const isOfFiles = (error: unknown): error is Error =>
  error instanceof Error && ["EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "");

// Of a source of many small files each costs S3's answering time.
const OBJECTS_AT_ONCE = 16;

async function fetchPrefix(s3: S3Client, { bucket, key }: S3Uri, unpacking: Unpacking): Promise<void> {
  const prefix = prefixOf({ bucket, key });
  const objects = listObjects(s3, { bucket, key: prefix });
  const workers = Array.from({ length: OBJECTS_AT_ONCE }, async () => {
    for (let next = await objects.next(); !next.done; next = await objects.next())
      await fetchObject(s3, { bucket, ...next.value, path: next.value.key.slice(prefix.length) }, unpacking);
  });
  try {
    await Promise.all(workers);
  } catch (error) {
    // Nothing may still be written when the caller removes the folder.
    await objects.return(undefined);
    await Promise.allSettled(workers);
    throw error;
  }
  if (unpacking.names.size > 0) return;
  // Asked as a prefix: who may not list the whole bucket is refused a HEAD of what is not there.
  const first = (await listObjects(s3, { bucket, key }).next()).value;
  throw badSource(unpacking, key !== "" && first?.key === key ? "it is one object, and no .zip, .tar.gz or .tgz" : "nothing lies there");
}

interface FoundObject extends S3Uri {
  readonly size: number;
  /** Below the prefix. */
  readonly path: string;
}

async function fetchObject(s3: S3Client, { path, size, ...at }: FoundObject, unpacking: Unpacking): Promise<void> {
  if (path === "") return;
  // Consoles mark folders so; an object with bytes that nothing could copy is a mistake.
  if (path.endsWith("/") && size > 0) throw badSource(unpacking, `${path} is a folder by its name, and holds ${size} bytes`);
  if (path.endsWith("/")) await makeFolder(unpacking, path);
  else await makeFile(unpacking, path, () => openSteadily(s3, at, unpacking.signal));
}
