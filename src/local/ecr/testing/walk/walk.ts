import { walkBlobs } from "./blobs.ts";
import { Assembly, type Manifest, TYPES } from "./data-sets.ts";
import { IMAGE_WALKS, referrersOf, walkImages } from "./images.ts";
import { type Check, type Outcome, outcomes } from "./outcomes.ts";
import { ask, digestBy, expectAnswer, type WalkedRegistry, within } from "./registry.ts";
import { uploadBlob } from "./uploads.ts";

type Section = (registry: WalkedRegistry, check: Check) => Promise<void>;

/**
 * What the conformance suite of distribution-spec 1.1 asks of a registry, in our own words: every form of upload with both
 * algorithms, every kind of manifest on its way from push to deletion, and what must be refused.
 */
export const SECTIONS: Readonly<Record<string, Section>> = {
  "an empty repository": walkEmpty,
  "blobs named by SHA-256": (registry, check) => walkBlobs(registry, "sha256", check),
  "blobs named by SHA-512": (registry, check) => walkBlobs(registry, "sha512", check),
  ...Object.fromEntries(IMAGE_WALKS.map((name): [string, Section] => [name, (registry, check) => walkImages(registry, name, check)])),
  "manifests that are missing or false": walkFalse,
};

/** One section of the walk. */
export async function walkSection(registry: WalkedRegistry, name: string): Promise<readonly Outcome[]> {
  const { check, all } = outcomes();
  await SECTIONS[name]?.(registry, check);
  return all;
}

async function walkEmpty(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  await check("GET /v2/", async () => expectAnswer(await ask(registry, "GET", `${registry.url}/v2/`), { status: 200 }));
  await check("tags", async () => expectAnswer(await ask(registry, "GET", within(registry, repository, "tags/list")), { status: [200, 404] }));
  await check("referrers", async () => {
    const { manifests } = await referrersOf(registry, repository, { digest: digestBy("sha256", `nothing ${performance.now()}`) });
    if (manifests.length > 0) throw new Error("nothing has referrers");
  });
}

async function walkFalse(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  const address = (reference: string) => within(registry, repository, `manifests/${reference}`);
  const set = new Assembly(`false ${process.pid} ${performance.now()}`);
  const { digest } = set.image();
  const [manifest] = set.manifests as [Manifest];
  for (const [blob, bytes] of set.blobs) await check("push: blob", () => uploadBlob({ registry, repository, digest: blob, bytes }, "POST and PUT"));
  const put = (reference: string, body: Buffer) => ask(registry, "PUT", address(reference), { headers: { "content-type": TYPES.image }, body });
  await check("a missing digest", async () => expectAnswer(await ask(registry, "GET", address(digestBy("sha256", `nothing ${performance.now()}`))), { status: 404 }));
  await check("a missing tag", async () => expectAnswer(await ask(registry, "GET", address("missing-tag")), { status: 404 }));
  await check("another's digest", async () => expectAnswer(await put(digest, Buffer.concat([manifest.bytes, Buffer.from("  ")])), { status: 400 }));
  await check("PUT of no digest", async () => expectAnswer(await put("sha256:baddigeststring", manifest.bytes), { status: 400 }));
  await check("GET of no digest", async () => expectAnswer(await ask(registry, "GET", address("sha256:baddigeststring")), { status: [404, 400] }));
  await check("nothing of it is there", async () => expectAnswer(await ask(registry, "HEAD", address(digest)), { status: 404 }));
}
