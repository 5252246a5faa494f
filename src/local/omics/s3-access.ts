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

export function s3As(core: Core, as: Principal, region: string): S3Access {
  const call = (operation: string, input: object): Promise<S3Answer> => core.dispatcher.call<S3Answer>({ service: "s3", operation, input, as, region });
  const get = async (uri: string, { maxBytes, ownerId }: ReadLimits): Promise<Required<Pick<S3Answer, "Body">> & S3Answer> => {
    const { bucket, key } = parseS3Uri(uri);
    const found = await call("GetObject", { Bucket: bucket, Key: key, ...(ownerId && { ExpectedBucketOwner: ownerId }) });
    if (maxBytes !== undefined && (found.ContentLength ?? 0) > maxBytes) {
      found.Body?.destroy();
      throw new TooLarge(`${uri} has ${found.ContentLength} bytes; ${maxBytes} are the most`);
    }
    if (found.Body === undefined) throw new Error(`S3 gave no bytes for ${uri}`);
    return { ...found, Body: found.Body };
  };
  return {
    async read(uri, limits = {}) {
      const found = await get(uri, limits);
      return { ...(await core.blobs.write(found.Body)), etag: unquoted(found.ETag) };
    },
    async open(uri) {
      const { Body, ETag, StorageClass } = await get(uri, {});
      return { body: Body, etag: unquoted(ETag), ...(StorageClass && { storageClass: StorageClass }) };
    },
    async text(uri, limits = {}) {
      const chunks: Buffer[] = [];
      for await (const chunk of (await get(uri, limits)).Body) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString("utf8");
    },
    async write(uri, body, contentType) {
      const { bucket, key } = parseS3Uri(uri);
      await call("PutObject", { Bucket: bucket, Key: key, Body: body, ...(contentType && { ContentType: contentType }) });
    },
    async head(uri) {
      const { bucket, key } = parseS3Uri(uri);
      const { ETag, ContentLength, StorageClass } = await call("HeadObject", { Bucket: bucket, Key: key });
      return { etag: unquoted(ETag), size: ContentLength ?? 0, ...(StorageClass && { storageClass: StorageClass }) };
    },
    async *list(uri) {
      const { bucket, key } = parseS3Uri(uri);
      let token: string | undefined;
      do {
        const page = await call("ListObjectsV2", { Bucket: bucket, Prefix: key, ...(token && { ContinuationToken: token }) });
        for (const { Key, Size, ETag } of page.Contents ?? []) yield { key: Key ?? "", size: Size ?? 0, etag: unquoted(ETag) };
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
  };
}
