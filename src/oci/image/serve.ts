import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BlobSource } from "../client/blob-reader.ts";
import type { BuiltImage } from "./built-image.ts";

/** A registry that offers a few images for reading, to anyone on this machine. */
export interface ImageServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

export interface OfferedImage {
  /** Path in the registry, without its host. */
  readonly repository: string;
  readonly tag: string;
  readonly image: BuiltImage;
}

/**
 * Serves images over the read half of the distribution protocol: an upstream where no public registry answers.
 * @param port 0 takes a free one
 */
export async function serveImages(offered: readonly OfferedImage[], port = 0): Promise<ImageServer> {
  const server = createServer((request, response) => {
    answer(offered, request, response).catch(() => response.destroy()); // the client left, or a layer's file is gone
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const close = () => closed(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close, [Symbol.asyncDispose]: close };
}

async function answer(
  offered: readonly OfferedImage[],
  { url = "/", method, headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (/^\/v2\/?$/.test(url)) return void response.writeHead(200, { "content-type": "application/json" }).end("{}");
  const [, repository = "", kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
  const images = offered.filter((one) => one.repository === repository);
  if (kind === "manifests") {
    const found = images.find(({ tag, image }) => reference === tag || reference === image.digest)?.image;
    if (!found) return missing(response, "MANIFEST_UNKNOWN", `${repository}:${reference} is not offered here`);
    response.writeHead(200, {
      "content-type": found.mediaType,
      "docker-content-digest": found.digest,
      "content-length": found.bytes.length,
    });
    return void response.end(method === "HEAD" ? undefined : found.bytes);
  }
  const blob = images
    .flatMap(({ image }) => [image.configBlob, ...image.layers.map((layer) => layer.source)])
    .find((source) => source.blob.digest === reference);
  if (!blob) return missing(response, "BLOB_UNKNOWN", `${reference} is not offered here`);
  await sendBlob(blob, { response, isHead: method === "HEAD", range: headers.range });
}

async function sendBlob(
  source: BlobSource,
  { response, isHead, range }: { readonly response: ServerResponse; readonly isHead: boolean; readonly range: string | undefined },
): Promise<void> {
  const { digest, size } = source.blob;
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    "content-length": size - start,
  };
  response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...headers, "content-range": `bytes ${start}-${size - 1}/${size}` } : headers);
  if (isHead) return void response.end();
  await pipeline(Readable.from(source.read(start)), response);
}

const missing = (response: ServerResponse, code: string, message: string): void =>
  void response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ errors: [{ code, message }] }));

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
