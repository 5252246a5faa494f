import { createServer } from "node:http";
import { createServer as createRawServer, type Socket } from "node:net";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { blob, bytes, openLentLab, readLent, saying, whole } from "../testing/lent-lab.ts";
import { BlobConnections } from "./blob-connections.ts";
import { LentBody } from "./lent-body.ts";

// Blobs whose chunks are lent to their reader, where the reader or the registry keeps the other waiting

test("end with whoever wanted them", async () => {
  await using it = await openLentLab(saying(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes.subarray(0, 1000)]));
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
  await using it = await openLentLab(saying(() => (said === "" ? [] : [said])));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 60_000, ...patience });
  const read = async () => readLent((await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {} }))!.body);
  await expect(read()).rejects.toMatchObject({ code });
});

test("of a reader that is slow are held two at a time, and the registry waits", async () => {
  let resumed = 0;
  const resume = () => {
    resumed += 1;
  };
  const body = new LentBody(4, { resume, giveBack: () => undefined, leave: () => undefined });
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
  const say = async (socket: Socket): Promise<void> => {
    for (const piece of [`${head}a`, "b", "c"]) {
      socket.write(piece);
      await sleep(50);
    }
  };
  await using it = await openLentLab(createRawServer((socket) => socket.once("data", () => void say(socket))));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 200 });
  const answer = await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {} });
  let pauses = 0;
  const pause = () => {
    pauses += 1;
    return sleep(pauses === 1 ? 400 : 0);
  };
  await expect(readLent(answer!.body, pause)).rejects.toMatchObject({ code: "UND_ERR_BODY_TIMEOUT" });
  blobs.close();
}, 10_000);

test("of a reader that takes longer than the registry may are not given up", async () => {
  await using it = await openLentLab(createServer(whole));
  const blobs = new BlobConnections({ connectMs: 60_000, headMs: 60_000, bodyMs: 100 });
  const answer = await blobs.ask({ url: new URL("/v2/a/blobs/b", it.url), headers: {} });
  let pauses = 0;
  const pause = () => {
    pauses += 1;
    return sleep(pauses <= 2 ? 400 : 0);
  };
  expect(digestOf(await readLent(answer!.body, pause))).toBe(blob.digest);
  blobs.close();
});
