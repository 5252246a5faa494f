import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noise } from "../../oci/testing/sample-images.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { createRepository, signIn, V2, type RegistryUser } from "./testing/registry.ts";

// What the conformance suite of distribution-spec 1.1 asks of a registry, in our own words: every form of upload with
// both algorithms, every kind of manifest, and their way from push to deletion.

let accounts: TestAccounts;
let user: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  user = await signIn(accounts);
  for (const name of ["one", "two"]) await createRepository(user.ecr, `conformance/${name}`);
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

type Algorithm = "sha256" | "sha512";
const ONE = "conformance/one";
const TWO = "conformance/two";
const digestBy = (algorithm: Algorithm, bytes: Uint8Array | string): string => `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
const at = (location: string, parameters: Readonly<Record<string, string>>): string => {
  const url = new URL(location, accounts.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
};
const octets = { "content-type": "application/octet-stream" };
const locationOf = (answer: Response): string => answer.headers.get("location")!;

/** Begins an upload and gives its address. */
async function begin(name = ONE): Promise<string> {
  const answer = await user.http("POST", `${name}/blobs/uploads/`);
  expect(answer.status).toBe(202);
  return locationOf(answer);
}

interface Upload {
  readonly bytes: Buffer;
  /** The digest that is claimed. */
  readonly digest: string;
}

const chunksOf = (bytes: Buffer, count: number): readonly { readonly body: Buffer; readonly range: string }[] => {
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, index) => {
    const body = bytes.subarray(index * size, (index + 1) * size);
    return { body, range: `${index * size}-${index * size + body.length - 1}` };
  });
};

/** Sends chunks by PATCH, the last by PUT where asked for, and before each one that is out of order where asked for. */
async function chunked({ bytes, digest }: Upload, { count, putLast, outOfOrder }: { readonly count: number; readonly putLast?: boolean; readonly outOfOrder?: boolean }): Promise<Response> {
  const chunks = chunksOf(bytes, count);
  let location = await begin();
  let last: Response | undefined;
  for (const [index, { body, range }] of chunks.entries()) {
    const send = async (to: string, chunk: typeof body, said: string, isLast: boolean) =>
      user.http(putLast && isLast ? "PUT" : "PATCH", putLast && isLast ? at(to, { digest }) : to, { body: chunk, headers: { ...octets, "content-range": said } });
    if (outOfOrder) {
      const wrong = chunks[index + 1] ?? chunks[0]!;
      expect((await send(location, wrong.body, wrong.range, wrong === chunks.at(-1))).status).toBe(416);
      const status = await user.http("GET", location);
      expect([status.status, status.headers.get("range")]).toEqual([204, `0-${Math.max(0, index * chunks[0]!.body.length - 1)}`]);
      location = locationOf(status);
    }
    last = await send(location, body, range, index === chunks.length - 1);
    if (last.status !== 202) return last;
    location = locationOf(last);
  }
  return putLast ? last! : user.http("PUT", at(location, { digest }), { headers: octets });
}

const FORMS: Readonly<Record<string, (upload: Upload) => Promise<Response>>> = {
  "one POST": ({ bytes, digest }) => user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes, headers: octets }),
  "POST and PUT": async ({ bytes, digest }) => user.http("PUT", at(await begin(), { digest }), { body: bytes, headers: octets }),
  "one chunk": (upload) => chunked(upload, { count: 1 }),
  "three chunks": (upload) => chunked(upload, { count: 3 }),
  "three chunks, the last by PUT": (upload) => chunked(upload, { count: 3, putLast: true }),
  "chunks after ones out of order": (upload) => chunked(upload, { count: 3, outOfOrder: true }),
  "chunks after ones out of order, the last by PUT": (upload) => chunked(upload, { count: 3, outOfOrder: true, putLast: true }),
  "a stream without a range": async ({ bytes, digest }) => {
    const patched = await user.http("PATCH", await begin(), { body: bytes, headers: octets });
    expect(patched.status).toBe(202);
    return user.http("PUT", at(locationOf(patched), { digest }), { headers: octets });
  },
};
const ALGORITHMS: readonly Algorithm[] = ["sha256", "sha512"];
const CASES = ALGORITHMS.flatMap((algorithm) => Object.keys(FORMS).map((form) => [form, algorithm] as const));

describe("a blob", () => {
  test.each(CASES)("by %s arrives under its %s", async (form, algorithm) => {
    const bytes = noise(`${form} ${algorithm}`, 3067);
    const digest = digestBy(algorithm, bytes);
    const made = await FORMS[form]!({ bytes, digest });
    expect([made.status, made.headers.get("docker-content-digest")]).toEqual([201, digest]);
    const read = await user.http("GET", locationOf(made));
    expect(Buffer.from(await read.arrayBuffer()).equals(bytes)).toBe(true);
    const head = await user.http("HEAD", `${ONE}/blobs/${digest}`);
    expect([head.status, head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([200, "3067", digest]);
  });

  test.each(CASES)("by %s under another's %s is refused and nowhere", async (form, algorithm) => {
    const bytes = noise(`bad ${form} ${algorithm}`, 3067);
    const digest = digestBy(algorithm, bytes);
    const refused = await FORMS[form]!({ bytes: Buffer.concat([bytes, Buffer.from("oh no")]), digest });
    expect([refused.status, ((await refused.json()) as { errors: { code: string }[] }).errors[0]!.code]).toEqual([400, "DIGEST_INVALID"]);
    expect((await user.http("HEAD", `${ONE}/blobs/${digest}`)).status).toBe(404);
  });

  test.each(ALGORITHMS.flatMap((algorithm) => [["", algorithm], ["{}", algorithm]] as const))("of %j arrives under its %s", async (text, algorithm) => {
    const digest = digestBy(algorithm, text);
    const made = await user.http("PUT", at(await begin(), { digest }), { body: text, headers: octets });
    expect(made.status).toBe(201);
    const read = await user.http("GET", `${ONE}/blobs/${digest}`);
    expect([read.status, read.headers.get("content-length"), await read.text()]).toEqual([200, String(text.length), text]);
  });

  test("is mounted from where it is, and uploaded by the address of the answer where it is not, or where nobody says", async () => {
    const bytes = noise("mounting", 512);
    const digest = digestBy("sha256", bytes);
    const from = `${V2.slice("/v2/".length)}${TWO}`;
    const missing = await user.http("POST", `${ONE}/blobs/uploads/?mount=${digest}&from=${from}`);
    expect(missing.status).toBe(202);
    expect((await user.http("PUT", at(locationOf(missing), { digest }), { body: bytes, headers: octets })).status).toBe(201);
    const other = await user.http("POST", `${TWO}/blobs/uploads/?mount=${digest}`);
    expect(other.status).toBe(202);
    const mounted = await user.http("POST", `${TWO}/blobs/uploads/?mount=${digest}&from=${V2.slice("/v2/".length)}${ONE}`);
    expect([mounted.status, Buffer.from(await (await user.http("GET", locationOf(mounted))).arrayBuffer()).equals(bytes)]).toEqual([201, true]);
  });

  test.each([
    ["bytes=500-1499", 206, "bytes 500-1499/2048", 1000],
    ["bytes=500-", 206, "bytes 500-2047/2048", 1548],
    ["bytes=-500", 206, "bytes 1548-2047/2048", 500],
    ["bytes=2000-5000", 206, "bytes 2000-2047/2048", 48],
    ["bytes=500-0", 416, "bytes */2048", 0],
    ["bytes=5000-10000", 416, "bytes */2048", 0],
  ])("is read by the range %s", async (range, status, contentRange, length) => {
    const bytes = noise("ranges", 2048);
    const digest = digestBy("sha256", bytes);
    await user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes });
    const answer = await user.http("GET", `${ONE}/blobs/${digest}`, { headers: { range } });
    expect([answer.status, answer.headers.get("content-range"), (await answer.arrayBuffer()).byteLength]).toEqual([status, contentRange, length]);
  });

  test.each([
    ["9-0", "abc", 400, "BLOB_UPLOAD_INVALID"],
    ["the first three", "abc", 400, "BLOB_UPLOAD_INVALID"],
    ["0-9", "abc", 400, "SIZE_INVALID"],
    ["7-9", "abc", 416, "BLOB_UPLOAD_INVALID"],
  ])("in a chunk that says %s is refused", async (range, body, status, code) => {
    const location = await begin();
    const answer = await user.http("PATCH", location, { body, headers: { "content-range": range } });
    expect([answer.status, ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code]).toEqual([status, code]);
    expect((await user.http("GET", location)).headers.get("range")).toBe("0-0");
  });

  test("that nobody pushed is unknown, and an upload that was cancelled is over", async () => {
    expect((await user.http("GET", `${ONE}/blobs/${digestBy("sha256", "nobody")}`)).status).toBe(404);
    const location = await begin();
    expect((await user.http("DELETE", location)).status).toBe(204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) expect((await user.http(method, at(location, { digest: digestBy("sha256", "x") }))).status).toBe(404);
  });
});

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const EMPTY_JSON = "application/vnd.oci.empty.v1+json";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function pushBlob(text: string, mediaType: string, algorithm: Algorithm = "sha256"): Promise<Descriptor> {
  const digest = digestBy(algorithm, text);
  expect((await user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: text, headers: octets })).status).toBe(201);
  return { mediaType, digest, size: text.length };
}

let count = 0;
interface Parts {
  readonly algorithm?: Algorithm;
  readonly config?: { readonly text: string; readonly mediaType: string };
  readonly layers?: readonly object[];
  readonly [member: string]: unknown;
}

async function imageManifest({ algorithm = "sha256", config, layers, ...more }: Parts = {}): Promise<object> {
  const seed = `${(count += 1)}`;
  const { text, mediaType } = config ?? { text: `{"os":"linux","architecture":"amd64","seed":"${seed}"}`, mediaType: "application/vnd.oci.image.config.v1+json" };
  return {
    schemaVersion: 2, mediaType: IMAGE, config: await pushBlob(text, mediaType, algorithm), layers: layers ?? [await pushBlob(`layer ${seed}`, "application/vnd.oci.image.layer.v1.tar+gzip", algorithm)], ...more,
  };
}

/** Pushes a manifest under its digest, or a tag, and reads it back in every way. */
async function pushed(manifest: object, { tag, algorithm = "sha256" }: { readonly tag?: string; readonly algorithm?: Algorithm } = {}): Promise<Descriptor> {
  const text = JSON.stringify(manifest);
  const { mediaType, subject } = manifest as { mediaType: string; subject?: Descriptor };
  const digest = digestBy(algorithm, text);
  const made = await user.http("PUT", `${ONE}/manifests/${tag ?? digest}`, { body: text, headers: { "content-type": mediaType } });
  expect([made.status, made.headers.get("docker-content-digest"), made.headers.get("oci-subject")]).toEqual([201, digest, subject?.digest ?? null]);
  for (const path of [locationOf(made), `${ONE}/manifests/${digest}`, ...(tag === undefined ? [] : [`${ONE}/manifests/${tag}`])]) {
    const read = await user.http("GET", path, { headers: { accept: `${INDEX}, ${IMAGE}` } });
    expect([read.status, read.headers.get("content-type"), read.headers.get("content-length"), await read.text()]).toEqual([200, mediaType, String(text.length), text]);
    const head = await user.http("HEAD", path);
    expect([head.status, head.headers.get("content-type"), head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([200, mediaType, String(text.length), digest]);
  }
  return { mediaType, digest, size: text.length };
}

const indexOf = (manifests: readonly object[], more: object = {}) => ({ schemaVersion: 2, mediaType: INDEX, manifests, ...more });
const artifact = (more: object = {}) => imageManifest({ artifactType: "application/x-example", config: { text: "{}", mediaType: EMPTY_JSON }, annotations: { "org.example": "hello" }, ...more });
const foreign = (mediaType: string, seed: string) => ({ mediaType, digest: digestBy("sha256", seed), size: 12_345, urls: ["https://store.example.com/blob"] });

describe("a manifest", () => {
  const KINDS: Readonly<Record<string, () => Promise<object>>> = {
    "an image": () => imageManifest(),
    "an image of 3.9 MB": () => imageManifest({ annotations: { large: "A".repeat(3_900_000) } }),
    "an image without layers": () => imageManifest({ layers: [] }),
    "an image with members nobody knows": () => imageManifest({ "org.example.unknown": { a: [1] } }),
    "an image whose descriptors carry data": async () => {
      const config = await pushBlob('{"with":"data"}', "application/vnd.oci.image.config.v1+json");
      return { schemaVersion: 2, mediaType: IMAGE, config: { ...config, data: Buffer.from('{"with":"data"}').toString("base64") }, layers: [] };
    },
    "an image with layers that lie elsewhere": async () =>
      imageManifest({ layers: [foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "a"), foreign("application/vnd.oci.image.layer.nondistributable.v1.tar", "b"), await pushBlob("here", "application/vnd.oci.image.layer.v1.tar")] }),
    "an artifact": () => artifact(),
    "an artifact whose layer is the empty document": async () => artifact({ layers: [await pushBlob("{}", EMPTY_JSON)] }),
    "an index": async () => indexOf([await pushed(await imageManifest()), await pushed(await imageManifest())]),
    "an index of nothing": () => Promise.resolve(indexOf([])),
    "an index of indexes": async () => indexOf([await pushed(indexOf([await pushed(await imageManifest())])), await pushed(indexOf([await pushed(await imageManifest())]))]),
    "an index of artifacts": async () => indexOf([await pushed(await artifact())], { artifactType: "application/x-example" }),
    "an artifact whose subject is not there": () => artifact({ subject: { mediaType: IMAGE, digest: digestBy("sha256", "missing"), size: 123 } }),
  };

  test.each(Object.keys(KINDS))("that is %s is pushed, listed, read and deleted", async (kind) => {
    const tag = `kind-${(count += 1)}`;
    const { digest } = await pushed(await KINDS[kind]!(), { tag });
    expect(((await (await user.http("GET", `${ONE}/tags/list`)).json()) as { tags: string[] }).tags).toContain(tag);
    expect((await user.http("DELETE", `${ONE}/manifests/${tag}`)).status).toBe(202);
    expect((await user.http("HEAD", `${ONE}/manifests/${tag}`)).status).toBe(404);
    // By its last tag the image itself goes, as in ECR.
    expect((await user.http("DELETE", `${ONE}/manifests/${digest}`)).status).toBe(404);
    expect((await user.http("HEAD", `${ONE}/manifests/${digest}`)).status).toBe(404);
  });

  test("and all it needs may be named by sha512", async () => {
    const algorithm: Algorithm = "sha512";
    const children = [await pushed(await imageManifest({ algorithm }), { algorithm }), await pushed(await imageManifest({ algorithm }), { algorithm })];
    const { digest } = await pushed(indexOf(children), { algorithm });
    for (const each of [digest, ...children.map((child) => child.digest)]) expect((await user.http("DELETE", `${ONE}/manifests/${each}`)).status).toBe(202);
  });

  test("under a digest that is none, or another's, is refused", async () => {
    const text = JSON.stringify(await imageManifest());
    const put = (reference: string) => user.http("PUT", `${ONE}/manifests/${reference}`, { body: `${text}  `, headers: { "content-type": IMAGE } });
    expect([(await put("sha256:baddigeststring")).status, (await put(digestBy("sha256", text))).status]).toEqual([400, 400]);
    expect((await user.http("GET", `${ONE}/manifests/sha256:baddigeststring`)).status).toBe(400);
    expect([(await user.http("GET", `${ONE}/manifests/${digestBy("sha256", text)}`)).status, (await user.http("GET", `${ONE}/manifests/missing-tag`)).status]).toEqual([404, 404]);
  });
});

describe("referrers", () => {
  const referrersOf = async (digest: string, artifactType?: string) => {
    const answer = await user.http("GET", `${ONE}/referrers/${digest}${artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`}`);
    const { schemaVersion, mediaType, manifests } = (await answer.json()) as { schemaVersion: number; mediaType: string; manifests: (Descriptor & { artifactType?: string })[] };
    expect([answer.status, answer.headers.get("content-type"), schemaVersion, mediaType]).toEqual([200, INDEX, 2, INDEX]);
    return { filters: answer.headers.get("oci-filters-applied"), manifests };
  };

  test("of nothing are an empty index", async () => {
    expect(await referrersOf(digestBy("sha256", "nothing"))).toEqual({ filters: null, manifests: [] });
  });

  test.each(["an image", "an index"])("of %s are told with their types and annotations, by type where asked, until they go", async (kind) => {
    const subject = await pushed(kind === "an image" ? await imageManifest() : indexOf([await pushed(await imageManifest())]));
    const image = await pushed(await imageManifest({ subject }));
    const first = await pushed(await artifact({ subject }), { tag: `signed-${(count += 1)}` });
    const index = await pushed(indexOf([await pushed(await artifact())], { subject, artifactType: "application/x-other", annotations: { of: "index" } }));
    const all = [
      { ...image, artifactType: "application/vnd.oci.image.config.v1+json" },
      { ...first, artifactType: "application/x-example", annotations: { "org.example": "hello" } },
      { ...index, artifactType: "application/x-other", annotations: { of: "index" } },
    ];
    const { manifests } = await referrersOf(subject.digest);
    expect(manifests).toHaveLength(3);
    expect(manifests).toEqual(expect.arrayContaining(all));
    for (const one of all) expect(await referrersOf(subject.digest, one.artifactType)).toEqual({ filters: "artifactType", manifests: [one] });
    await user.http("DELETE", `${ONE}/manifests/${first.digest}`);
    expect((await referrersOf(subject.digest)).manifests).toHaveLength(2);
    // A subject that goes leaves its referrers.
    await user.http("DELETE", `${ONE}/manifests/${subject.digest}`);
    expect((await referrersOf(subject.digest)).manifests).toHaveLength(2);
  });
});

test("tags after one, in pages, are each there once", async () => {
  await createRepository(user.ecr, "conformance/tags");
  const tags = Array.from({ length: 25 }, (_, index) => `tag-${String(index).padStart(2, "0")}`);
  for (const tag of tags) await user.http("PUT", `conformance/tags/manifests/${tag}`, { body: JSON.stringify(indexOf([])), headers: { "content-type": INDEX } });
  const list = async (path: string) => {
    const answer = await user.http("GET", path);
    return { tags: ((await answer.json()) as { tags: string[] }).tags, next: /<(.*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1] };
  };
  expect((await list("conformance/tags/tags/list?last=tag-11")).tags).toEqual(tags.slice(12));
  expect((await list("conformance/tags/tags/list?last=tag-11&n=2")).tags).toEqual(["tag-12", "tag-13"]);
  const found: string[] = [];
  for (let path: string | undefined = "conformance/tags/tags/list?n=10"; path !== undefined; ) {
    const page = await list(path);
    found.push(...page.tags);
    path = page.next;
  }
  expect(found).toEqual(tags);
});
