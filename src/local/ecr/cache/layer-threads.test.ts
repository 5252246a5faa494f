import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { RegistryError } from "../../../oci/errors.ts";
import { digestOf } from "../../../oci/digest.ts";
import { noise } from "../../../oci/testing/sample-images.ts";
import type { LayerOrder } from "./layer-orders.ts";
import { layerThreads } from "./layer-threads.ts";

// Threads start slowly on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), "omx-threads-"));
const bytes = noise("thread", 2 * 1024 * 1024);
const sha512 = `sha512:${createHash("sha512").update(bytes).digest("hex")}`;
let server: Server;
/** A registry that has the layer, begins to send it and stops, or refuses it. */
beforeAll(async () => {
  server = createServer((asked, answer) => {
    if (asked.url?.includes("/denied/")) return void answer.writeHead(403).end('{"errors":[{"code":"DENIED","message":"not for you"}]}');
    answer.writeHead(200, { "content-length": bytes.length });
    if (asked.url?.includes("/stuck/")) answer.write(bytes.subarray(0, bytes.length / 2));
    else answer.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function orderOf(repository: string, digest = digestOf(bytes)): LayerOrder {
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    client: "test",
    upstreams: {},
    registry,
    repository,
    blob: { digest, size: bytes.length },
    file: join(folder, `${repository.replaceAll("/", "-")}-${digest.slice(0, 6)}`),
  };
}

test("a layer of any digest comes into its file, told of to the last byte, and is named by its SHA-256", async () => {
  const threads = layerThreads();
  for (const digest of [digestOf(bytes), sha512]) {
    const order = orderOf("lab/whole", digest);
    let told = 0;
    const onWritten = (more: number) => {
      told += more;
    };
    expect(await threads.bring(order, onWritten)).toBe(digestOf(bytes).slice("sha256:".length));
    expect([told, digestOf(readFileSync(order.file))]).toEqual([bytes.length, digestOf(bytes)]);
  }
  await threads.close();
});

test("what the registry says crosses with its kind", async () => {
  const threads = layerThreads();
  const refused = await threads.bring(orderOf("lab/denied/x"), () => undefined).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RegistryError);
  expect(refused).toMatchObject({ kind: "denied", status: 403, message: expect.stringContaining("not for you") });
  await threads.close();
});

test("one that is given up, and all when the accounts stop, end at once", async () => {
  const threads = layerThreads();
  const begun = (order: LayerOrder, signal?: AbortSignal) => {
    const some = Promise.withResolvers<void>();
    return { some: some.promise, ended: threads.bring(order, () => some.resolve(), signal).catch((error: Error) => error.message) };
  };
  const givingUp = new AbortController();
  const one = begun(orderOf("lab/stuck/one"), givingUp.signal);
  const other = begun(orderOf("lab/stuck/other"));
  await Promise.all([one.some, other.some]);
  givingUp.abort(new Error("no longer wanted"));
  expect(await one.ended).toBe("no longer wanted");
  await threads.close();
  expect(await other.ended).toContain("the thread that brought the layer ended");
  expect(existsSync(orderOf("lab/stuck/other").file)).toBe(true);
});
