import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "../digest.ts";

/**
 * Uploads of one blob as the distribution spec has them: what arrived before a connection broke is kept and told.
 * Debian's docker-registry 2.8 refuses to go on (BLOB_UPLOAD_INVALID), so that resuming needs this one.
 */
export interface ResumingRegistry extends AsyncDisposable {
  readonly url: string;
  readonly stored: ReadonlyMap<string, Buffer>;
}

const UPLOAD = "/v2/a/blobs/uploads/";

/**
 * @param losesAnswer whether nobody is told that the first upload has ended @default false
 * @param mostAtOnce bytes that are kept of one request @default - all
 */
export async function startResumingRegistry({
  losesAnswer = false,
  mostAtOnce = Number.POSITIVE_INFINITY,
} = {}): Promise<ResumingRegistry> {
  const stored = new Map<string, Buffer>();
  const received: Buffer[] = [];
  const server = createServer((request, answer) => void serve(request, answer, { received, stored, losesAnswer, mostAtOnce }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stored,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface State {
  readonly received: Buffer[];
  readonly stored: Map<string, Buffer>;
  readonly losesAnswer: boolean;
  readonly mostAtOnce: number;
}

async function serve(
  request: IncomingMessage,
  answer: ServerResponse,
  { received, stored, losesAnswer, mostAtOnce }: State,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://registry");
  const length = () => received.reduce((sum, chunk) => sum + chunk.length, 0);
  const state = () => ({ location: `${UPLOAD}1`, range: `0-${length() - 1}` });
  if (url.pathname === "/v2/") return void answer.end();
  if (request.method === "POST") {
    received.length = 0;
    return void answer.writeHead(202, { location: `${UPLOAD}1` }).end();
  }
  if (request.method === "DELETE") return void answer.writeHead(204).end();
  const held = stored.get(url.pathname.split("/").at(-1) ?? "");
  if (request.method === "HEAD") return void answer.writeHead(held ? 200 : 404, { "content-length": held?.length ?? 0 }).end();
  if (request.method === "GET") return void answer.writeHead(204, state()).end();
  const start = Number(/^(\d+)-/.exec(request.headers["content-range"] ?? "0-")?.[1]);
  if (request.method === "PATCH" && start !== length()) return void answer.writeHead(416, state()).end();
  const most = start + mostAtOnce;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) received.push(chunk.subarray(0, Math.max(0, most - length())));
  } catch {
    return;
  }
  if (request.method === "PATCH") return void answer.writeHead(202, state()).end();
  const bytes = Buffer.concat(received);
  const isRight = url.searchParams.get("digest") === digestOf(bytes);
  if (losesAnswer && stored.size > 0) return void answer.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
  if (isRight) stored.set(digestOf(bytes), bytes);
  if (losesAnswer && isRight) return void request.socket.destroy();
  answer.writeHead(isRight ? 201 : 400).end();
}
