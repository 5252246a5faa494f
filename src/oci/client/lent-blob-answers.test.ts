import { createServer } from "node:http";
import { createServer as createRawServer } from "node:net";
import { expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { blob, bytes, openLentLab, readLent, saying, whole } from "../testing/lent-lab.ts";
import { BlobConnections } from "./blob-connections.ts";

// Blobs whose chunks are lent to their reader, by what the registry says before and after them

test("come behind a head that arrives in pieces", async () => {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: a\r\nX-One: 1\r\nX-One: 2\r\ncontent-length:${bytes.length}  \r\n\r\n`;
  await using it = await openLentLab(saying(() => [...head.match(/[^]{1,7}/g)!, bytes.subarray(0, 5), bytes.subarray(5)]));
  expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true })))).toBe(blob.digest);
  expect(it.waits).toEqual([]);
});

test("come over a new connection where the registry ended the one that was kept, without a wait", async () => {
  await using it = await openLentLab(saying(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes], true));
  for (let round = 0; round < 3; round += 1)
    expect(digestOf(await readLent(it.repository.blob(blob).read(0, { isLent: true })))).toBe(blob.digest);
  expect(it.waits).toEqual([]);
});

test("are no longer than their answer said, and what follows is nobody's answer", async () => {
  const more = Buffer.concat([bytes, Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")]);
  await using it = await openLentLab(saying(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, more]));
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
  await using it = await openLentLab(saying(() => [answer], true));
  await expect(readLent(it.repository.blob(blob).read(0, { isLent: true }))).rejects.toMatchObject({
    name: "RegistryError",
    registry: "registry.example",
  });
});

test("come over a new connection where the registry means to end the one it answered on", async () => {
  const head = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  // What it is asked afterwards it does not hear.
  await using it = await openLentLab(
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

test("are asked for with no header that the registry would take for another request", async () => {
  await using it = await openLentLab(createServer(whole));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 60_000 });
  await expect(blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: { authorization: "Bearer a\r\nx: y" } })).rejects.toThrow(
    "Invalid character in header",
  );
});
