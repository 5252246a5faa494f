import { chmodSync, createWriteStream, mkdirSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseS3Uri, formatS3Uri } from "../../../kit/s3-uri.ts";
import type { InputUri, LocalInputs } from "../../engines/engine.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { S3Access } from "../s3-access.ts";
import { RunFailure } from "./run-failure.ts";

/** Input files brought from S3, and what they were: URI → `etag:…`. */
export interface BroughtInputs extends LocalInputs {
  readonly digests: Readonly<Record<string, string>>;
}

/** Where inputs go, and how much of them there is room for. */
export interface InputPlace {
  readonly s3: S3Access;
  readonly folder: string;
  readonly roomBytes: number;
}

/**
 * Brings File and Directory inputs from S3 into a folder, read-only, with the role's permissions.
 * @throws RunFailure INPUT_URI_NOT_FOUND, INVALID_URI_INPUT, IMPORT_FAILED, UNSUPPORTED_INPUT_SIZE, INACTIVE_OMICS_STORAGE_RESOURCE
 */
export async function bringInputs(uris: readonly InputUri[], { s3, folder, roomBytes }: InputPlace): Promise<BroughtInputs> {
  const paths: Record<string, string> = {};
  const digests: Record<string, string> = {};
  const bring = objectsWithin(s3, roomBytes);
  for (const [index, { uri, isDirectory, isOptional }] of uris.entries()) {
    const target = join(folder, String(index));
    const brought = await (isDirectory ? bringDirectory({ s3, bring }, uri, target) : bringFile(bring, uri, target)).catch(
      (error: unknown) => {
        const failure = asFailure(uri, error);
        if (isOptional && failure.code === "INPUT_URI_NOT_FOUND") return undefined;
        throw failure;
      },
    );
    if (brought === undefined) continue;
    paths[uri] = brought.path;
    Object.assign(digests, brought.digests);
  }
  return { paths, digests };
}

interface Brought {
  readonly path: string;
  readonly digests: Readonly<Record<string, string>>;
}

async function bringFile(bring: BringObject, uri: string, folder: string): Promise<Brought> {
  checkKind(uri);
  if (uri.endsWith("/")) throw new RunFailure("INVALID_URI_INPUT", `${uri} names a folder where a file is needed`);
  const path = join(folder, basename(uri));
  return { path, digests: { [uri]: `etag:${await bring(uri, path)}` } };
}

async function bringDirectory(
  { s3, bring }: { readonly s3: S3Access; readonly bring: BringObject },
  uri: string,
  folder: string,
): Promise<Brought> {
  checkKind(uri);
  const from = uri.endsWith("/") ? uri : `${uri}/`;
  const { bucket, key: prefix } = parseS3Uri(from);
  const root = join(folder, basename(prefix.replace(/\/+$/, "")) || bucket);
  const digests: Record<string, string> = {};
  for await (const { key } of s3.list(from)) {
    const target = join(root, key.slice(prefix.length));
    if (key.endsWith("/") || !target.startsWith(root + sep)) continue;
    const object = formatS3Uri({ bucket, key });
    digests[object] = `etag:${await bring(object, target)}`;
  }
  if (Object.keys(digests).length === 0) throw new RunFailure("INPUT_URI_NOT_FOUND", `There is nothing below ${uri}`);
  return { path: root, digests };
}

/** @throws RunFailure for what is not in S3 */
function checkKind(uri: string): void {
  if (uri.startsWith("s3://")) return;
  if (uri.startsWith("omics://"))
    throw new RunFailure("INACTIVE_OMICS_STORAGE_RESOURCE", `${uri} is not in an active store: the local accounts have no sequence stores`);
  throw new RunFailure("INVALID_URI_INPUT", `${uri} is not in S3`);
}

const ARCHIVED = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** Brings an object to a path. Returns its ETag. */
type BringObject = (uri: string, target: string) => Promise<string>;

function objectsWithin(s3: S3Access, roomBytes: number): BringObject {
  let left = roomBytes;
  return async (uri, target) => {
    const { body, size, etag, storageClass = "" } = await s3.open(uri);
    left -= size;
    if (ARCHIVED.has(storageClass) || left < 0) {
      body.destroy();
      throw ARCHIVED.has(storageClass)
        ? new RunFailure("IMPORT_FAILED", `${uri} is archived (${storageClass}); restore it first`)
        : new RunFailure(
            "UNSUPPORTED_INPUT_SIZE",
            `The run's storage holds ${roomBytes} bytes; with the ${size} bytes of ${uri} its inputs are more`,
          );
    }
    mkdirSync(dirname(target), { recursive: true });
    await pipeline(body, createWriteStream(target));
    chmodSync(target, 0o444);
    return etag;
  };
}

function asFailure(uri: string, error: unknown): RunFailure {
  if (error instanceof RunFailure) return error;
  if (!(error instanceof AwsError)) return new RunFailure("INVALID_URI_INPUT", error instanceof Error ? error.message : String(error));
  if (error.status === 404) return new RunFailure("INPUT_URI_NOT_FOUND", `${uri} does not exist (${error.code})`);
  return new RunFailure("IMPORT_FAILED", `${uri} can't be read with the run's role: ${error.message}`);
}

/** The first input that is no longer what it was when it was brought; undefined when none changed. */
export async function changedInput(s3: S3Access, digests: Readonly<Record<string, string>>): Promise<string | undefined> {
  for (const [uri, digest] of Object.entries(digests)) {
    const now = await s3
      .head(uri)
      .then((head) => `etag:${head.etag}`)
      .catch(() => "gone");
    if (now !== digest) return uri;
  }
  return undefined;
}
