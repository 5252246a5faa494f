import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../../kit/clock.ts";
import { systemRandom } from "../../../kit/random.ts";
import { digestOf } from "../../../oci/digest.ts";
import { noise, pushSample } from "../../../oci/testing/sample-images.ts";
import { openBlobs } from "../../storage/blobs.ts";
import { type LayerSource, receiveLayer } from "./arriving-layers.ts";
import { type CachedAccounts, startCached, until } from "../testing/upstream.ts";

// Accounts and a registry of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), "omx-arriving-"));
let cached: CachedAccounts;
beforeAll(async () => {
  cached = await startCached();
});
afterAll(async () => {
  await cached[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const MIB = 1024 * 1024;

/** A layer of which the second half comes when it is let go, or fails. */
function halved(bytes: Buffer) {
  const half = Promise.withResolvers<void>();
  half.promise.catch(() => undefined);
  const source: LayerSource = {
    digest: digestOf(bytes),
    size: bytes.length,
    async writeTo(file, onWritten) {
      for (let at = 0; at < bytes.length; at += 65_536) {
        if (at === bytes.length / 2) await half.promise;
        await appendFile(file, bytes.subarray(at, at + 65_536));
        onWritten(65_536);
      }
      return digestOf(bytes).slice(7);
    },
  };
  return { source, go: half.resolve, fail: half.reject };
}

test("a layer is read while it arrives, from any byte, and is stored when it is whole", async () => {
  const blobs = openBlobs(join(folder, "whole"), { clock: systemClock, random: systemRandom });
  const bytes = noise("arriving", 4 * MIB);
  const { source, go } = halved(bytes);
  const layer = receiveLayer(blobs, source);
  await layer.reaches(0);
  expect(await buffer(layer.open({ start: MIB, end: MIB + 99 }))).toEqual(bytes.subarray(MIB, MIB + 100));
  const [whole, last] = [buffer(layer.open()), buffer(layer.open({ start: bytes.length - 1, end: bytes.length - 1 }))];
  expect(blobs.has(digestOf(bytes).slice(7))).toBe(false);
  go();
  expect(await layer.stored).toEqual({ sha256: digestOf(bytes).slice(7), size: bytes.length });
  expect(digestOf(await whole)).toBe(digestOf(bytes));
  expect(await last).toEqual(bytes.subarray(-1));
  expect(digestOf(await buffer(layer.open()))).toBe(digestOf(bytes));
});

test("an arrival that fails breaks the streams of its readers and leaves nothing", async () => {
  const blobs = openBlobs(join(folder, "broken"), { clock: systemClock, random: systemRandom });
  const { source, fail } = halved(noise("broken", 4 * MIB));
  const layer = receiveLayer(blobs, source);
  const whole = buffer(layer.open());
  fail(new Error("upstream is gone"));
  await expect(whole).rejects.toThrow("upstream is gone");
  await expect(layer.stored).rejects.toThrow("upstream is gone");
  await expect(buffer(layer.open())).rejects.toThrow("upstream is gone");
  expect(readdirSync(join(folder, "broken", "incoming"))).toEqual([]);
});

test("a layer that upstream sends with other bytes ends as a broken answer, is not kept, and comes when upstream is right", async () => {
  const bytes = noise("lying", 3 * MIB);
  await pushSample(cached.at("lying"), "1", { layers: [bytes] });
  cached.fail(({ path }) => (path.endsWith(digestOf(bytes)) ? { kind: "flip" } : undefined));
  expect((await cached.user.http("GET", "quay/lying/manifests/1")).status).toBe(200);
  const read = () =>
    cached.user
      .http("GET", `quay/lying/blobs/${digestOf(bytes)}`)
      .then(async (answer) => (answer.ok ? Buffer.from(await answer.arrayBuffer()) : answer.status));
  const first = await read().catch((error: Error) => error);
  expect(first instanceof Error || first === 503).toBe(true);
  expect(cached.accounts.accounts.core.blobs.has(digestOf(bytes).slice(7))).toBe(false);
  cached.fail(undefined);
  // One that began before may still be on its way to its end.
  const right = await until(async () => {
    const found = await read().catch(() => undefined);
    return typeof found === "object" ? found : undefined;
  });
  expect(digestOf(right)).toBe(digestOf(bytes));
});
