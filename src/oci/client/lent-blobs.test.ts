import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { faultProxy } from "../testing/fault-proxy.ts";
import { memoryBlob, noise } from "../testing/sample-images.ts";
import { BlobConnections } from "./blob-connections.ts";
import { LentBody } from "./lent-body.ts";
import { registryClient } from "./registry-client.ts";

const bytes = noise("lent", 3_000_000);
const { blob } = memoryBlob(bytes);
const large = noise("sent on", 24_000_000);

/** A server of this machine, and the client's view of one repository there. Waits take no time. */
async function at(server: Server, protocol = "http") {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `${protocol}://localhost:${(server.address() as AddressInfo).port}`;
  const waits: number[] = [];
  const clock = { now: () => new Date(0), sleep: (ms: number) => (waits.push(ms), Promise.resolve()) };
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

/** Answers every request for a blob. */
const serving =
  (answer: (request: IncomingMessage, response: ServerResponse) => void) => (request: IncomingMessage, response: ServerResponse) =>
    void (request.url === "/v2/" ? response.end("{}") : answer(request, response));

const whole = serving((_, response) => response.writeHead(200, { "content-length": bytes.length }).end(bytes));

/** Reads as who is done with each chunk when it asks for the next. */
async function readLent(source: AsyncIterable<Uint8Array>, pause: () => Promise<unknown> = () => Promise.resolve()): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) {
    await pause();
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

const slowly = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns += 1) await turn();
};

test("come whole however slowly they are read, one after another over one connection", async () => {
  await using it = await at(createServer(whole));
  for (const pause of [slowly, undefined, slowly, undefined]) {
    expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true }), pause))).toBe(blob.digest);
  }
  // Another one asked who we are.
  expect(it.connections()).toBe(2);
  expect(it.waits).toEqual([]);
});

test("come whole over TLS, at the reader's pace", async () => {
  const folder = mkdtempSync(join(tmpdir(), "omx-tls-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      key,
      "-out",
      cert,
      "-days",
      "2",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
    ],
    { stdio: "ignore" },
  );
  const trusted = getCACertificates();
  setDefaultCACertificates([...trusted, readFileSync(cert, "utf8")]);
  try {
    await using it = await at(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, whole), "https");
    for (const pause of [slowly, undefined])
      expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true }), pause))).toBe(blob.digest);
    setDefaultCACertificates(trusted);
    await using other = await at(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, whole), "https");
    await expect(readLent(other.repository.blob(blob).read(0, { isLent: true }))).rejects.toMatchObject({ kind: "unreachable" });
  } finally {
    setDefaultCACertificates(trusted);
    rmSync(folder, { recursive: true });
  }
});

test("that break are taken up by Range where they broke", async () => {
  await using upstream = await at(
    createServer(
      serving((request, response) => {
        const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
        response.writeHead(start > 0 ? 206 : 200, {
          "content-length": bytes.length - start,
          ...(start > 0 && { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
        });
        response.end(bytes.subarray(start));
      }),
    ),
  );
  await using proxy = await faultProxy(upstream.url, ({ path }, before) =>
    path.includes("/blobs/") && before < 3 ? { kind: "cut", afterBytes: 500_000 } : undefined,
  );
  await using client = registryClient({
    transport: () => ({ origin: proxy.url, prefix: "" }),
    clock: { now: () => new Date(0), sleep: () => Promise.resolve() },
  });
  const source = client.repository({ registry: "registry.example", repository: "a" }).blob(blob);
  expect(digestOf(await readLent(source.read(0, { isLent: true })))).toBe(blob.digest);
  expect(proxy.count("GET", "/blobs/")).toBe(4);
});

test("come from a registry that says no length, which is asked in another way from then on", async () => {
  let asked = 0;
  await using it = await at(
    createServer(
      serving((_, response) => {
        asked += 1;
        response.writeHead(200).write(bytes.subarray(0, 1000));
        response.end(bytes.subarray(1000));
      }),
    ),
  );
  for (const requests of [2, 3]) {
    expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true }), slowly))).toBe(blob.digest);
    expect(asked).toBe(requests);
  }
});

/** Answers each request with text, as it stands, in the pieces given. */
const saying = (pieces: (question: number) => readonly (string | Buffer)[], isEnded = false) => {
  let questions = 0;
  return createRawServer((socket) => {
    socket.on("data", (data) => {
      if (data.includes("GET /v2/ ")) return void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      void (async () => {
        for (const piece of pieces((questions += 1))) {
          socket.write(piece);
          await turn();
        }
        if (isEnded) socket.end();
      })();
    });
  });
};

test("come behind a head that arrives in pieces", async () => {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: a\r\nX-One: 1\r\nX-One: 2\r\ncontent-length:${bytes.length}  \r\n\r\n`;
  await using it = await at(saying(() => [...head.match(/[^]{1,7}/g)!, bytes.subarray(0, 5), bytes.subarray(5)]));
  expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true })))).toBe(blob.digest);
  expect(it.waits).toEqual([]);
});

test("come over a new connection where the registry ended the one that was kept, without a wait", async () => {
  await using it = await at(saying(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes], true));
  for (let round = 0; round < 3; round += 1)
    expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true })))).toBe(blob.digest);
  expect(it.waits).toEqual([]);
});

test("are no longer than their answer said, and what follows is nobody's answer", async () => {
  const more = Buffer.concat([bytes, Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")]);
  await using it = await at(saying(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, more]));
  for (let round = 0; round < 2; round += 1)
    expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true })))).toBe(blob.digest);
  // One that asked who we are, and one for each: such a connection is not used again.
  expect(it.connections()).toBe(3);
  expect(it.waits).toEqual([]);
});

test.each([
  ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"],
  ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\n\r\nabc"],
  ["a line without a name", "HTTP/1.1 200 OK\r\n: 3\r\nContent-Length: 3\r\n\r\nabc"],
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
  ["a head without an end", `HTTP/1.1 200 OK\r\n${"X-Long: x\r\n".repeat(20_000)}`],
])("are refused behind %s", async (_, answer) => {
  await using it = await at(saying(() => [answer], true));
  await expect(readLent(it.repository.blob(blob).read(0, { isLent: true }))).rejects.toMatchObject({
    name: "RegistryError",
    registry: "registry.example",
  });
});

test("end with whoever wanted them", async () => {
  await using it = await at(saying(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes.subarray(0, 1000)]));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 60_000 });
  const ending = new AbortController();
  const answer = await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {}, signal: ending.signal });
  const read = readLent(answer!.body, () => Promise.resolve(ending.abort(new Error("enough"))));
  await expect(read).rejects.toThrow("enough");
  await expect.poll(() => it.sockets.size).toBe(0);
});

test.each([
  ["its head", { headMs: 50 }, "", "UND_ERR_HEADERS_TIMEOUT"],
  ["its body", { bodyMs: 50 }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "UND_ERR_BODY_TIMEOUT"],
])("of a registry that says nothing more fail while %s is awaited", async (_, patience, said, code) => {
  await using it = await at(saying(() => (said === "" ? [] : [said])));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 60_000, ...patience });
  const read = async () => readLent((await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {} }))!.body);
  await expect(read()).rejects.toMatchObject({ code });
});

test("come over a new connection where the registry means to end the one it answered on", async () => {
  const head = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  // What it is asked afterwards it does not hear.
  await using it = await at(
    createRawServer(
      (socket) =>
        void socket.once("data", (data) => {
          if (data.includes("GET /v2/ ")) return void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
          socket.write(head);
          socket.write(bytes);
        }),
    ),
  );
  for (let round = 0; round < 2; round += 1)
    expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true })))).toBe(blob.digest);
}, 10_000);

test("of a reader that is slow are held two at a time, and the registry waits", async () => {
  let resumed = 0;
  const body = new LentBody(4, { resume: () => void (resumed += 1), giveBack: () => undefined, leave: () => undefined });
  const piece = { bytes: Buffer.from("a") };
  expect([body.take(piece), body.take(piece)]).toEqual([true, false]);
  const chunks = body[Symbol.asyncIterator]();
  for (let taken = 0; taken < 2; taken += 1) await chunks.next();
  void chunks.next();
  await turn();
  expect([resumed, body.take(piece), body.take(piece)]).toEqual([1, true, expect.any(Boolean)]);
});

test("of a registry that falls silent while it is kept waiting fail all the same", async () => {
  // As much as is kept for a reader, each piece by itself, and no more.
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n";
  await using it = await at(
    createRawServer((socket) => {
      socket.once(
        "data",
        () =>
          void (async () => {
            for (const piece of [`${head}a`, "b", "c"]) {
              socket.write(piece);
              await new Promise((resolve) => void setTimeout(resolve, 50));
            }
          })(),
      );
    }),
  );
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 200 });
  const answer = await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {} });
  let pauses = 0;
  const pause = () => new Promise((resolve) => void setTimeout(resolve, (pauses += 1) === 1 ? 400 : 0));
  await expect(readLent(answer!.body, pause)).rejects.toMatchObject({ code: "UND_ERR_BODY_TIMEOUT" });
  blobs.close();
}, 10_000);

test("of a reader that takes longer than the registry may are not given up", async () => {
  await using it = await at(createServer(whole));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 100 });
  const answer = await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {} });
  let pauses = 0;
  const pause = () => new Promise((resolve) => void setTimeout(resolve, (pauses += 1) <= 2 ? 400 : 0));
  expect(digestOf(await readLent(answer!.body, pause))).toBe(blob.digest);
  blobs.close();
});

test("are whole where they are sent on, also in small pieces to a registry that takes them late", async () => {
  const pieces = Array.from({ length: Math.ceil(large.length / 10_000) }, (_, index) =>
    large.subarray(index * 10_000, (index + 1) * 10_000),
  );
  const about = memoryBlob(large).blob;
  let sent = () => {};
  const isSent = new Promise<void>((resolve) => void (sent = resolve));
  const received = createHash("sha256");
  await using it = await at(
    createServer(
      serving((request, response) => {
        if (request.method === "GET") {
          response.writeHead(200, { "content-length": large.length });
          return void (async () => {
            for (const [index, piece] of pieces.entries()) {
              response.write(piece);
              await turn();
              if (index === pieces.length >> 1) sent();
            }
            response.end();
          })();
        }
        if (request.method === "POST") return void response.writeHead(202, { location: "/v2/a/blobs/uploads/1" }).end();
        // More has come by then than sockets hold.
        void isSent.then(() =>
          request
            .on("data", (chunk: Buffer) => received.update(chunk))
            .on("end", () => response.writeHead(request.method === "PATCH" ? 202 : 201, { location: "/v2/a/blobs/uploads/1" }).end()),
        );
      }),
    ),
  );
  await it.repository.uploadBlob(it.repository.blob(about));
  expect(`sha256:${received.digest("hex")}`).toBe(about.digest);
});

test("are asked for with no header that the registry would take for another request", async () => {
  await using it = await at(createServer(whole));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 60_000 });
  await expect(blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: { authorization: "Bearer a\r\nx: y" } })).rejects.toThrow(
    "Invalid character in header",
  );
});
