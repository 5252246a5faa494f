import { readBlob, deleteBlob } from "./blobs.ts";
import { DATA_SETS, type DataSet, type Descriptor, dataSet, type Manifest, sha512Set, TYPES } from "./data-sets.ts";
import type { Check } from "./outcomes.ts";
import { ask, expectAnswer, expectDigest, locationOf, Unsupported, type WalkedRegistry, within } from "./registry.ts";
import { tagsOf } from "./tags.ts";
import { type Form, FORMS, uploadBlob } from "./uploads.ts";

const ACCEPT = { accept: [TYPES.index, TYPES.image, TYPES.dockerList, TYPES.dockerImage].join(", ") };
const forms = Object.keys(FORMS) as Form[];
let turn = 0;

/** A data set's whole way: pushed by digest and by tag, listed, read, asked for by its subjects, deleted. */
export async function walkImages(registry: WalkedRegistry, name: string, check: Check): Promise<void> {
  const set = name === "an index named by SHA-512" ? sha512Set() : dataSet(name);
  const walk: Walk = { registry, repository: registry.repositories[0], set, check };
  await push(walk);
  await list(walk);
  for (const method of ["HEAD", "GET"]) await read(walk, method);
  await askReferrers(walk);
  await remove(walk);
}

/** All data sets by name. */
export const IMAGE_WALKS: readonly string[] = [...Object.keys(DATA_SETS), "an index named by SHA-512"];

interface Walk {
  readonly registry: WalkedRegistry;
  readonly repository: string;
  readonly set: DataSet;
  readonly check: Check;
}

const short = (digest: string): string => digest.slice(0, 15);
const at = ({ registry, repository }: Walk, reference: string): string => within(registry, repository, `manifests/${reference}`);
const blobsOf = ({ registry, repository, set }: Walk) => [...set.blobs].map(([digest, bytes]) => ({ registry, repository, digest, bytes }));
/** Every reference to a manifest: its digest, and its tags. */
const references = ({ set }: Walk): readonly (readonly [string, Manifest])[] => [
  ...set.manifests.map((one) => [one.descriptor.digest, one] as const),
  ...set.tags,
];

async function push(walk: Walk): Promise<void> {
  // Each blob by the next form, so that every form meets every kind of content.
  // Where a form fails, the blob is there all the same: what comes after it is not to fail for that.
  for (const blob of blobsOf(walk)) {
    const isPushed = await walk.check(`push: blob ${short(blob.digest)}`, () => uploadBlob(blob, forms[(turn += 1) % forms.length]!));
    if (!isPushed) await uploadBlob(blob, "POST and PUT").catch(() => undefined);
  }
  for (const [reference, manifest] of references(walk))
    await walk.check(`push: ${short(reference)}`, () => pushManifest(walk, reference, manifest));
}

async function pushManifest(walk: Walk, reference: string, { bytes, descriptor, subject }: Manifest): Promise<void> {
  // The length is not said: clients that stream a manifest do the same.
  const made = expectAnswer(
    await ask(walk.registry, "PUT", at(walk, reference), {
      headers: { "content-type": descriptor.mediaType },
      body: bytes,
      isStream: true,
    }),
    { status: 201 },
  );
  expectDigest(made, descriptor.digest);
  if (subject !== undefined) expectAnswer(made, { status: 201, headers: { "oci-subject": subject } });
  expectAnswer(await ask(walk.registry, "GET", locationOf(made), { headers: ACCEPT }), {
    status: 200,
    headers: { "content-type": descriptor.mediaType, "content-length": String(bytes.length) },
    body: bytes,
  });
}

async function list({ registry, repository, set, check }: Walk): Promise<void> {
  const tagsAfter = async (last?: string) => (await tagsOf(registry, repository, last === undefined ? {} : { last })).tags;
  await check("tags", async () => {
    const tags = await tagsAfter();
    for (const tag of set.tags.keys()) if (!tags.includes(tag)) throw new Error(`the tag ${tag} is not listed`);
    const sorted = tags.toSorted();
    const half = sorted.length >> 1;
    if (half === 0) return;
    const after = await tagsAfter(sorted[half - 1]);
    if (after.toSorted().join() !== sorted.slice(half).join()) throw new Error(`after ${sorted[half - 1]} come ${after.join()}`);
  });
}

async function read(walk: Walk, method: string): Promise<void> {
  for (const [reference, { bytes, descriptor }] of references(walk))
    await walk.check(`${method} ${short(reference)}`, async () => {
      const answer = await ask(walk.registry, method, at(walk, reference), { headers: ACCEPT });
      expectDigest(
        expectAnswer(answer, {
          status: 200,
          headers: { "content-type": descriptor.mediaType, "content-length": String(bytes.length) },
          body: method === "HEAD" ? Buffer.alloc(0) : bytes,
        }),
        descriptor.digest,
      );
    });
  if (method === "GET") for (const blob of blobsOf(walk)) await readBlob(blob, `blob ${short(blob.digest)}`, walk.check);
}

/** The manifests that refer to a digest. */
export async function referrersOf(
  registry: WalkedRegistry,
  repository: string,
  { digest, artifactType }: { readonly digest: string; readonly artifactType?: string },
) {
  const answer = expectAnswer(
    await ask(registry, "GET", within(registry, repository, `referrers/${digest}`), {
      query: artifactType === undefined ? {} : { artifactType },
    }),
    { status: 200, headers: { "content-type": TYPES.index } },
  );
  const { schemaVersion, mediaType, manifests } = JSON.parse(answer.body.toString()) as {
    readonly schemaVersion: number;
    readonly mediaType: string;
    readonly manifests: readonly Descriptor[];
  };
  if (schemaVersion !== 2 || mediaType !== TYPES.index) throw new Error(`referrers of ${digest} are no index`);
  return { manifests, isFiltered: (answer.headers.get("oci-filters-applied") ?? "").split(/\s*,\s*/).includes("artifactType") };
}

async function askReferrers({ registry, repository, set, check }: Walk): Promise<void> {
  for (const [digest, wanted] of set.referrers)
    await check(`referrers of ${short(digest)}`, async () => {
      expectAll((await referrersOf(registry, repository, { digest })).manifests, wanted);
      for (const artifactType of new Set(wanted.map((one) => one["artifactType"] as string))) {
        const { manifests, isFiltered } = await referrersOf(registry, repository, { digest, artifactType });
        if (!isFiltered) {
          expectAll(manifests, wanted);
          throw new Unsupported("referrers are not filtered by artifactType");
        }
        if (manifests.some((one) => one["artifactType"] !== artifactType)) throw new Error(`referrers of type ${artifactType} hold others`);
        expectAll(
          manifests,
          wanted.filter((one) => one["artifactType"] === artifactType),
        );
      }
    });
}

function expectAll(found: readonly Descriptor[], wanted: readonly Descriptor[]): void {
  if (found.length !== wanted.length)
    throw new Error(`${found.length} referrers are told instead of ${wanted.length}: ${found.map(({ digest }) => digest).join(", ")}`);
  for (const one of wanted) {
    const same = found.find(({ digest }) => digest === one.digest);
    const annotations = (of: Descriptor | undefined) => (of?.["annotations"] ?? {}) as Readonly<Record<string, string>>;
    const isSame = same && same.mediaType === one.mediaType && same.size === one.size && same["artifactType"] === one["artifactType"];
    if (!isSame || Object.entries(annotations(one)).some(([key, value]) => annotations(same)[key] !== value))
      throw new Error(`the referrer ${JSON.stringify(one)} is told as ${JSON.stringify(same)}`);
  }
}

async function remove(walk: Walk): Promise<void> {
  const order = [...walk.set.tags.keys(), ...walk.set.manifests.map((one) => one.descriptor.digest).toReversed()];
  for (const reference of order)
    await walk.check(`DELETE ${short(reference)}`, async () => {
      const answer = expectAnswer(await ask(walk.registry, "DELETE", at(walk, reference)), { status: [202, 404, 400, 405] });
      if (answer.status === 400 || answer.status === 405) throw new Unsupported(`${reference} is not deleted: ${answer.body.toString()}`);
      expectAnswer(await ask(walk.registry, "HEAD", at(walk, reference), { headers: ACCEPT }), { status: 404 });
    });
  for (const blob of blobsOf(walk)) await deleteBlob(blob, `blob ${short(blob.digest)}`, walk.check);
}
