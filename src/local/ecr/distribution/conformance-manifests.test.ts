import { describe, expect, test } from "vitest";
import { type Algorithm, conformanceRegistry, digestBy, locationOf, octets, ONE } from "../testing/conformance.ts";
import { createRepository } from "../testing/registry.ts";

const registry = conformanceRegistry();

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
  expect((await registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: text, headers: octets })).status).toBe(201);
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
  const { text, mediaType } = config ?? {
    text: `{"os":"linux","architecture":"amd64","seed":"${seed}"}`,
    mediaType: "application/vnd.oci.image.config.v1+json",
  };
  return {
    schemaVersion: 2,
    mediaType: IMAGE,
    config: await pushBlob(text, mediaType, algorithm),
    layers: layers ?? [await pushBlob(`layer ${seed}`, "application/vnd.oci.image.layer.v1.tar+gzip", algorithm)],
    ...more,
  };
}

/** Pushes a manifest under its digest, or a tag, and reads it back in every way. */
async function pushed(
  manifest: object,
  { tag, algorithm = "sha256" }: { readonly tag?: string; readonly algorithm?: Algorithm } = {},
): Promise<Descriptor> {
  const text = JSON.stringify(manifest);
  const { mediaType, subject } = manifest as { mediaType: string; subject?: Descriptor };
  const digest = digestBy(algorithm, text);
  const made = await registry.user.http("PUT", `${ONE}/manifests/${tag ?? digest}`, { body: text, headers: { "content-type": mediaType } });
  expect([made.status, made.headers.get("docker-content-digest"), made.headers.get("oci-subject")]).toEqual([
    201,
    digest,
    subject?.digest ?? null,
  ]);
  for (const path of [locationOf(made), `${ONE}/manifests/${digest}`, ...(tag === undefined ? [] : [`${ONE}/manifests/${tag}`])]) {
    const read = await registry.user.http("GET", path, { headers: { accept: `${INDEX}, ${IMAGE}` } });
    expect([read.status, read.headers.get("content-type"), read.headers.get("content-length"), await read.text()]).toEqual([
      200,
      mediaType,
      String(text.length),
      text,
    ]);
    const head = await registry.user.http("HEAD", path);
    expect([
      head.status,
      head.headers.get("content-type"),
      head.headers.get("content-length"),
      head.headers.get("docker-content-digest"),
    ]).toEqual([200, mediaType, String(text.length), digest]);
  }
  return { mediaType, digest, size: text.length };
}

const indexOf = (manifests: readonly object[], more: object = {}) => ({ schemaVersion: 2, mediaType: INDEX, manifests, ...more });
const artifact = (more: object = {}) =>
  imageManifest({
    artifactType: "application/x-example",
    config: { text: "{}", mediaType: EMPTY_JSON },
    annotations: { "org.example": "hello" },
    ...more,
  });

describe("a manifest", () => {
  const KINDS: Readonly<Record<string, () => Promise<object>>> = {
    "an image": () => imageManifest(),
    "an index": async () => indexOf([await pushed(await imageManifest()), await pushed(await imageManifest())]),
    "an index of nothing": () => Promise.resolve(indexOf([])),
    "an index of indexes": async () =>
      indexOf([await pushed(indexOf([await pushed(await imageManifest())])), await pushed(indexOf([await pushed(await imageManifest())]))]),
    "an index of artifacts": async () => indexOf([await pushed(await artifact())], { artifactType: "application/x-example" }),
    "an artifact whose subject is not there": () =>
      artifact({ subject: { mediaType: IMAGE, digest: digestBy("sha256", "missing"), size: 123 } }),
  };

  test.each(Object.keys(KINDS))("that is %s is pushed, listed, read and deleted", async (kind) => {
    const tag = `kind-${(count += 1)}`;
    const { digest } = await pushed(await KINDS[kind]!(), { tag });
    expect(((await (await registry.user.http("GET", `${ONE}/tags/list`)).json()) as { tags: string[] }).tags).toContain(tag);
    expect((await registry.user.http("DELETE", `${ONE}/manifests/${tag}`)).status).toBe(202);
    expect((await registry.user.http("HEAD", `${ONE}/manifests/${tag}`)).status).toBe(404);
    // By its last tag the image itself goes, as in ECR.
    expect((await registry.user.http("DELETE", `${ONE}/manifests/${digest}`)).status).toBe(404);
    expect((await registry.user.http("HEAD", `${ONE}/manifests/${digest}`)).status).toBe(404);
  });

  test("and all it needs may be named by sha512", async () => {
    const algorithm: Algorithm = "sha512";
    const children = [
      await pushed(await imageManifest({ algorithm }), { algorithm }),
      await pushed(await imageManifest({ algorithm }), { algorithm }),
    ];
    const { digest } = await pushed(indexOf(children), { algorithm });
    for (const each of [digest, ...children.map((child) => child.digest)])
      expect((await registry.user.http("DELETE", `${ONE}/manifests/${each}`)).status).toBe(202);
  });
});

describe("referrers", () => {
  const referrersOf = async (digest: string, artifactType?: string) => {
    const answer = await registry.user.http(
      "GET",
      `${ONE}/referrers/${digest}${artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`}`,
    );
    const { schemaVersion, mediaType, manifests } = (await answer.json()) as {
      schemaVersion: number;
      mediaType: string;
      manifests: (Descriptor & { artifactType?: string })[];
    };
    expect([answer.status, answer.headers.get("content-type"), schemaVersion, mediaType]).toEqual([200, INDEX, 2, INDEX]);
    return { filters: answer.headers.get("oci-filters-applied"), manifests };
  };

  test("of nothing are an empty index", async () => {
    expect(await referrersOf(digestBy("sha256", "nothing"))).toEqual({ filters: null, manifests: [] });
  });

  test.each(["an image", "an index"])(
    "of %s are told with their types and annotations, by type where asked, until they go",
    async (kind) => {
      const subject = await pushed(kind === "an image" ? await imageManifest() : indexOf([await pushed(await imageManifest())]));
      const image = await pushed(await imageManifest({ subject }));
      const first = await pushed(await artifact({ subject }), { tag: `signed-${(count += 1)}` });
      const index = await pushed(
        indexOf([await pushed(await artifact())], { subject, artifactType: "application/x-other", annotations: { of: "index" } }),
      );
      const all = [
        { ...image, artifactType: "application/vnd.oci.image.config.v1+json" },
        { ...first, artifactType: "application/x-example", annotations: { "org.example": "hello" } },
        { ...index, artifactType: "application/x-other", annotations: { of: "index" } },
      ];
      const { manifests } = await referrersOf(subject.digest);
      expect(manifests).toHaveLength(3);
      expect(manifests).toEqual(expect.arrayContaining(all));
      for (const one of all)
        expect(await referrersOf(subject.digest, one.artifactType)).toEqual({ filters: "artifactType", manifests: [one] });
      await registry.user.http("DELETE", `${ONE}/manifests/${first.digest}`);
      expect((await referrersOf(subject.digest)).manifests).toHaveLength(2);
      // A subject that goes leaves its referrers.
      await registry.user.http("DELETE", `${ONE}/manifests/${subject.digest}`);
      expect((await referrersOf(subject.digest)).manifests).toHaveLength(2);
    },
  );
});

test("tags after one, in pages, are each there once", async () => {
  await createRepository(registry.user.ecr, "conformance/tags");
  const tags = Array.from({ length: 25 }, (_, index) => `tag-${String(index).padStart(2, "0")}`);
  for (const tag of tags)
    await registry.user.http("PUT", `conformance/tags/manifests/${tag}`, {
      body: JSON.stringify(indexOf([])),
      headers: { "content-type": INDEX },
    });
  const list = async (path: string) => {
    const answer = await registry.user.http("GET", path);
    return {
      tags: ((await answer.json()) as { tags: string[] }).tags,
      next: /<(.*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1],
    };
  };
  expect((await list("conformance/tags/tags/list?last=tag-11")).tags).toEqual(tags.slice(12));
  expect((await list("conformance/tags/tags/list?last=tag-11&n=2")).tags).toEqual(["tag-12", "tag-13"]);
  expect(await list("conformance/tags/tags/list?n=0")).toEqual({ tags: [], next: undefined });
  expect(await list("conformance/tags/tags/list?n=25")).toEqual({ tags, next: undefined });
  expect(await list("conformance/tags/tags/list?last=zzz")).toEqual({ tags: [], next: undefined });
  expect((await list("conformance/tags/tags/list?n=1000")).tags).toEqual(tags);
  expect((await registry.user.http("GET", "conformance/tags/tags/list?n=1001")).status).toBe(405);
  for (const n of ["-1", "x", "1.5", ""]) expect((await registry.user.http("GET", `conformance/tags/tags/list?n=${n}`)).status).toBe(400);
  const found: string[] = [];
  for (let path: string | undefined = "conformance/tags/tags/list?n=10"; path !== undefined;) {
    const page = await list(path);
    found.push(...page.tags);
    path = page.next;
  }
  expect(found).toEqual(tags);
});

test("tags in the query of a push by digest are not taken: they are no part of the specification yet, and nothing says ECR knows them", async () => {
  const text = JSON.stringify(indexOf([], { annotations: { pushed: "by digest" } }));
  const made = await registry.user.http("PUT", `${ONE}/manifests/${digestBy("sha256", text)}?tag=one&tag=two`, {
    body: text,
    headers: { "content-type": INDEX },
  });
  expect([made.status, made.headers.get("oci-tag")]).toEqual([201, null]);
  for (const tag of ["one", "two"]) expect((await registry.user.http("HEAD", `${ONE}/manifests/${tag}`)).status).toBe(404);
});

test("a push by tag may say which digest is meant", async () => {
  const text = JSON.stringify(indexOf([], { annotations: { pushed: "by tag" } }));
  const put = (digest: string) =>
    registry.user.http("PUT", `${ONE}/manifests/by-sha512?digest=${digest}`, { body: text, headers: { "content-type": INDEX } });
  const digest = digestBy("sha512", text);
  expect([(await put(digestBy("sha512", "other"))).status, (await put("sha512:short")).status]).toEqual([400, 400]);
  expect((await put(digest)).headers.get("docker-content-digest")).toBe(digest);
  for (const reference of [digest, "by-sha512"])
    expect(await (await registry.user.http("GET", `${ONE}/manifests/${reference}`)).text()).toBe(text);
});

test("of eight pushes of an immutable tag at once one has it", async () => {
  await createRepository(registry.user.ecr, "conformance/immutable", { imageTagMutability: "IMMUTABLE" });
  const texts = Array.from({ length: 8 }, (_, index) => JSON.stringify(indexOf([], { annotations: { number: String(index) } })));
  const answers = await Promise.all(
    texts.map((body) => registry.user.http("PUT", "conformance/immutable/manifests/v1", { body, headers: { "content-type": INDEX } })),
  );
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 400)]);
  const winner = texts[answers.findIndex((answer) => answer.status === 201)]!;
  expect(await (await registry.user.http("GET", "conformance/immutable/manifests/v1")).text()).toBe(winner);
});
