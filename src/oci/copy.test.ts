import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "./digest.ts";
import type { CopyEvent } from "./copy.ts";
import { type CopyLab, type Decide, startCopyLab } from "./testing/copy-lab.ts";
import { noise, pushIndex, pushSample } from "./testing/sample-images.ts";

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

describe("what arrives is what was there", () => {
  test("an image keeps its digest; a second call sends nothing and asks once on each side", async () => {
    const image = await pushSample(at(upstream, "one/image"), "1", {
      layers: [noise("a", 30_000), noise("b", 5_000_000)],
    });
    const first = await copy(["quay.io/one/image:1"]);
    expect(first.results).toMatchObject([{ status: "PULLED", digest: image.digest, bytesSaved: 0 }]);
    expect(first.results[0]?.bytesMoved).toBeGreaterThan(5_030_000);
    expect((await at(ecr, "one/image").getManifest("1"))?.digest).toBe(image.digest);
    const second = await copy(["quay.io/one/image:1"]);
    expect(second.results).toMatchObject([{ status: "SKIPPED", digest: image.digest, bytesMoved: 0, requests: 2 }]);
    expect(second.results[0]?.bytesSaved).toBe(first.results[0]?.bytesMoved);
    expect([second.source.count("HEAD", "manifests"), second.target.count("GET", "manifests")]).toEqual([1, 1]);
    const pinned = await copy([`quay.io/one/image:1@${image.digest}`]);
    expect(pinned.results).toMatchObject([{ status: "SKIPPED", requests: 1 }]);
  });

  test("E21: an index keeps all its platforms, or one where that is asked for", async () => {
    const repository = at(upstream, "many/platforms");
    const shared = noise("shared", 20_000);
    const children = await Promise.all(
      ["amd64", "arm64"].map((architecture) =>
        pushSample(repository, "", {
          layers: [shared, noise(architecture, 10_000)],
          platform: { os: "linux", architecture },
        }),
      ),
    );
    const index = await pushIndex(repository, "1", children);
    const all = await copy(["quay.io/many/platforms:1"]);
    expect(all.results).toMatchObject([{ status: "PULLED", digest: index.digest }]);
    for (const child of children) expect(await at(ecr, "many/platforms").headManifest(child.digest)).toBeDefined();
    const one = await copy(["quay.io/many/platforms:1"], {
      platform: "linux/arm64",
      targets: ["quay.io/one/platform:1"],
    });
    expect(one.results).toMatchObject([{ status: "PULLED", digest: children[1]?.digest }]);
    const again = await copy(["quay.io/many/platforms:1"], {
      platform: "linux/arm64",
      targets: ["quay.io/one/platform:1"],
    });
    expect(again.results).toMatchObject([{ status: "SKIPPED", requests: 2 }]);
    const none = await copy(["quay.io/many/platforms:1"], { platform: "linux/s390x" });
    expect(none.results[0]?.reason).toContain("only for linux/amd64, linux/arm64");
  });

  test("E19: a tag that moved upstream is noticed, and what stayed is not sent again", async () => {
    const base = noise("base", 100_000);
    const before = await pushSample(at(upstream, "moving"), "latest", { layers: [base, noise("v1", 1000)] });
    await copy(["quay.io/moving:latest"]);
    const after = await pushSample(at(upstream, "moving"), "latest", { layers: [base, noise("v2", 1000)] });
    const { results } = await copy(["quay.io/moving:latest"]);
    expect(results).toMatchObject([
      { status: "PULLED", digest: after.digest, reason: `the tag moved from ${before.digest}`, bytesSaved: 100_000 },
    ]);
    expect((await at(ecr, "moving").headManifest("latest"))?.digest).toBe(after.digest);
  });

  test("E19: an index that moved brings the images that are new in it", async () => {
    const repository = at(upstream, "moving-index");
    const child = (seed: string, architecture: string) =>
      pushSample(repository, "", { layers: [noise(seed, 2000)], platform: { os: "linux", architecture } });
    const kept = await child("kept", "amd64");
    await pushIndex(repository, "1", [kept, await child("old", "arm64")]);
    await copy(["quay.io/moving-index:1"]);
    const fresh = await child("fresh", "arm64");
    const { digest } = await pushIndex(repository, "1", [kept, fresh]);
    expect((await copy(["quay.io/moving-index:1"])).results).toMatchObject([{ status: "PULLED", digest }]);
    expect(await at(ecr, "moving-index").headManifest(fresh.digest)).toBeDefined();
  });

  test("signatures and SBOMs come along when asked for", async () => {
    const repository = at(upstream, "signed");
    const image = await pushSample(repository, "1", { layers: [noise("x", 10)] });
    const referrer = await pushSample(repository, "", { layers: [noise("sbom", 500)] });
    await pushIndex(repository, image.digest.replace(":", "-"), [referrer]);
    const signature = await pushSample(repository, `${image.digest.replace(":", "-")}.sig`, {
      layers: [noise("sig", 50)],
    });
    await copy(["quay.io/signed:1"], { referrers: true });
    const target = at(ecr, "signed");
    expect((await target.listReferrers(image.digest)).map(({ digest }) => digest)).toEqual([referrer.digest]);
    expect((await target.headManifest(`${image.digest.replace(":", "-")}.sig`))?.digest).toBe(signature.digest);

    const tag = image.digest.replace(":", "-");
    const own = await pushSample(target, "", { layers: [noise("the target's own", 70)] });
    await pushIndex(target, tag, [referrer, own]);
    const later = await pushSample(repository, "", { layers: [noise("another sbom", 500)] });
    await pushIndex(repository, tag, [referrer, later]);
    const resigned = await pushSample(repository, `${tag}.sig`, { layers: [noise("sig anew", 50)] });
    await copy(["quay.io/signed:1"], { referrers: true });
    expect((await target.listReferrers(image.digest)).map(({ digest }) => digest)).toEqual([referrer.digest, own.digest, later.digest]);
    expect((await target.headManifest(`${tag}.sig`))?.digest).toBe(resigned.digest);
  });

  test("what refers to signatures and SBOMs comes along to the end, also where they refer to each other in a circle; never ever more of them", async () => {
    const repository = at(upstream, "signed/deep");
    const chain = [await pushSample(repository, "1", { layers: [noise("deep", 10)] })];
    for (let depth = 1; depth <= 6; depth += 1) chain.push(await pushSample(repository, "", { layers: [noise(`deep ${depth}`, 50)] }));
    for (const [depth, { digest }] of chain.entries())
      await pushIndex(repository, digest.replace(":", "-"), [chain[depth + 1] ?? chain[1]!]);
    expect((await copy(["quay.io/signed/deep:1"], { referrers: true })).results).toMatchObject([{ status: "PULLED" }]);
    for (const { digest } of chain) expect(await at(ecr, "signed/deep").headManifest(digest)).toBeDefined();
    let listed = 0;
    const ever: Decide = ({ path }) => {
      if (!path.includes("/referrers/")) return undefined;
      const manifests = Array.from({ length: 1001 }, () => ({ mediaType: "a", size: 2, digest: digestOf(String((listed += 1))) }));
      return { kind: "answer", status: 200, body: JSON.stringify({ manifests }) };
    };
    const { results, source } = await copy(["quay.io/signed/deep:1"], { referrers: true, up: ever });
    expect(results).toMatchObject([
      {
        status: "FAILED",
        reason: expect.stringMatching(/^more than 1000 signatures, SBOMs and attestations refer to quay\.io\/signed\/deep@sha256:/),
      },
    ]);
    expect(source.seen.length).toBeLessThan(20);
  });
});

test("a tag that the target refuses for another reason than that it is immutable is a failure, and nothing is stored in its place", async () => {
  const { digest } = await pushSample(at(upstream, "refused-tag"), "1", { layers: [noise("refused tag", 1000)] });
  const body = '{"errors":[{"code":"TAG_INVALID","message":"the tag is none that a policy of this repository allows"}]}';
  const { results } = await copy(["quay.io/refused-tag:1"], {
    down: ({ method, path }) => (method === "PUT" && path.endsWith("/manifests/1") ? { kind: "answer", status: 400, body } : undefined),
  });
  expect(results).toMatchObject([{ status: "FAILED", reason: expect.stringContaining("a policy of this repository") }]);
  expect(await at(ecr, "refused-tag").headManifest(digest)).toBeUndefined();
});

test.each([404, 405, 501])("a mirror that answers HEAD with %s is asked by GET, and waited for no longer", async (status) => {
  const image = await pushSample(at(upstream, `headless${status}`), "1", { layers: [noise("headless", 1000)] });
  const { results, source } = await copy([`quay.io/headless${status}:1`], {
    up: ({ method }) => (method === "HEAD" ? { kind: "answer", status } : undefined),
  });
  expect(results).toMatchObject([{ status: "PULLED", digest: image.digest }]);
  expect(source.count("HEAD", "/manifests/")).toBe(1);
});

describe("every blob moves once", () => {
  const base = noise("biocontainers-base", 2_000_000);
  const names = Array.from({ length: 8 }, (_, index) => `tools/t${index}`);

  test("E22: however many images share it, in one repository or in many", async () => {
    await Promise.all(names.map((name) => pushSample(at(upstream, name), "1", { layers: [base, noise(name, 20_000)] })));
    await pushSample(at(upstream, "tools/t0"), "2", { layers: [base, noise("other", 20_000)] });
    const { results, source } = await copy([...names.map((name) => `quay.io/${name}:1`), "quay.io/tools/t0:2", "quay.io/tools/t0:2"]);
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => "PULLED"));
    const reads = source.seen
      .filter(({ method, path }) => method === "GET" && path.includes("/blobs/"))
      .map(({ path }) => path.split("/").at(-1));
    expect(new Set(reads).size).toBe(reads.length);
    expect(results.slice(0, 9).reduce((sum, { bytesSaved }) => sum + bytesSaved, 0)).toBe(8 * base.length);
  });

  test("one that cannot be had from where the first image has it comes from where the next one does", async () => {
    const layer = noise("shared by two", 300_000);
    for (const name of ["two/a", "two/b"]) await pushSample(at(upstream, name), "1", { layers: [layer, noise(name, 100)] });
    const bothAsked = Promise.withResolvers<void>();
    const asking = new Set<string>();
    let first: string | undefined;
    const { results } = await copy(["quay.io/two/a:1", "quay.io/two/b:1"], {
      up({ path }) {
        if (path.includes("/blobs/") && asking.add(path.slice(0, "/v2/two/a".length)).size === 2) bothAsked.resolve();
        if (path.endsWith(digestOf(layer))) first ??= path;
        return path === first ? { kind: "hold", until: bothAsked.promise, then: { kind: "answer", status: 404 } } : undefined;
      },
    });
    expect(results.map(({ status }) => status).toSorted()).toEqual(["FAILED", "PULLED"]);
  });

  test("also where the registry does not mount: then from its own copy, not from upstream", async () => {
    const layer = noise("never-mounted", 300_000);
    await Promise.all(["nm/a", "nm/b"].map((name) => pushSample(at(upstream, name), "1", { layers: [layer] })));
    const { results, source } = await copy(["quay.io/nm/a:1", "quay.io/nm/b:1"], {
      down: ({ path }) => (path.includes("mount=") ? { kind: "strip", part: /mount=[^&]*&?/ } : undefined),
    });
    expect(results).toMatchObject([{ status: "PULLED" }, { status: "PULLED" }]);
    const reads = source.seen.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
    expect(new Set(reads.map(({ path }) => path.split("/").at(-1))).size).toBe(reads.length);
  });
});

test("progress tells every image's start, bytes and end", async () => {
  await pushSample(at(upstream, "shown"), "1", { layers: [noise("shown", 200_000)] });
  const events: CopyEvent[] = [];
  await copy(["quay.io/shown:1"], { onProgress: (event) => events.push(event) });
  const bytes = events.reduce((sum, event) => sum + (event.type === "bytes" ? event.bytes : 0), 0);
  expect(bytes).toBeGreaterThanOrEqual(200_000);
  expect(events[0]).toEqual({ type: "started", source: "quay.io/shown:1", target: "private.example/shown:1" });
  expect(events.at(-1)).toMatchObject({ type: "done", result: { status: "PULLED" } });
});
