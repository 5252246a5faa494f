import { createWriteStream } from "node:fs";
import { chmod, copyFile, mkdir, realpath, stat, symlink } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ObjectCutShort } from "../../../aws/steady-object.ts";
import { formatLimits, type UnpackLimits } from "../../../oci/image/archive.ts";
import { ReleaseError } from "../../errors.ts";

/** A source on its way to a folder, and how much of it came so far. */
export interface Unpacking {
  readonly folder: string;
  readonly uri: string;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal | undefined;
  bytes: number;
  entries: number;
  /** Symbolic links are made last: nothing is written through one. */
  readonly links: Map<string, string>;
  /** What each place is called in the source: two names may mean one. */
  readonly names: Map<string, string>;
}

/** @param folder exists, and is empty */
export const startUnpacking = (to: Pick<Unpacking, "folder" | "uri" | "limits" | "signal">): Unpacking => ({
  ...to,
  bytes: 0,
  entries: 0,
  links: new Map(),
  names: new Map(),
});

/** Counts what arrives, whatever an archive says of itself. */
const counted = (unpacking: Unpacking) =>
  async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      unpacking.signal?.throwIfAborted();
      unpacking.bytes += chunk.length;
      if (unpacking.bytes > unpacking.limits.bytes) throw tooMuch(unpacking);
      yield chunk;
    }
  };

function count(unpacking: Unpacking): void {
  unpacking.signal?.throwIfAborted();
  if (++unpacking.entries > unpacking.limits.entries) throw tooMuch(unpacking);
}

/** A folder that is named itself: those of files are made with them. */
export async function makeFolder(unpacking: Unpacking, path: string): Promise<void> {
  count(unpacking);
  await mkdir(inside(unpacking, path), { recursive: true });
}

/** The place of a file or link. Nothing may come there twice: which of the two was meant nobody knows. */
function placeOf(unpacking: Unpacking, path: string): string {
  const place = inside(unpacking, path);
  const other = unpacking.names.get(place);
  if (other !== undefined) throw badSource(unpacking, other === path ? `${path} is in it twice` : `${other} and ${path} are the same file`);
  unpacking.names.set(place, path);
  return place;
}

/** A link that stays inside, by what is written; one that leads out is refused. */
export function noteLink(unpacking: Unpacking, path: string, target: string): void {
  count(unpacking);
  const at = placeOf(unpacking, path);
  const leadsTo = resolve(dirname(at), target);
  if (isAbsolute(target) || !isWithin(resolve(unpacking.folder), leadsTo))
    throw badSource(unpacking, `${path} is a link that leads out of the folder, to ${target}`);
  unpacking.links.set(at, target);
}

/** Makes the links that were noted, once everything else is there. @throws ReleaseError ProjectInvalid for one that leads out through another */
export async function makeLinks(unpacking: Unpacking): Promise<void> {
  for (const [at, target] of unpacking.links) {
    await mkdir(dirname(at), { recursive: true });
    await symlink(target, at);
  }
  // Through another link a name that looks as if it stayed inside may lead out.
  const root = await realpath(unpacking.folder);
  for (const at of unpacking.links.keys()) {
    const real = await realpath(at).catch(() => root);
    if (!isWithin(root, real)) throw badSource(unpacking, `${relative(unpacking.folder, at)} is a link that leads out of the folder`);
  }
}

/** A file of a source, of what `open` gives. @returns where it lies */
export async function makeFile(unpacking: Unpacking, path: string, open: () => Readable | Promise<Readable>): Promise<string> {
  count(unpacking);
  const target = placeOf(unpacking, path);
  await mkdir(dirname(target), { recursive: true });
  // Opened last: a stream that fails before somebody listens takes the process with it.
  await pipeline(await open(), counted(unpacking), createWriteStream(target));
  return target;
}

/** A hard link is another file of the same content: an image would not have it otherwise either. */
export async function makeHardLink(unpacking: Unpacking, path: string, first: string): Promise<void> {
  count(unpacking);
  const from = inside(unpacking, first);
  if (!unpacking.names.has(from) || unpacking.links.has(from))
    throw badSource(unpacking, `${path} is a hard link to ${first}, which is no file before it`);
  unpacking.bytes += (await stat(from)).size;
  if (unpacking.bytes > unpacking.limits.bytes) throw tooMuch(unpacking);
  const target = placeOf(unpacking, path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(from, target);
}

/** Of a file's mode an image keeps whether it can be run. */
export const makeRunnable = (file: string, mode: number): Promise<void> => chmod(file, (mode & 0o111) === 0 ? 0o644 : 0o755);

function inside(unpacking: Unpacking, path: string): string {
  const target = resolve(unpacking.folder, path);
  if (!isWithin(resolve(unpacking.folder), target)) throw badSource(unpacking, `${path} would leave the folder`);
  return target;
}

const isWithin = (folder: string, place: string): boolean => place === folder || place.startsWith(folder + sep);

/** Whether the archive is to blame, and neither what has been said of it, nor the way it came, nor a full disk. */
export const isOfArchive = (error: unknown): boolean =>
  !(error instanceof ReleaseError || error instanceof ObjectCutShort) && (error as NodeJS.ErrnoException).code !== "ENOSPC";

/** A source over its limits, by what came of it or by what it says of itself. */
export const tooMuch = (unpacking: Unpacking): ReleaseError =>
  badSource(unpacking, `it unpacks to more than ${formatLimits(unpacking.limits)}`);

/** A source that nothing can be built from, and why. */
export const badSource = ({ uri, folder }: Pick<Unpacking, "uri" | "folder">, why: string): ReleaseError =>
  new ReleaseError("ProjectInvalid", {
    says: `the source ${uri} can't be built: ${why.replaceAll(`${folder}${sep}`, "")}`,
    fix: "pack the folder of the Dockerfile as .zip or .tar.gz, or name a prefix that holds it",
    blame: "user",
  });
