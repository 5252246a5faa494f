import { deleteBlob, readBlob } from "./blobs.ts";
import { Assembly, type Manifest, TYPES } from "./data-sets.ts";
import type { Check } from "./outcomes.ts";
import { type Answer, ask, digestBy, expectAnswer, expectRefusal, Unsupported, type WalkedRegistry, within } from "./registry.ts";
import { uploadBlob } from "./uploads.ts";

const NO_DIGEST = "sha256:notadigest";
const nowhere = (): string => digestBy("sha256", `nowhere ${process.pid} ${performance.now()}`);

/** Manifests that are not there or not what their name says: they are refused, and what was pushed before them stays. */
export async function walkFalse(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  const address = (reference: string) => within(registry, repository, `manifests/${reference}`);
  const set = new Assembly(`false ${process.pid} ${performance.now()}`);
  const { digest } = set.image();
  const [manifest] = set.manifests as [Manifest];
  const blobs = [...set.blobs].map(([blob, bytes]) => ({ registry, repository, digest: blob, bytes }));
  for (const blob of blobs) await check("push: blob", () => uploadBlob(blob, "POST and PUT"));
  const put = (reference: string, body: Buffer) =>
    ask(registry, "PUT", address(reference), { headers: { "content-type": TYPES.image }, body, isStream: true });
  for (const method of ["GET", "HEAD"]) {
    await check(`${method} of a missing digest`, async () => expectRefusal(await ask(registry, method, address(nowhere())), 404));
    await check(`${method} of a missing tag`, async () => expectRefusal(await ask(registry, method, address("missing-tag")), 404));
  }
  await check("another's digest", async () => expectRefusal(await put(digest, Buffer.concat([manifest.bytes, Buffer.from("  ")])), 400));
  await check("PUT of no digest", async () => expectRefusal(await put(NO_DIGEST, manifest.bytes), 400));
  await check("PUT of no manifest", async () => expectRefusal(await put("no-manifest", Buffer.from("blablabla")), 400));
  await check("GET of no digest", async () => expectRefusal(await ask(registry, "GET", address(NO_DIGEST)), [404, 400]));
  await check("nothing of it is there", async () => expectAnswer(await ask(registry, "HEAD", address(digest)), { status: 404 }));
  await check("DELETE of what is not there", async () => {
    const answer = expectRefusal(await ask(registry, "DELETE", address(digest)), [202, 404, 400, 405]);
    if (answer.status === 400 || answer.status === 405) throw new Unsupported("manifests are not deleted");
  });
  for (const blob of blobs) await readBlob(blob, "a blob of it", check);
  for (const blob of blobs) await deleteBlob(blob, "a blob of it", check);
}

/** Manifests that name what is not there. A registry may take them; one that does not says so. */
export async function walkSparse(registry: WalkedRegistry, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  const set = new Assembly(`sparse ${process.pid} ${performance.now()}`);
  const here = set.image();
  set.image({ layers: [set.layer(), { mediaType: TYPES.layer, digest: nowhere(), size: 700 }] });
  set.index([here, { mediaType: TYPES.image, digest: nowhere(), size: 1024 }]);
  const [whole, image, index] = set.manifests as [Manifest, Manifest, Manifest];
  const put = ({ descriptor, bytes }: Manifest): Promise<Answer> =>
    ask(registry, "PUT", within(registry, repository, `manifests/${descriptor.digest}`), {
      headers: { "content-type": descriptor.mediaType },
      body: bytes,
    });
  for (const [digest, bytes] of set.blobs)
    await check("push: blob", () => uploadBlob({ registry, repository, digest, bytes }, "POST and PUT"));
  await check("push: whole image", async () => expectAnswer(await put(whole), { status: 201 }));
  for (const [name, manifest] of [
    ["an image without one of its layers", image],
    ["an index without one of its images", index],
  ] as const)
    await check(name, async () => {
      const answer = await put(manifest);
      const address = within(registry, repository, `manifests/${manifest.descriptor.digest}`);
      if (answer.status === 201)
        return expectAnswer(await ask(registry, "GET", address, { headers: { accept: manifest.descriptor.mediaType } }), {
          status: 200,
          body: manifest.bytes,
        });
      expectRefusal(answer, [400, 404]);
      expectAnswer(await ask(registry, "HEAD", address, { headers: { accept: manifest.descriptor.mediaType } }), { status: 404 });
      throw new Unsupported(`refused: ${answer.body.toString()}`);
    });
  for (const { descriptor } of [index, image, whole])
    await ask(registry, "DELETE", within(registry, repository, `manifests/${descriptor.digest}`));
}
