import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { registryClient, type Repository } from "../client/registry-client.ts";
import { memoryBlob, noise } from "./sample-images.ts";

/** What the servers of this laboratory have. */
export const bytes = noise("lent", 3_000_000);
export const { blob } = memoryBlob(bytes);

/** A server of this machine, and the client's view of one repository there. Waits take no time. */
export interface LentLab extends AsyncDisposable {
  readonly url: string;
  /** Those that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** What the client would have waited. */
  readonly waits: readonly number[];
  readonly repository: Repository;
  /** How many there were. */
  connections(): number;
}

export async function openLentLab(server: Server, protocol: "http" | "https" = "http"): Promise<LentLab> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `${protocol}://localhost:${(server.address() as AddressInfo).port}`;
  const waits: number[] = [];
  const clock = {
    now: () => new Date(0),
    sleep: async (ms: number) => {
      waits.push(ms);
    },
  };
  const client = registryClient({ transport: () => ({ origin: url, prefix: "" }), clock, retries: { attempts: 2 } });
  return {
    url,
    sockets,
    waits,
    connections: () => connections,
    repository: client.repository({ registry: "registry.example", repository: "a" }),
    async [Symbol.asyncDispose]() {
      await client.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers every request for a blob. */
export const serving =
  (answer: Answer): Answer =>
  (request, response) => {
    if (request.url === "/v2/") response.end("{}");
    else answer(request, response);
  };

export const whole = serving((_, response) => response.writeHead(200, { "content-length": bytes.length }).end(bytes));

/** Answers each request with text, as it stands, in the pieces given. */
export function saying(pieces: (question: number) => readonly (string | Buffer)[], isEnded = false): Server {
  let questions = 0;
  const answer = async (socket: Socket): Promise<void> => {
    questions += 1;
    for (const piece of pieces(questions)) {
      socket.write(piece);
      await turn();
    }
    if (isEnded) socket.end();
  };
  return createServer((socket) => {
    socket.on("data", (data) => {
      if (data.includes("GET /v2/ ")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      else void answer(socket);
    });
  });
}

/** Reads as who is done with each chunk when it asks for the next. */
export async function readLent(
  source: AsyncIterable<Uint8Array>,
  pause: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) {
    await pause();
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

export const slowly = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns += 1) await turn();
};
