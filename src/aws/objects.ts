import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { Upload } from "@aws-sdk/lib-storage";
import type { S3Uri } from "../kit/s3-uri.ts";
import { naming } from "./naming.ts";
import { openSteadily } from "./steady-object.ts";

/** Reads an object whole, on where a connection breaks or falls silent. @throws the SDK's NoSuchKey and others, with the URI in front of the message; ObjectCutShort */
export const readObject = async (s3: S3Client, at: S3Uri): Promise<Buffer> => buffer(await openSteadily(s3, at));

/** Size in bytes and SHA-256 as stored by {@link writeObject}, or undefined where there is no such object. */
export async function statObject(
  s3: S3Client,
  { bucket, key }: S3Uri,
): Promise<{ readonly size: number; readonly sha256?: string; readonly etag?: string } | undefined> {
  try {
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return {
      size: head.ContentLength ?? 0,
      ...(head.Metadata?.["sha256"] && { sha256: head.Metadata["sha256"] }),
      ...(head.ETag && { etag: head.ETag }),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    return naming({ bucket, key })(error as Error);
  }
}

/** Writes bytes; their SHA-256 goes with them as metadata, so that a reader can verify without asking the writer. */
export async function writeObject(
  s3: S3Client,
  { bucket, key }: S3Uri,
  body: Uint8Array | string,
  contentType = "application/octet-stream",
): Promise<void> {
  const sha256 = createHash("sha256").update(body).digest("hex");
  await s3
    .send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType, Metadata: { sha256 } }))
    .catch(naming({ bucket, key }));
}

/** Uploads a file, in parts where it is large; skipped where an object of the same content is there. */
export async function uploadFile(s3: S3Client, file: string, at: S3Uri): Promise<{ readonly uploaded: boolean; readonly bytes: number }> {
  const sha256 = await sha256OfFile(file);
  const { size } = await stat(file);
  const there = await statObject(s3, at);
  if (there?.sha256 === sha256) return { uploaded: false, bytes: size };
  const upload = new Upload({ client: s3, params: { Bucket: at.bucket, Key: at.key, Body: createReadStream(file), Metadata: { sha256 } } });
  await upload.done().catch(naming(at));
  return { uploaded: true, bytes: size };
}

/** An object, and who reads or writes it in its region. */
export interface ObjectAt extends S3Uri {
  readonly s3: S3Client;
}

/** Copies an object through this process: of any size, between accounts and regions too. Its SHA-256 goes with it. */
export async function copyObject(from: ObjectAt, { s3, ...to }: ObjectAt): Promise<void> {
  const { sha256 } = (await statObject(from.s3, from)) ?? {};
  const upload = new Upload({
    client: s3,
    params: { Bucket: to.bucket, Key: to.key, Body: await openSteadily(from.s3, from), ...(sha256 && { Metadata: { sha256 } }) },
  });
  await upload.done().catch(naming(to));
}

/** Keys below a prefix, in S3's order. */
export async function* listObjects(s3: S3Client, { bucket, key }: S3Uri): AsyncGenerator<{ readonly key: string; readonly size: number }> {
  let ContinuationToken: string | undefined;
  do {
    const page = await s3
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ...(ContinuationToken && { ContinuationToken }) }))
      .catch(naming({ bucket, key }));
    for (const { Key = "", Size = 0 } of page.Contents ?? []) yield { key: Key, size: Size };
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
}

/** SHA-256 of a file in hex. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Whether the error says that the object, or the bucket it would be in, is not there. */
export const isMissing = (error: unknown): boolean => ["NoSuchKey", "NotFound", "NoSuchBucket"].includes((error as Error).name);
