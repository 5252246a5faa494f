import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { faultProxy } from "../testing/fault-proxy.ts";
import { blob, bytes, openLentLab, readLent, serving, slowly, whole } from "../testing/lent-lab.ts";
import { memoryBlob, noise } from "../testing/sample-images.ts";
import { registryClient } from "./registry-client.ts";

const large = noise("sent on", 24_000_000);

// Blobs whose chunks are lent to their reader

test("come whole however slowly they are read, one after another over one connection", async () => {
  await using it = await openLentLab(createServer(whole));
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
    await using it = await openLentLab(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, whole), "https");
    for (const pause of [slowly, undefined])
      expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true }), pause))).toBe(blob.digest);
    setDefaultCACertificates(trusted);
    await using other = await openLentLab(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, whole), "https");
    await expect(readLent(other.repository.blob(blob).read(0, { isLent: true }))).rejects.toMatchObject({ kind: "unreachable" });
  } finally {
    setDefaultCACertificates(trusted);
    rmSync(folder, { recursive: true });
  }
});

test("that break are taken up by Range where they broke", async () => {
  await using upstream = await openLentLab(
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
  await using it = await openLentLab(
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

test("are whole where they are sent on, also in small pieces to a registry that takes them late", async () => {
  const pieces = Array.from({ length: Math.ceil(large.length / 10_000) }, (_, index) =>
    large.subarray(index * 10_000, (index + 1) * 10_000),
  );
  const about = memoryBlob(large).blob;
  const received = createHash("sha256");
  const isHalfSent = Promise.withResolvers<void>();
  const send = async (response: ServerResponse): Promise<void> => {
    response.writeHead(200, { "content-length": large.length });
    for (const [index, piece] of pieces.entries()) {
      response.write(piece);
      await turn();
      if (index === pieces.length >> 1) isHalfSent.resolve();
    }
    response.end();
  };
  const location = "/v2/a/blobs/uploads/1";
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // More has come by then than sockets hold.
    await isHalfSent.promise;
    for await (const chunk of request) received.update(chunk as Buffer);
    response.writeHead(request.method === "PATCH" ? 202 : 201, { location }).end();
  };
  await using it = await openLentLab(
    createServer(
      serving((request, response) => {
        if (request.method === "GET") void send(response);
        else if (request.method === "POST") response.writeHead(202, { location }).end();
        else void take(request, response);
      }),
    ),
  );
  await it.repository.uploadBlob(it.repository.blob(about));
  expect(`sha256:${received.digest("hex")}`).toBe(about.digest);
});
