import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isDigestOf } from "../digest.ts";

/** What Amazon ECR is reported to do with a second PATCH of one upload. Both answer 201, with the Range as it was. */
export type SecondPart = "discards" | "keeps";

export interface EcrUploads extends AsyncDisposable {
  readonly url: string;
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** Requests as `PATCH 2`: the method, and which upload it was for, counted from 1. */
  readonly asked: readonly string[];
}

interface Upload {
  readonly number: number;
  bytes: Buffer;
  parts: number;
  range: number;
}

/**
 * Uploads of blobs as Amazon ECR's registry is observed to answer, which is not as the distribution spec has it: a PATCH with 201, and one
 * PATCH for each upload.
 * @param cut after so many bytes the connection of the first upload's first PATCH ends; what came is kept
 * @see https://github.com/aws/containers-roadmap/issues/2831
 * @see https://github.com/crashappsec/chalk/pull/682
 */
export async function ecrUploads({ second, cut }: { readonly second: SecondPart; readonly cut?: number }): Promise<EcrUploads> {
  const blobs = new Map<string, Buffer>();
  const uploads = new Map<string, Upload>();
  const asked: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://ecr");
    const [, name, id = ""] = /^\/v2\/(.*?)\/blobs\/(?:uploads\/)?(.*)$/.exec(pathname) ?? [];
    const upload = uploads.get(id) ?? { number: uploads.size + 1, bytes: Buffer.alloc(0), parts: 0, range: 0 };
    asked.push(`${request.method} ${upload.number}`);
    const at = (key: string) => ({
      location: `/v2/${name}/blobs/uploads/${key}`,
      ...(upload.range > 0 && { range: `0-${upload.range - 1}` }),
    });
    if (request.method === "HEAD") return void response.writeHead(blobs.has(id) ? 200 : 404, { "docker-content-digest": id }).end();
    if (request.method === "POST") {
      const key = randomUUID();
      uploads.set(key, upload);
      return void response.writeHead(202, at(key)).end();
    }
    if (request.method === "PATCH") {
      const isWhole = await take(request, upload, { second, cut: upload.number === 1 && upload.parts === 0 ? cut : undefined });
      return void (isWhole && response.writeHead(201, at(id)).end());
    }
    if (request.method !== "PUT") return void response.writeHead(204, at(id)).end();
    upload.bytes = Buffer.concat([upload.bytes, ...(await request.toArray())]);
    const digest = searchParams.get("digest") ?? "";
    if (!isDigestOf(digest, upload.bytes))
      return void response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID","message":"another digest"}]}');
    blobs.set(digest, upload.bytes);
    response.writeHead(201, { "docker-content-digest": digest }).end();
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @returns whether the connection lasted to the end */
async function take(
  request: IncomingMessage,
  upload: Upload,
  { second, cut = Number.POSITIVE_INFINITY }: { readonly second: SecondPart; readonly cut?: number | undefined },
): Promise<boolean> {
  upload.parts += 1;
  const isFirst = upload.parts === 1;
  let came = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    came += chunk.length;
    if (isFirst || second === "keeps") upload.bytes = Buffer.concat([upload.bytes, chunk]);
    if (isFirst) upload.range = upload.bytes.length;
    if (came < cut) continue;
    request.destroy();
    return false;
  }
  return true;
}
