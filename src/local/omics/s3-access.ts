import type { Readable } from "node:stream";
import { parseS3Uri } from "../../kit/s3-uri.ts";
import type { Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import type { Blob } from "../storage/blobs.ts";

/** S3 as somebody: every call goes through IAM. */
export interface S3Access {
  /** Stores the object's bytes. @throws AwsError of S3; TooLarge */
  read(uri: string, limits?: ReadLimits): Promise<StoredObject>;
  /** The object's bytes as they come. */
  open(uri: string): Promise<OpenObject>;
  text(uri: string, limits?: ReadLimits): Promise<string>;
  write(uri: string, body: Readable | Uint8Array | string, contentType?: string): Promise<void>;
  /** ETag and size, or the error that S3 gives. */
  head(uri: string): Promise<ObjectHead>;
  /** Every object whose key starts with the URI's. */
  list(uri: string): AsyncGenerator<ListedObject>;
}

export interface ReadLimits {
  readonly maxBytes?: number;
  /** The bucket's owner is to be this account. */
  readonly ownerId?: string;
}

export interface StoredObject extends Blob {
  /** Without quotes. */
  readonly etag: string;
}

export interface OpenObject {
  readonly body: Readable;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
  readonly storageClass?: string;
}

export interface ObjectHead {
  readonly etag: string;
  readonly size: number;
  readonly storageClass?: string;
}

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

/** An object has more bytes than whoever reads it can take. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

interface S3Answer {
  readonly Body?: Readable;
  readonly ETag?: string;
  readonly ContentLength?: number;
  readonly StorageClass?: string;
  readonly Contents?: readonly { readonly Key?: string; readonly Size?: number; readonly ETag?: string }[];
  readonly NextContinuationToken?: string;
}

const unquoted = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");

type Ask = (operation: string, input: object) => Promise<S3Answer>;

/** S3 with somebody's permissions. */
export function s3As(core: Core, as: Principal, region: string): S3Access {
  const ask: Ask = (operation, input) => core.dispatcher.call<S3Answer>({ service: "s3", operation, input, as, region });
  return {
    async read(uri, limits = {}) {
      const { body, etag } = await open(ask, uri, limits);
      return { ...(await core.blobs.write(body)), etag };
    },
    open: (uri) => open(ask, uri, {}),
    async text(uri, limits = {}) {
      const chunks: Buffer[] = [];
      for await (const chunk of (await open(ask, uri, limits)).body) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString("utf8");
    },
    async write(uri, body, contentType) {
      const { bucket, key } = parseS3Uri(uri);
      await ask("PutObject", { Bucket: bucket, Key: key, Body: body, ...(contentType && { ContentType: contentType }) });
    },
    async head(uri) {
      const { bucket, key } = parseS3Uri(uri);
      const { ETag, ContentLength, StorageClass } = await ask("HeadObject", { Bucket: bucket, Key: key });
      return { etag: unquoted(ETag), size: ContentLength ?? 0, ...(StorageClass && { storageClass: StorageClass }) };
    },
    list: (uri) => list(ask, uri),
  };
}

async function open(ask: Ask, uri: string, { maxBytes, ownerId }: ReadLimits): Promise<OpenObject> {
  const { bucket, key } = parseS3Uri(uri);
  const { Body, ContentLength, ETag, StorageClass } = await ask("GetObject", {
    Bucket: bucket,
    Key: key,
    ...(ownerId && { ExpectedBucketOwner: ownerId }),
  });
  if (maxBytes !== undefined && (ContentLength ?? 0) > maxBytes) {
    Body?.destroy();
    throw new TooLarge(`${uri} has ${ContentLength} bytes; ${maxBytes} are the most`);
  }
  if (Body === undefined) throw new Error(`S3 gave no bytes for ${uri}`);
  return { body: Body, size: ContentLength ?? 0, etag: unquoted(ETag), ...(StorageClass && { storageClass: StorageClass }) };
}

async function* list(ask: Ask, uri: string): AsyncGenerator<ListedObject> {
  const { bucket, key } = parseS3Uri(uri);
  let token: string | undefined;
  do {
    const page = await ask("ListObjectsV2", { Bucket: bucket, Prefix: key, ...(token && { ContinuationToken: token }) });
    for (const { Key, Size, ETag } of page.Contents ?? []) yield { key: Key ?? "", size: Size ?? 0, etag: unquoted(ETag) };
    token = page.NextContinuationToken;
  } while (token !== undefined);
}
