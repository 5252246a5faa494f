import { noise } from "../../../../oci/testing/sample-images.ts";
import type { Check } from "./outcomes.ts";
import {
  type Algorithm,
  type Answer,
  ask,
  digestBy,
  expectAnswer,
  expectDigest,
  expectRefusal,
  locationOf,
  Unsupported,
  type WalkedRegistry,
  within,
} from "./registry.ts";
import { begin, chunkSize, type Form, FORMS, OCTETS, type Upload, uploadBlob } from "./uploads.ts";

let seed = 0;
/** Bytes nobody has pushed yet. */
const fresh = (size: number): Buffer => noise(`${process.pid} ${performance.now()} ${(seed += 1)}`, size);

/** Blobs named by one algorithm: every form of upload, mounts, ranges, cancelling, digests that are false. */
export async function walkBlobs(registry: WalkedRegistry, algorithm: Algorithm, check: Check): Promise<void> {
  const [repository] = registry.repositories;
  const blobs: Blobs = {
    check,
    other: registry.repositories[1],
    make: (bytes) => ({ registry, repository, bytes, digest: digestBy(algorithm, bytes) }),
  };
  for (const method of ["GET", "HEAD"])
    await check(`${method} of a missing blob`, async () =>
      expectRefusal(await ask(registry, method, within(registry, repository, `blobs/${digestBy(algorithm, fresh(512))}`)), 404),
    );
  const opened = await begin({ registry, repository });
  await ask(registry, "DELETE", locationOf(opened));
  const sizeOf = (form: string) => (form.startsWith("three") ? 3 * chunkSize(opened) - 5 : 512);
  for (const form of FORM_NAMES) {
    await walkForm(blobs, form, { bytes: fresh(sizeOf(form)), name: form });
    await walkFalseDigest(blobs, form, sizeOf(form));
  }
  await walkMounts(blobs);
  await walkCancelled(blobs);
  await walkRanges(blobs.make(fresh(2048)), check);
  for (const text of ["", "{}"])
    for (const form of FORM_NAMES.filter((one) => !one.startsWith("three")))
      await walkForm(blobs, form, { bytes: Buffer.from(text), name: `${JSON.stringify(text)} by ${form}` });
  await walkRepeated(blobs);
}

interface Blobs {
  readonly check: Check;
  /** The repository that blobs are mounted from. */
  readonly other: string;
  make(bytes: Buffer): Upload;
}

const FORM_NAMES = Object.keys(FORMS) as Form[];

async function walkForm(
  { make, check }: Blobs,
  form: Form,
  { bytes, name }: { readonly bytes: Buffer; readonly name: string },
): Promise<void> {
  const blob = make(bytes);
  if (await check(`${name}: upload`, () => uploadBlob(blob, form))) await readBlob(blob, name, check);
  await deleteBlob(blob, name, check);
}

async function walkFalseDigest({ make, check }: Blobs, form: Form, size: number): Promise<void> {
  if (form.includes("out of order")) return;
  await check(`${form}: false digest`, async () => {
    const blob = make(fresh(size));
    expectRefusal(await FORMS[form]({ ...blob, bytes: Buffer.concat([blob.bytes, Buffer.from("more")]) }), 400);
    expectAnswer(await ask(blob.registry, "HEAD", within(blob.registry, blob.repository, `blobs/${blob.digest}`)), { status: 404 });
  });
}

async function walkMounts({ make, check, other }: Blobs): Promise<void> {
  for (const mount of ["mount", "anonymous mount"]) {
    const blob = make(fresh(512));
    await check(`${mount}: upload elsewhere`, () => uploadBlob({ ...blob, repository: other }, "POST and PUT"));
    await check(mount, () => mountBlob(blob, mount === "mount" ? other : undefined));
    await readBlob(blob, mount, check);
    await deleteBlob(blob, mount, check);
    await deleteBlob({ ...blob, repository: other }, `${mount} elsewhere`, check);
  }
  const missing = make(fresh(512));
  await check("mount of a missing blob opens an upload", () => mountMissing(missing, other));
  await readBlob(missing, "mount of a missing blob", check);
  await deleteBlob(missing, "mount of a missing blob", check);
}

async function walkCancelled({ make, check }: Blobs): Promise<void> {
  const blob = make(fresh(512));
  await check("cancel", () => cancel(blob));
  await deleteBlob(blob, "cancelled", check);
}

/** A blob that is there already, and one that was and is no longer. */
async function walkRepeated({ make, check }: Blobs): Promise<void> {
  const blob = make(fresh(512));
  for (const form of FORM_NAMES.filter((one) => !one.startsWith("three")))
    await check(`again, ${form}: upload`, () => uploadBlob(blob, form));
  await readBlob(blob, "again", check);
  await deleteBlob(blob, "again", check);
  if (await check("after its deletion: upload", () => uploadBlob(blob, "POST and PUT"))) await readBlob(blob, "after its deletion", check);
  await deleteBlob(blob, "after its deletion", check);
}

/** HEAD and GET of a blob say the same. */
export async function readBlob({ registry, repository, digest, bytes }: Upload, name: string, check: Check): Promise<void> {
  const headers = { "content-length": String(bytes.length) };
  const read = (method: string) => ask(registry, method, within(registry, repository, `blobs/${digest}`));
  await check(`${name}: HEAD`, async () =>
    expectDigest(expectAnswer(await read("HEAD"), { status: 200, headers, body: Buffer.alloc(0) }), digest),
  );
  await check(`${name}: GET`, async () => expectDigest(expectAnswer(await read("GET"), { status: 200, headers, body: bytes }), digest));
}

/** A blob goes, and is gone at once. */
export const deleteBlob = ({ registry, repository, digest }: Upload, name: string, check: Check): Promise<boolean> =>
  check(`${name}: DELETE`, async () => {
    const address = within(registry, repository, `blobs/${digest}`);
    if (expectAnswer(await ask(registry, "DELETE", address), { status: [202, 404, 405] }).status === 405)
      throw new Unsupported("blobs are not deleted");
    expectAnswer(await ask(registry, "HEAD", address), { status: 404 });
  });

/** Begins by a mount; where that opens an upload, sends the bytes. */
async function mounted(
  { registry, repository, digest, bytes }: Upload,
  from: string | undefined,
): Promise<{ readonly isMounted: boolean; readonly answer: Answer }> {
  const opened = expectAnswer(
    await ask(registry, "POST", within(registry, repository, "blobs/uploads/"), {
      query: { mount: digest, ...(from !== undefined && { from }) },
    }),
    { status: [201, 202] },
  );
  const isMounted = opened.status === 201;
  const answer = isMounted
    ? opened
    : expectAnswer(await ask(registry, "PUT", locationOf(opened), { query: { digest }, headers: OCTETS, body: bytes }), { status: 201 });
  expectDigest(answer, digest);
  expectAnswer(await ask(registry, "GET", locationOf(answer)), { status: 200, body: bytes });
  return { isMounted, answer };
}

async function mountBlob(blob: Upload, from: string | undefined): Promise<void> {
  if (!(await mounted(blob, from)).isMounted) throw new Unsupported("a mount is answered with an upload");
}

async function mountMissing(blob: Upload, from: string): Promise<void> {
  if ((await mounted(blob, from)).isMounted) throw new Error("a blob that is not there was mounted");
}

async function cancel(blob: Upload): Promise<void> {
  const at = locationOf(await begin(blob));
  const answer = expectAnswer(await ask(blob.registry, "DELETE", at), { status: [204, 400, 404, 405] });
  if (answer.status !== 204) throw new Unsupported("uploads are not cancelled");
  expectAnswer(await ask(blob.registry, "GET", at), { status: 404 });
}

/** RFC 9110 section 14: first-last, first-, -count, past the end; what can't be satisfied is 416. */
const RANGES: readonly (readonly [range: string, first: number, last: number])[] = [
  ["500-1499", 500, 1499],
  ["500-", 500, 2047],
  ["-500", 1548, 2047],
  ["2000-5000", 2000, 2047],
  ["500-0", -1, -1],
  ["5000-10000", -1, -1],
];

async function walkRanges(blob: Upload, check: Check): Promise<void> {
  const { registry, repository, digest, bytes } = blob;
  if (!(await check("ranges: upload", () => uploadBlob(blob, "POST and PUT")))) return;
  for (const [range, first, last] of RANGES)
    await check(`range ${range}`, async () => {
      const answer = await ask(registry, "GET", within(registry, repository, `blobs/${digest}`), { headers: { range: `bytes=${range}` } });
      if (answer.status === 200 && answer.body.equals(bytes)) throw new Unsupported("the whole blob is answered");
      if (first < 0) return expectAnswer(answer, { status: 416 });
      const span = `bytes ${first}-${last}`;
      return expectAnswer(answer, {
        status: 206,
        headers: { "content-length": String(last - first + 1), "content-range": [`${span}/2048`, `${span}/*`] },
        body: bytes.subarray(first, last + 1),
      });
    });
  await deleteBlob(blob, "ranges", check);
}
