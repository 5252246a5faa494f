import { Assembly, type Manifest, TYPES } from "./data-sets.ts";
import type { Check } from "./outcomes.ts";
import { type Answer, ask, expectAnswer, expectDigest, locationOf, Unsupported, type WalkedRegistry, within } from "./registry.ts";
import { begin, OCTETS } from "./uploads.ts";

/**
 * What the specification will ask in the version after 1.1: every answer that is about content names its digest, and a
 * push by digest may name its tags. A registry of 1.1 may leave it undone.
 */
export async function walkNextVersion(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  const set = new Assembly(`next version ${process.pid} ${performance.now()}`);
  set.image();
  const [image] = set.manifests as [Manifest];
  const manifest = within(registry, repository, `manifests/${image.descriptor.digest}`);
  for (const [digest, bytes] of set.blobs) {
    await check("the digest of a blob that is pushed", async () => {
      const at = locationOf(await begin({ registry, repository }));
      named(expectAnswer(await ask(registry, "PUT", at, { query: { digest }, headers: OCTETS, body: bytes }), { status: 201 }), digest);
    });
    for (const method of ["HEAD", "GET"])
      await check(`the digest of a blob, by ${method}`, async () =>
        named(expectAnswer(await ask(registry, method, within(registry, repository, `blobs/${digest}`)), { status: 200 }), digest),
      );
  }
  await check("the digest of a manifest that is pushed", async () =>
    named(
      expectAnswer(await ask(registry, "PUT", manifest, { headers: { "content-type": TYPES.image }, body: image.bytes }), { status: 201 }),
      image.descriptor.digest,
    ),
  );
  for (const method of ["HEAD", "GET"])
    await check(`the digest of a manifest, by ${method}`, async () =>
      named(
        expectAnswer(await ask(registry, method, manifest, { headers: { accept: TYPES.image } }), { status: 200 }),
        image.descriptor.digest,
      ),
    );
  await check("tags in the query of a push", () => pushTagged(registry, image));
  await ask(registry, "DELETE", manifest);
}

function named(answer: Answer, digest: string): void {
  expectDigest(answer, digest);
  if (!answer.headers.has("docker-content-digest")) throw new Unsupported(`${answer.url}: no Docker-Content-Digest`);
}

async function pushTagged(registry: WalkedRegistry, { bytes, descriptor }: Manifest): Promise<void> {
  const [repository] = registry.repositories;
  const tags = ["next-one", "next-two"];
  const answer = await ask(registry, "PUT", within(registry, repository, `manifests/${descriptor.digest}`), {
    query: tags.map((tag) => ["tag", tag] as const),
    headers: { "content-type": descriptor.mediaType },
    body: bytes,
  });
  const told = (expectAnswer(answer, { status: 201 }).headers.get("oci-tag") ?? "").split(/\s*,\s*/);
  if (tags.some((tag) => !told.includes(tag))) throw new Unsupported("tags in the query are not taken");
  for (const tag of tags)
    expectAnswer(
      await ask(registry, "GET", within(registry, repository, `manifests/${tag}`), { headers: { accept: descriptor.mediaType } }),
      { status: 200, body: bytes },
    );
}
