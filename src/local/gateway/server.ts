import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import type { createDispatcher } from "./dispatcher.ts";
import { answer, type Incoming } from "./exchange.ts";
import { isStream } from "./protocol/rest-bindings.ts";
import type { Directory, PathHandler, Route, Service, Settings, WireRequest, WireResponse } from "./service.ts";

/** What a request needs on its way. */
export interface Gateway {
  readonly services: ReadonlyMap<string, Service>;
  readonly paths: readonly PathHandler[];
  readonly routers: Map<string, (request: WireRequest) => Route | undefined>;
  readonly dispatcher: ReturnType<typeof createDispatcher>;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  endpoint(): string;
  log(service: string, message: string): void;
}

/** Listens. @throws an Error that names the port when it is taken */
export async function listen(gateway: Gateway): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(
    { requestTimeout: 0, keepAliveTimeout: 30_000 },
    (request, response) => void exchange(gateway, request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE" ? portTaken(gateway.settings.port) : error));
    server.listen(gateway.settings.port, gateway.settings.host, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

const portTaken = (port: number): Error =>
  new Error(`port ${port} is in use: another \`omx local start\`, perhaps (\`omx local status\`); choose a free one with --port`);

async function exchange(gateway: Gateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const incoming = receive(gateway, request);
  try {
    await send(await answer(gateway, incoming), { incoming, response });
    if (!request.readableEnded) request.resume();
  } catch (error) {
    // The answer's stream broke (a client that left, a blob that can't be read): the connection is all that can tell.
    gateway.log("gateway", `${incoming.method} ${incoming.path} broke off: ${(error as Error).message}`);
    response.destroy();
  }
}

function receive(gateway: Gateway, request: IncomingMessage): Incoming {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(",") : value;
  return {
    method: request.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? "" : url.slice(mark + 1),
    headers,
    raw: request,
    remoteAddress: request.socket.remoteAddress ?? "127.0.0.1",
    requestId: gateway.random.uuid(),
  };
}

async function send(
  answered: WireResponse,
  { incoming, response }: { readonly incoming: Incoming; readonly response: ServerResponse },
): Promise<void> {
  const { status, headers = {}, body } = answered;
  response.writeHead(status, {
    "x-amzn-requestid": incoming.requestId,
    "x-amz-request-id": incoming.requestId,
    ...(status !== 204 && lengthOf(headers, body, incoming.method)),
    ...headers,
  });
  if (incoming.method === "HEAD" || body === undefined) {
    if (isStream(body)) body.destroy();
    response.end();
    return;
  }
  if (isStream(body)) await pipeline(body as Readable, response);
  else response.end(body);
}

function lengthOf(headers: Readonly<Record<string, string>>, body: WireResponse["body"], method: string): Record<string, string> {
  if (Object.keys(headers).some((name) => name.toLowerCase() === "content-length") || isStream(body)) return {};
  if (method === "HEAD") return {};
  return { "content-length": String(body === undefined ? 0 : Buffer.byteLength(body as string | Uint8Array)) };
}
