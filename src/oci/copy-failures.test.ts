import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import { type CopyLab, type Decide, startCopyLab } from "./testing/copy-lab.ts";
import { noise, pushSample } from "./testing/sample-images.ts";

let lab: CopyLab;
let upstream: CopyLab["upstream"];
let ecr: CopyLab["ecr"];
beforeAll(async () => {
  lab = await startCopyLab();
  ({ upstream, ecr } = lab);
});
afterAll(() => lab[Symbol.asyncDispose]());

const at: CopyLab["at"] = (registry, repository) => lab.at(registry, repository);
const copy: CopyLab["copy"] = (images, options) => lab.copy(images, options);

describe("failures", () => {
  test("E15, E16: one image's failure leaves the others alone and is told with its reason", async () => {
    await pushSample(at(upstream, "good"), "1", { layers: [noise("good", 1000)] });
    const denied: Decide = ({ path }) =>
      path.includes("/secret/") ? { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"not yours"}]}' } : undefined;
    const { results } = await copy(["quay.io/absent:1", "quay.io/good:1", "quay.io/secret:1"], { up: denied });
    expect(results.map(({ status }) => status)).toEqual(["FAILED", "PULLED", "FAILED"]);
    expect(results[0]?.reason).toContain("quay.io does not have it");
    expect(results[2]?.reason).toContain("refuses access");
    expect(results[2]?.reason).toContain("not yours");
  });

  test("E14: a target that refuses access is not a target without the image", async () => {
    await pushSample(at(upstream, "good"), "2", { layers: [noise("good", 1000)] });
    const { results, target } = await copy(["quay.io/good:2"], {
      down: ({ method }) => (method === "GET" ? { kind: "answer", status: 403 } : undefined),
    });
    expect(results).toMatchObject([{ status: "FAILED" }]);
    expect(target.count("POST", "")).toBe(0);
  });

  test("E23: throttled, reset and cut connections on both sides end in the right image", async () => {
    const names = ["f/a", "f/b", "f/c"];
    const shared = noise("f-shared", 6_000_000);
    await Promise.all(names.map((name) => pushSample(at(upstream, name), "1", { layers: [shared, noise(name, 50_000)] })));
    const flaky: Decide = ({ method, path }, before) => {
      if (before > 0 || path === "/v2/") return undefined;
      if (path.includes("/blobs/sha256") && method === "GET") return { kind: "cut", afterBytes: 30_000 };
      return { kind: "answer", status: 429, headers: { "retry-after": "1" } };
    };
    const resets: Decide = ({ method, path }, before) =>
      before === 0 && method !== "PATCH" && !path.includes("digest=") ? { kind: "reset" } : undefined;
    const { results } = await copy(
      names.map((name) => `quay.io/${name}:1`),
      { up: flaky, down: resets },
    );
    expect(results.map(({ status, reason }) => ({ status, reason }))).toEqual(
      names.map(() => ({ status: "PULLED", reason: "the target did not have it" })),
    );
    for (const name of names)
      expect((await at(ecr, name).getManifest("1"))?.digest).toBe((await at(upstream, name).headManifest("1"))?.digest);
  });

  test("a registry that lies about a digest leaves nothing behind, and a second call completes", async () => {
    const image = await pushSample(at(upstream, "liar"), "1", { layers: [noise("liar", 40_000)] });
    const lie: Decide = ({ method, path }) => (method === "GET" && path.includes("/blobs/") ? { kind: "flip" } : undefined);
    const lied = await copy(["quay.io/liar:1"], { up: lie });
    expect(lied.results).toMatchObject([{ status: "FAILED" }]);
    expect(lied.results[0]?.reason).toContain("sent other bytes than promised");
    expect(await at(ecr, "liar").headManifest("1")).toBeUndefined();
    expect((await copy(["quay.io/liar:1"])).results).toMatchObject([{ status: "PULLED", digest: image.digest }]);
  });

  test("a full disk is told as it is, for each image that does not fit", async () => {
    await pushSample(at(upstream, "too/large"), "1", { layers: [noise("too-large", 5_000_000)] });
    await pushSample(at(upstream, "small/enough"), "1", { layers: [noise("small-enough", 100)] });
    const full: Decide = ({ method }) =>
      method === "PATCH" ? { kind: "answer", status: 507, body: "no space left on device" } : undefined;
    const { results, target } = await copy(["quay.io/too/large:1", "quay.io/small/enough:1"], { down: full });
    expect(target.count("PATCH", "too/large"), "it is not tried again and again").toBe(1);
    expect(results).toMatchObject([{ status: "FAILED", reason: expect.stringContaining("no space left on device") }, { status: "PULLED" }]);
    expect(await at(ecr, "too/large").headManifest("1")).toBeUndefined();
  });

  test("where one request in ten fails, on both sides, every image arrives", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `one-in-ten/t${index}`);
    await Promise.all(
      names.map((name) => pushSample(at(upstream, name), "1", { layers: [noise("one-in-ten", 200_000), noise(name, 30_000)] })),
    );
    const failing = (every: number): Decide => {
      let asked = 0;
      return ({ path }) => {
        if (path === "/v2/" || (asked += 1) % every !== 0) return undefined;
        return asked % (2 * every) === 0 ? { kind: "reset" } : { kind: "answer", status: 503, body: "try again" };
      };
    };
    const { results } = await copy(
      names.map((name) => `quay.io/${name}:1`),
      { up: failing(10), down: failing(9) },
    );
    expect(results.map(({ status }) => status)).toEqual(names.map(() => "PULLED"));
    for (const [index, name] of names.entries()) expect((await at(ecr, name).getManifest("1"))?.digest).toBe(results[index]?.digest);
  });

  test("a slow registry is waited for", async () => {
    const image = await pushSample(at(upstream, "slow"), "1", { layers: [noise("slow", 300_000)] });
    const slow: Decide = ({ method }) => (method === "GET" ? { kind: "slow", msPerChunk: 5 } : undefined);
    expect((await copy(["quay.io/slow:1"], { up: slow })).results).toMatchObject([{ status: "PULLED", digest: image.digest }]);
  });

  test("a run that is ended tells what is not done", async () => {
    await pushSample(at(upstream, "late"), "1", { layers: [noise("late", 1000)] });
    const { results } = await copy(["quay.io/late:1"], {
      signal: AbortSignal.abort(new Error("the function's time is over")),
    });
    expect(results).toMatchObject([{ status: "FAILED", reason: "the function's time is over" }]);
  });
});

test("what may pass within minutes is told apart from what will not", async () => {
  await pushSample(at(upstream, "passing"), "1", { layers: [noise("passing", 1000)] });
  const fails = async (status: number, headers: Record<string, string> = {}) =>
    (await copy(["quay.io/passing:1"], { up: ({ path }) => (path.includes("/blobs/") ? { kind: "answer", status, headers } : undefined) }))
      .results[0];
  expect(await fails(503)).toMatchObject({ status: "FAILED", isTemporary: true });
  for (const failed of [await fails(429, { "retry-after": "21600" }), await fails(403)])
    expect(failed).toEqual(expect.not.objectContaining({ isTemporary: true }));
});

test("an image has failed when nothing of it is under way any more", async () => {
  const layers = [noise("fails", 30_000), noise("goes on", 30_000)];
  await pushSample(at(upstream, "half"), "1", { layers });
  const over = Promise.withResolvers<void>();
  let isOver = false;
  const { results } = await copy(["quay.io/half:1"], {
    up({ path }) {
      if (path.endsWith(digestOf(layers[1]!))) return { kind: "hold", until: over.promise };
      if (!path.endsWith(digestOf(layers[0]!))) return undefined;
      // Time enough to go wrong.
      setTimeout(() => ((isOver = true), over.resolve()), 300);
      return { kind: "answer", status: 404 };
    },
  }).then((ended) => (expect(isOver).toBe(true), ended));
  expect(results).toMatchObject([{ status: "FAILED" }]);
});
