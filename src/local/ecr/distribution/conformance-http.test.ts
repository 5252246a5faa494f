import { once } from "node:events";
import { connect } from "node:net";
import { GetDownloadUrlForLayerCommand } from "@aws-sdk/client-ecr";
import { describe, expect, test, vi } from "vitest";
import { noise } from "../../../oci/testing/sample-images.ts";
import { CICD, REGION } from "../../testing/accounts.ts";
import { conformanceRegistry, digestBy, locationOf, octets, ONE, rawRequests } from "../testing/conformance.ts";
import { V2 } from "../testing/registry.ts";

// What HTTP says, and neither the suite nor a well-behaved client asks.

vi.setConfig({ testTimeout: 60_000 });
const registry = conformanceRegistry();
const raw = rawRequests(registry);

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const indexOf = (more: object) => JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [], ...more });
const put = (reference: string, body: string, mediaType?: string) =>
  registry.user.http("PUT", `${ONE}/manifests/${reference}`, {
    body,
    ...(mediaType !== undefined && { headers: { "content-type": mediaType } }),
  });
const codeOf = async (answer: Response): Promise<readonly [number, string]> => [
  answer.status,
  ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code,
];

async function pushBlob(text: string): Promise<string> {
  const digest = digestBy("sha256", text);
  expect((await registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: text, headers: octets })).status).toBe(201);
  return digest;
}

const imageOf = async (seed: string) => ({
  schemaVersion: 2,
  config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: await pushBlob(`{"seed":"${seed}"}`), size: seed.length + 11 },
  layers: [],
});

describe("who holds the content already", () => {
  const addresses = async (): Promise<readonly (readonly [string, string])[]> => {
    const index = indexOf({ annotations: { held: "yes" } });
    await put("held", index, INDEX);
    const digest = await pushBlob("a blob that is held");
    return [
      [`${ONE}/blobs/${digest}`, digest],
      [`${ONE}/manifests/held`, digestBy("sha256", index)],
      [`${ONE}/manifests/${digestBy("sha256", index)}`, digestBy("sha256", index)],
    ];
  };

  test.each([
    ["the tag", (tag: string) => tag],
    ["a weak tag", (tag: string) => `W/${tag}`],
    ["one of several", (tag: string) => `"other", ${tag}`],
    ["anything", () => "*"],
  ])("is told so, naming %s, by GET as by HEAD", async (_what, naming) => {
    for (const [path, digest] of await addresses())
      for (const method of ["GET", "HEAD"]) {
        const whole = await raw("HEAD", `${V2}${path}`);
        const answer = await raw(method, `${V2}${path}`, { headers: { "if-none-match": naming(`"${digest}"`), range: "bytes=0-1" } });
        expect([answer.status, answer.body, answer.headers["etag"], answer.headers["docker-content-digest"]]).toEqual([
          304,
          "",
          `"${digest}"`,
          digest,
        ]);
        expect(answer.headers["content-length"]).toBe(whole.headers["content-length"]);
      }
  });

  test("gets what is other than it holds, and nothing where it wants what is no longer there", async () => {
    for (const [path, digest] of await addresses()) {
      const status = async (headers: Readonly<Record<string, string>>) => (await raw("GET", `${V2}${path}`, { headers })).status;
      expect(await status({ "if-none-match": '"other"' })).toBe(200);
      expect(await status({ "if-match": `"other", "${digest}"` })).toBe(200);
      expect(await status({ "if-match": "*" })).toBe(200);
      expect(await status({ "if-match": '"other"' })).toBe(412);
      // Weak tags are no proof of the same bytes.
      expect(await status({ "if-match": `W/"${digest}"` })).toBe(412);
    }
  });

  test("in one form holds nothing in the other", async () => {
    const manifest = JSON.stringify({ ...(await imageOf("two forms")), mediaType: IMAGE });
    await put("two-forms", manifest, IMAGE);
    const asked = (etag: string, accept: string) =>
      raw("GET", `${V2}${ONE}/manifests/two-forms`, { headers: { "if-none-match": etag, accept } });
    const own = `"${digestBy("sha256", manifest)}"`;
    expect((await asked(own, IMAGE)).status).toBe(304);
    const other = await asked(own, DOCKER);
    expect([other.status, other.headers["content-type"]]).toEqual([200, DOCKER]);
    expect((await asked(other.headers["etag"] as string, DOCKER)).status).toBe(304);
  });
});

test("a range is of GET alone", async () => {
  const digest = await pushBlob("a blob of twenty-six bytes");
  const { status, headers } = await raw("HEAD", `${V2}${ONE}/blobs/${digest}`, { headers: { range: "bytes=0-3" } });
  expect([status, headers["content-length"], headers["content-range"]]).toEqual([200, "26", undefined]);
});

test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("%s of what is only read changes nothing, and says so", async (method) => {
  const digest = digestBy("sha256", "x");
  for (const path of ["/v2/", "/v2/_catalog", `${V2}${ONE}/tags/list`, `${V2}${ONE}/referrers/${digest}`]) {
    const answer = await raw(method, path);
    expect([path, answer.status, (JSON.parse(answer.body) as { errors: { code: string }[] }).errors[0]!.code]).toEqual([
      path,
      405,
      "UNSUPPORTED",
    ]);
  }
});

test.each([
  ["PATCH", "manifests/latest", "GET, HEAD, PUT, DELETE"],
  ["DELETE", `blobs/${digestBy("sha256", "x")}`, "GET, HEAD"],
  ["POST", "tags/list", "GET, HEAD"],
])("%s %s is told which methods there are", async (method, path, allow) => {
  const { status, headers } = await raw(method, `${V2}${ONE}/${path}`);
  expect([status, headers["allow"]]).toEqual([405, allow]);
});

test("each list says the same to HEAD and GET", async () => {
  for (const path of ["/v2/", "/v2/_catalog", `${V2}${ONE}/tags/list`, `${V2}${ONE}/referrers/${digestBy("sha256", "x")}`]) {
    const [head, get] = await Promise.all([raw("HEAD", path), raw("GET", path)]);
    expect([head.status, head.body, head.headers["content-type"]]).toEqual([get.status, "", get.headers["content-type"]]);
  }
});

test("types may come in several lines of Accept", async () => {
  await put("lines", JSON.stringify({ ...(await imageOf("lines")), mediaType: IMAGE }), IMAGE);
  const answer = await raw("GET", `${V2}${ONE}/manifests/lines`, { headers: { accept: [INDEX, `${DOCKER};q=0.5`] } });
  expect([answer.status, answer.headers["content-type"]]).toEqual([200, DOCKER]);
});

test.each([
  `${CICD}.dkr.ecr.${REGION}.amazonaws.com`,
  `${CICD}.DKR.ECR.${REGION}.amazonaws.com:443`,
  `${CICD}.dkr.ecr-fips.${REGION}.amazonaws.com`,
  `${CICD}.dkr-ecr.${REGION}.on.aws`,
  `${CICD}.dkr-ecr-fips.${REGION}.on.aws`,
])("a repository is named alone where the Host is %s", async (host) => {
  expect(JSON.parse((await raw("GET", `/v2/${ONE}/tags/list`, { headers: { host } })).body)).toMatchObject({ name: ONE });
});

test.each([`${CICD}.dkr.ecr.${REGION}.amazonaws.com.example.com`, `x${CICD}.dkr.ecr.${REGION}.amazonaws.com`, "localhost"])(
  "and with account and region where it is %s",
  async (host) => {
    expect((await raw("GET", `/v2/${ONE}/tags/list`, { headers: { host } })).status).toBe(404);
    expect((await raw("GET", `${V2}${ONE}/tags/list`, { headers: { host } })).status).toBe(200);
  },
);

test("a layer's link gives all of it, a part of it or its headers, to who reads; and nothing to who does otherwise", async () => {
  const layerDigest = await pushBlob("a layer behind a link");
  const { downloadUrl } = await registry.user.ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName: ONE, layerDigest }));
  const { pathname } = new URL(downloadUrl!);
  const got = async (method: string, headers: Readonly<Record<string, string>> = {}) => {
    const { status, body } = await raw(method, pathname, { headers });
    return [status, body];
  };
  expect(await got("GET")).toEqual([200, "a layer behind a link"]);
  expect(await got("GET", { range: "bytes=2-6" })).toEqual([206, "layer"]);
  expect(await got("HEAD")).toEqual([200, ""]);
  expect(await got("GET", { "if-none-match": `"${layerDigest}"` })).toEqual([304, ""]);
  for (const method of ["PUT", "POST", "DELETE"]) expect((await got(method))[0]).toBe(405);
  expect((await raw("GET", `${pathname}x`)).status).toBe(403);
});

describe("what a manifest is", () => {
  test.each([["application/json"], ["application/x-www-form-urlencoded"], ["text/plain"], [DOCKER], [INDEX]])(
    "is not %s where it says otherwise itself",
    async (mediaType) => {
      const manifest = JSON.stringify({ ...(await imageOf(`sent as ${mediaType}`)), mediaType: IMAGE });
      expect(await codeOf(await put("other-type", manifest, mediaType))).toEqual([400, "MANIFEST_INVALID"]);
      expect((await raw("HEAD", `${V2}${ONE}/manifests/${digestBy("sha256", manifest)}`)).status).toBe(404);
    },
  );

  test("is its Content-Type, without parameters and in any case, where it says nothing itself; but a type of manifests", async () => {
    const manifest = JSON.stringify(await imageOf("silent"));
    expect(await codeOf(await put("silent", manifest, "application/json"))).toEqual([400, "MANIFEST_INVALID"]);
    expect((await put("silent", manifest, `${IMAGE.toUpperCase()}; charset=utf-8`)).status).toBe(201);
    expect((await raw("HEAD", `${V2}${ONE}/manifests/silent`)).headers["content-type"]).toBe(IMAGE);
  });

  test("is what it says where the request is silent", async () => {
    expect((await put("told", indexOf({ annotations: { told: "yes" } }))).status).toBe(400);
    expect((await raw("PUT", `${V2}${ONE}/manifests/told`, { body: indexOf({ annotations: { told: "yes" } }) })).status).toBe(201);
    expect((await raw("HEAD", `${V2}${ONE}/manifests/told`)).headers["content-type"]).toBe(INDEX);
  });

  test.each([
    ["an image with manifests", IMAGE, { manifests: [] }],
    ["an index with layers", INDEX, { layers: [], config: undefined, manifests: [] }],
    ["an index with a configuration", INDEX, { layers: undefined, manifests: [] }],
  ])("is never two things: %s", async (_what, mediaType, more) => {
    expect(await codeOf(await put("both", JSON.stringify({ ...(await imageOf("both")), mediaType, ...more }), mediaType))).toEqual([
      400,
      "MANIFEST_INVALID",
    ]);
  });

  test("may have 4 MiB to the byte", async () => {
    const empty = indexOf({ annotations: { filling: "" } });
    const largest = indexOf({ annotations: { filling: "x".repeat(4 * 1024 * 1024 - empty.length) } });
    expect((await put("largest", largest, INDEX)).status).toBe(201);
    expect(await codeOf(await put("largest", largest.replace("xx", "x x"), INDEX))).toEqual([413, "SIZE_INVALID"]);
  });
});

test("a manifest of 32 MB is refused to a client that sends all of it before it reads, and its connection goes on", async () => {
  const { hostname, port } = new URL(registry.url);
  const socket = connect(Number(port), hostname);
  const authorization = `authorization: Basic ${Buffer.from(`AWS:${registry.user.password}`).toString("base64")}\r\nhost: h\r\n`;
  socket.pause();
  for (const part of [
    `PUT ${V2}${ONE}/manifests/endless HTTP/1.1\r\n${authorization}content-length: 32000000\r\n\r\n`,
    Buffer.alloc(32_000_000, " "),
    `GET /v2/ HTTP/1.1\r\n${authorization}connection: close\r\n\r\n`,
  ])
    if (!socket.write(part)) await once(socket, "drain");
  let answers = "";
  for await (const bytes of socket) answers += String(bytes);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
});

describe("an upload", () => {
  const begin = async () => locationOf(await registry.user.http("POST", `${ONE}/blobs/uploads/`));

  test("says where it goes on to a chunk out of order, to HEAD and to GET", async () => {
    const location = await begin();
    const refused = await registry.user.http("PATCH", location, { body: "abc", headers: { "content-range": "7-9" } });
    expect([refused.status, refused.headers.get("location"), refused.headers.get("range")]).toEqual([416, location, "0-0"]);
    for (const method of ["HEAD", "GET"]) {
      const { status, headers } = await raw(method, location);
      // RFC 9110 section 8.6: an answer that has no content has no length either.
      expect([status, headers["location"], headers["range"], headers["content-length"]]).toEqual([204, location, "0-0", undefined]);
    }
  });

  test("is not begun at its own address", async () => {
    const { status, headers } = await raw("POST", await begin());
    expect([status, headers["allow"]]).toEqual([405, "GET, HEAD, PATCH, PUT, DELETE"]);
  });

  test("whose client leaves keeps what came, and is no failure of the registry's", async () => {
    const location = await begin();
    const { hostname, port } = new URL(registry.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PATCH ${location} HTTP/1.1\r\nhost: h\r\nauthorization: Basic ${Buffer.from(`AWS:${registry.user.password}`).toString("base64")}\r\ncontent-length: 600\r\nexpect: 100-continue\r\n\r\n`,
    );
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1\.1 100 /);
    await new Promise((written) => socket.write("abc", written));
    socket.destroy();
    await vi.waitFor(async () => expect((await raw("GET", location)).headers["range"]).toBe("0-2"), { timeout: 30_000 });
    await vi.waitFor(
      async () =>
        expect((await registry.user.http("PATCH", location, { body: "d", headers: { "content-range": "3-3" } })).status).toBe(202),
      { timeout: 30_000 },
    );
    expect((await registry.user.http("PUT", `${location}?digest=${digestBy("sha256", "abcd")}`)).status).toBe(201);
    expect(registry.log.filter((line) => line.includes(location))).toEqual([]);
  });
});

test("referrers that are too many for one index come in pages, of one type where asked", async () => {
  const subject = { mediaType: INDEX, digest: digestBy("sha256", "a subject of many"), size: 3 };
  const texts = Array.from({ length: 5 }, (_, index) =>
    indexOf({
      subject,
      artifactType: `application/vnd.example.${index === 4 ? "other" : "one"}`,
      annotations: { number: String(index), filling: noise("filling", 750_000).toString("hex") },
    }),
  );
  for (const text of texts) expect((await put(digestBy("sha256", text), text, INDEX)).status).toBe(201);
  const pages = async (query: string) => {
    const found: string[][] = [];
    for (let path: string | undefined = `${V2}${ONE}/referrers/${subject.digest}${query}`; path !== undefined;) {
      const answer = await raw("GET", path);
      expect(answer.body.length).toBeLessThanOrEqual(4 * 1024 * 1024);
      expect(answer.headers["oci-filters-applied"]).toBe(query === "" ? undefined : "artifactType");
      found.push((JSON.parse(answer.body) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest));
      path = /^<(.*)>; rel="next"$/.exec((answer.headers["link"] as string | undefined) ?? "")?.[1];
    }
    return found;
  };
  const digests = texts.map((text) => digestBy("sha256", text));
  const all = await pages("");
  expect([all.map((page) => page.length), all.flat().toSorted()]).toEqual([[2, 2, 1], digests.toSorted()]);
  const one = await pages("?artifactType=application/vnd.example.one");
  expect([one.map((page) => page.length), one.flat().toSorted()]).toEqual([[2, 2], digests.slice(0, 4).toSorted()]);
});
