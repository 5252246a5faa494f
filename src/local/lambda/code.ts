import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import type { Readable } from "node:stream";
import type { Call, Core } from "../gateway/service.ts";
import { PermanentRedirect } from "../s3/errors.ts";
import { badPackage, invalidValue, unzippedTooLarge } from "./errors.ts";
import type { Package } from "./store.ts";
import { BadZip, TooLargeZip, unzip, UNZIPPED_BYTES } from "./unzip.ts";

/** Where a ZIP comes from: given with the request, or an object the caller may read. */
export interface CodeSource {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
}

/** Takes a ZIP into the blob store and proves that it can be unpacked. @throws AwsError InvalidParameterValueException, S3's own */
export async function receivePackage(core: Core, source: CodeSource, call: Call): Promise<Package> {
  const { sha256, size } = await core.blobs.write(source.ZipFile ?? (await fromS3(core, source, call)));
  try {
    await unpacked(core, { sha256 });
  } catch (error) {
    if (error instanceof BadZip) throw badPackage();
    if (error instanceof TooLargeZip) throw unzippedTooLarge(UNZIPPED_BYTES);
    throw error;
  }
  return { sha256, sizeBytes: size };
}

async function fromS3(core: Core, { S3Bucket, S3Key, S3ObjectVersion }: CodeSource, { caller, region }: Call): Promise<Readable> {
  if (S3Bucket === undefined || S3Key === undefined) throw invalidValue("Please provide a source for function code.");
  const input = { Bucket: S3Bucket, Key: S3Key, ...(S3ObjectVersion !== undefined && { VersionId: S3ObjectVersion }) };
  const { Body } = await core.dispatcher
    .call<{ Body: Readable }>({ service: "s3", operation: "GetObject", input, as: caller, region })
    .catch((error: unknown) => {
      // The sentence that AWS's users know.
      if (error instanceof PermanentRedirect)
        throw invalidValue(
          `Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: ${error.region}. Please use this region to retry the request`,
        );
      throw error;
    });
  return Body;
}

const unpacking = new Map<string, Promise<string>>();

/** One at a time for each folder: who comes while it is made waits for it. */
function once(folder: string, make: (folder: string) => Promise<string>): Promise<string> {
  if (existsSync(folder)) return Promise.resolve(folder);
  const running = unpacking.get(folder) ?? make(folder).finally(() => unpacking.delete(folder));
  unpacking.set(folder, running);
  return running;
}

/** The folder of an unpacked ZIP, under a folder in which Node finds the AWS SDK. Unpacked once, visible only when whole. */
export function unpacked(core: Core, { sha256 }: Pick<Package, "sha256">): Promise<string> {
  return once(join(codeFolder(core), sha256), (folder) => unpack(core, sha256, folder));
}

async function unpack(core: Core, sha256: string, folder: string): Promise<string> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    await unzip(core.blobs.path(sha256), partial);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

const SDK_SCOPES = ["@aws-sdk", "@smithy"];

/** AWS's Node runtimes hold the SDK: it, and nothing else of ours, is where a function's own modules are looked for last. */
function codeFolder(core: Core): string {
  const folder = join(core.dataDir, "work", "lambda", "code");
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  const resolved = createRequire(import.meta.url).resolve("@aws-sdk/client-s3");
  const ours = resolved.slice(0, resolved.lastIndexOf(`${sep}@aws-sdk${sep}client-s3${sep}`));
  for (const scope of SDK_SCOPES)
    if (!lstatSync(join(modules, scope), { throwIfNoEntry: false })) symlinkSync(join(ours, scope), join(modules, scope));
  return folder;
}

/** The folders a function runs with. */
export interface Unpacked {
  /** /var/task */
  readonly task: string;
  /** /opt; undefined where the function has no layers. */
  readonly opt: string | undefined;
}

/**
 * A function's code and the merged content of its layers. There is no /opt of its own for a process, so a function with layers runs a
 * copy of its code in whose text files `/opt/` is where its layers are, and Python scripts of layers start with this machine's Python.
 */
export async function unpackFunction(core: Core, layered: Layered): Promise<Unpacked> {
  const { code, layers } = layered;
  if (layers.length === 0) return { task: await unpacked(core, code), opt: undefined };
  const folder = await once(join(codeFolder(core), layeredName(code, layers)), (target) => unpackLayered(core, layered, target));
  return { task: join(folder, "task"), opt: join(folder, "opt") };
}

interface Layered {
  readonly code: Package;
  readonly layers: readonly Package[];
}

async function unpackLayered(core: Core, { code, layers }: Layered, folder: string): Promise<string> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  for (const layer of layers) await unzip(core.blobs.path(layer.sha256), join(partial, "opt"));
  await unzip(core.blobs.path(code.sha256), join(partial, "task"));
  for (const file of textFiles(partial)) rewrite(file, join(folder, "opt"));
  renameSync(partial, folder);
  return folder;
}

const TEXT_NAME = /\.(py|js|mjs|cjs|sh|json)$|^[^.]+$/;
/** Larger files are data. */
const TEXT_LIMIT_BYTES = 1_000_000;

function textFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT_NAME.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => (lstatSync(file).size ?? 0) <= TEXT_LIMIT_BYTES);
}

function rewrite(file: string, opt: string): void {
  const before = readFileSync(file);
  if (before.includes(0)) return;
  const after = before
    .toString("utf8")
    .replaceAll(/(?<![\w./-])\/opt\//g, `${opt}/`)
    .replace(/^#!\/var\/lang\/bin\/python[\d.]*/, "#!/usr/bin/env python3");
  if (after !== before.toString("utf8")) writeFileSync(file, after);
}

const layeredName = (code: Package, layers: readonly Package[]): string =>
  `${createHash("sha256")
    .update([code, ...layers].map(({ sha256 }) => sha256).join())
    .digest("hex")}-layered`;

/** Deletes unpacked code that none of these functions needs. */
export function sweepCode(core: Core, functions: readonly { readonly code: Package; readonly layers: readonly Package[] }[]): void {
  const folder = codeFolder(core);
  const needed = new Set(["node_modules", ...functions.flatMap(({ code, layers }) => [code.sha256, layeredName(code, layers)])]);
  for (const name of readdirSync(folder)) if (!needed.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** The folder that holds all work files of Lambda. */
export const workFolder = (core: Core): string => dirname(codeFolder(core));
