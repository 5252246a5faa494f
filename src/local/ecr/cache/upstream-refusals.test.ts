import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { pushSample } from "../../../oci/testing/sample-images.ts";
import { codeOf } from "../testing/registry.ts";
import { type CachedAccounts, collectEvents, sample, startCached } from "../testing/upstream.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

// The upstream is Debian's docker-registry behind a proxy that counts, under the name quay.io.

let cached: CachedAccounts;
let events: Awaited<ReturnType<typeof collectEvents>>;
beforeAll(async () => {
  cached = await startCached();
  events = await collectEvents(cached);
});
afterAll(() => cached[Symbol.asyncDispose]());

describe("what is not to be had", () => {
  test("an unknown image makes no repository and is an unknown image once there is one", async () => {
    const missing = await cached.manifest("quay/nobody/manifests/1");
    expect([missing.status, await codeOf(missing)]).toEqual([404, "NAME_UNKNOWN"]);
    await expect(cached.image("quay/nobody", "1")).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
    expect((await events.synced("quay/nobody")).detail).toMatchObject({
      "sync-status": "FAILED",
      "failure-code": "ImageNotFound",
      "image-tag": "1",
    });
    await pushSample(cached.at("somebody"), "1", sample("somebody"));
    await cached.manifest("quay/somebody/manifests/1");
    expect(await codeOf(await cached.manifest("quay/somebody/manifests/2"))).toBe("MANIFEST_UNKNOWN");
    expect((await cached.image("quay/somebody", "2")).failure).toBe("ImageNotFound");
  });

  test.each([
    [{ kind: "reset" } as const, 503, "UNAVAILABLE", "UpstreamUnavailable"],
    [{ kind: "answer", status: 403 } as const, 403, "DENIED", "UpstreamAccessDenied"],
    [{ kind: "answer", status: 429, headers: { "retry-after": "600" } } as const, 429, "TOOMANYREQUESTS", "UpstreamTooManyRequests"],
  ])("an upstream that does %o is told as it is", async (fault, status, code, failure) => {
    cached.fail(({ path }) => (path.includes("/v2/failing/") ? fault : undefined));
    const answer = await cached.manifest("quay/failing/manifests/1");
    expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
    expect((await cached.image("quay/failing", "1")).failure).toBe(failure);
    cached.fail(undefined);
  });

  test.each([
    "quay/a%3Fb/manifests/1",
    "quay/a%2F..%2Fb/manifests/1",
    "quay/UPPER/manifests/1",
    "quay/a/manifests/1%3Fx",
    "quay/a/manifests/-1",
  ])("nothing is asked upstream for %s, which names nothing", async (path) => {
    const asked = cached.asked.seen.length;
    expect((await cached.manifest(path)).status).toBe(404);
    expect(cached.asked.seen.length).toBe(asked);
  });

  test("nothing is asked upstream for repositories without a rule", async () => {
    expect(await codeOf(await cached.manifest("other/tool/manifests/1"))).toBe("NAME_UNKNOWN");
    expect(cached.asked.count("GET", "other")).toBe(0);
  });
});
