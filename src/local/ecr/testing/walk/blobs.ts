import { noise } from "../../../../oci/testing/sample-images.ts";
import type { Check } from "./outcomes.ts";
import { type Algorithm, type Answer, ask, digestBy, expectAnswer, expectDigest, locationOf, Unsupported, type WalkedRegistry, within } from "./registry.ts";
import { begin, type Form, FORMS, OCTETS, type Upload, uploadBlob } from "./uploads.ts";

let seed = 0;
/** Bytes nobody has pushed yet. */
const fresh = (size: number): Buffer => noise(`${process.pid} ${performance.now()} ${(seed += 1)}`, size);

/** Blobs named by one algorithm: every form of upload, mounts, ranges, cancelling, digests that are false. */
export async function walkBlobs(registry: WalkedRegistry, algorithm: Algorithm, check: Check): Promise<void> {
  const [repository, other] = registry.repositories;
  const upload = (bytes: Buffer, to = repository): Upload => ({ registry, repository: to, bytes, digest: digestBy(algorithm, bytes) });
  const forms = Object.keys(FORMS) as Form[];
  await check("a missing blob", async () => expectAnswer(await ask(registry, "GET", within(registry, repository, `blobs/${upload(fresh(512)).digest}`)), { status: 404 }));
  for (const form of forms) {
    const blob = upload(fresh(form.startsWith("three") ? 3067 : 512));
    if (await check(`${form}: upload`, () => uploadBlob(blob, form))) await readBlob(blob, form, check);
    await deleteBlob(blob, form, check);
  }
  for (const mount of ["mount", "anonymous mount"]) {
    const blob = upload(fresh(512));
    await check(`${mount}: upload elsewhere`, () => uploadBlob({ ...blob, repository: other }, "POST and PUT"));
    await check(mount, () => mountBlob(blob, mount === "mount" ? other : undefined));
    await readBlob(blob, mount, check);
    await deleteBlob(blob, mount, check);
    await deleteBlob({ ...blob, repository: other }, `${mount} elsewhere`, check);
  }
  await check("mount of a missing blob opens an upload", () => mountMissing(upload(fresh(512)), other));
  await check("cancel", () => cancel(upload(fresh(512))));
  await walkRanges(upload(fresh(2048)), check);
  for (const text of ["", "{}"]) {
    const blob = upload(Buffer.from(text));
    if (await check(`the blob ${JSON.stringify(text)}: upload`, () => uploadBlob(blob, "POST and PUT"))) await readBlob(blob, `the blob ${JSON.stringify(text)}`, check);
    await deleteBlob(blob, `the blob ${JSON.stringify(text)}`, check);
  }
  for (const form of forms.filter((one) => !one.includes("out of order")))
    await check(`${form}: false digest`, async () => {
      const blob = upload(fresh(3067));
      expectAnswer(await FORMS[form]({ ...blob, bytes: Buffer.concat([blob.bytes, Buffer.from("more")]) }), { status: 400 });
      expectAnswer(await ask(registry, "HEAD", within(registry, repository, `blobs/${blob.digest}`)), { status: 404 });
    });
}

/** HEAD and GET of a blob say the same. */
export async function readBlob({ registry, repository, digest, bytes }: Upload, name: string, check: Check): Promise<void> {
  const headers = { "content-length": String(bytes.length) };
  const read = (method: string) => ask(registry, method, within(registry, repository, `blobs/${digest}`));
  await check(`${name}: HEAD`, async () => expectDigest(expectAnswer(await read("HEAD"), { status: 200, headers, body: Buffer.alloc(0) }), digest));
  await check(`${name}: GET`, async () => expectDigest(expectAnswer(await read("GET"), { status: 200, headers, body: bytes }), digest));
}

/** A blob goes, and is gone at once. */
export const deleteBlob = ({ registry, repository, digest }: Upload, name: string, check: Check): Promise<boolean> =>
  check(`${name}: DELETE`, async () => {
    const address = within(registry, repository, `blobs/${digest}`);
    if (expectAnswer(await ask(registry, "DELETE", address), { status: [202, 404, 405] }).status === 405) throw new Unsupported("blobs are not deleted");
    expectAnswer(await ask(registry, "HEAD", address), { status: 404 });
  });

/** Begins by a mount; where that opens an upload, sends the bytes. */
async function mounted({ registry, repository, digest, bytes }: Upload, from: string | undefined): Promise<{ readonly isMounted: boolean; readonly answer: Answer }> {
  const opened = expectAnswer(await ask(registry, "POST", within(registry, repository, "blobs/uploads/"), { query: { mount: digest, ...(from !== undefined && { from }) } }), { status: [201, 202] });
  const isMounted = opened.status === 201;
  const answer = isMounted ? opened : expectAnswer(await ask(registry, "PUT", locationOf(opened), { query: { digest }, headers: OCTETS, body: bytes }), { status: 201 });
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
  expectAnswer(await ask(blob.registry, "DELETE", at), { status: 204 });
  expectAnswer(await ask(blob.registry, "GET", at), { status: 404 });
}

/** RFC 9110 section 14: first-last, first-, -count, past the end; what can't be satisfied is 416. */
const RANGES: readonly (readonly [range: string, first: number, last: number])[] = [["500-1499", 500, 1499], ["500-", 500, 2047], ["-500", 1548, 2047], ["2000-5000", 2000, 2047], ["500-0", -1, -1], ["5000-10000", -1, -1]];

async function walkRanges(blob: Upload, check: Check): Promise<void> {
  const { registry, repository, digest, bytes } = blob;
  if (!(await check("ranges: upload", () => uploadBlob(blob, "POST and PUT")))) return;
  for (const [range, first, last] of RANGES)
    await check(`range ${range}`, async () => {
      const answer = await ask(registry, "GET", within(registry, repository, `blobs/${digest}`), { headers: { range: `bytes=${range}` } });
      if (answer.status === 200 && answer.body.equals(bytes)) throw new Unsupported("the whole blob is answered");
      if (first < 0) return expectAnswer(answer, { status: 416 });
      const span = `bytes ${first}-${last}`;
      return expectAnswer(answer, { status: 206, headers: { "content-length": String(last - first + 1), "content-range": [`${span}/2048`, `${span}/*`] }, body: bytes.subarray(first, last + 1) });
    });
  await deleteBlob(blob, "ranges", check);
}
