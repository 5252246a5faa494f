import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { ecrCredentials } from "./credentials.ts";
import type { CredentialProvider } from "./credentials.ts";
import { registryClient } from "./registry-client.ts";
import { transportFor } from "./transport.ts";

const fixedClock = (): Clock & { nowMs: number } => {
  const clock = {
    nowMs: 0,
    now: () => new Date(clock.nowMs),
    sleep: (ms: number) => ((clock.nowMs += ms), Promise.resolve()),
  };
  return clock;
};

type Handler = (request: IncomingMessage, url: URL, answer: ServerResponse) => void;

/** A server for one test; what it was asked is kept. */
async function serve(handler: Handler): Promise<{ readonly host: string; readonly url: string; readonly seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, answer) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    handler(request, new URL(request.url ?? "/", "http://server"), answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}`, seen };
}

const head = (answer: ServerResponse) =>
  answer.writeHead(200, { "docker-content-digest": `sha256:${"a".repeat(64)}`, "content-length": "2", "content-type": "x" }).end();
const password: CredentialProvider = () => Promise.resolve({ kind: "password", username: "me", password: "secret" });
const basicOf = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

/** A registry with a token server. */
async function tokenRegistry(life: { readonly expires_in?: number } = { expires_in: 60 }) {
  let issued = 0;
  const valid = new Set<string>();
  const server = await serve((request, url, answer) => {
    if (url.pathname === "/token") {
      const token = `t${(issued += 1)}:${url.searchParams.getAll("scope").join(",")}`;
      valid.add(`Bearer ${token}`);
      return void answer.end(JSON.stringify({ token, ...life }));
    }
    if (valid.has(request.headers.authorization ?? "")) return void head(answer);
    answer
      .writeHead(401, {
        "www-authenticate": `Bearer realm="http://${request.headers.host}/token",service="reg, istry",scope="x"`,
      })
      .end();
  });
  return { ...server, revoke: () => valid.clear() };
}

test("a token is fetched once for each repository, and again when it has ended or was refused", async () => {
  const server = await tokenRegistry();
  const clock = fixedClock();
  await using client = registryClient({ clock, credentials: password });
  const [one, two] = ["a", "b/c"].map((repository) => client.repository({ registry: server.host, repository }));
  await Promise.all([one?.headManifest("1"), one?.headManifest("2"), two?.headManifest("1")]);
  const asked = () => server.seen.filter((line) => line.startsWith("GET /token"));
  expect(asked()).toHaveLength(2);
  expect(asked()[0]).toContain("service=reg%2C+istry&scope=repository%3Aa%3Apull");
  expect(asked()[0]).toContain(basicOf("me:secret"));
  clock.nowMs += 55_000;
  await one?.headManifest("1");
  expect(asked()).toHaveLength(3);
  server.revoke();
  await one?.headManifest("1");
  expect(asked()).toHaveLength(4);
});

test("a token of which the server does not say how long it lives lives a minute", async () => {
  const server = await tokenRegistry({});
  const clock = fixedClock();
  await using client = registryClient({ clock, credentials: password });
  const asked = async (afterMs: number) => {
    clock.nowMs += afterMs;
    await client.repository({ registry: server.host, repository: "a" }).headManifest("1");
    return server.seen.filter((line) => line.startsWith("GET /token")).length;
  };
  expect([await asked(0), await asked(45_000), await asked(10_000)]).toEqual([1, 1, 2]);
});

test("requests of the run are counted, those that only ask who we are not", async () => {
  const server = await tokenRegistry();
  await using client = registryClient({ clock: fixedClock() });
  let requests = 0;
  const repository = client.repository({ registry: server.host, repository: "a" }, { onRequest: () => (requests += 1) });
  await repository.headManifest("1");
  await repository.headManifest("2");
  expect(requests).toBe(2);
});

test("an identity token of docker login is exchanged by OAuth", async () => {
  let form = "";
  const server = await serve((request, url, answer) => {
    if (url.pathname !== "/token")
      return request.headers.authorization === "Bearer good"
        ? void head(answer)
        : void answer.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
    request.on("data", (chunk) => (form += String(chunk))).on("end", () => answer.end(JSON.stringify({ access_token: "good" })));
  });
  await using client = registryClient({
    clock: fixedClock(),
    credentials: () => Promise.resolve({ kind: "identityToken", token: "refresh" }),
  });
  await client.repository({ registry: server.host, repository: "a" }).headManifest("1");
  expect(new URLSearchParams(form).get("refresh_token")).toBe("refresh");
  expect(new URLSearchParams(form).get("scope")).toBe("repository:a:pull");
});

test("a token server that moved is found, and another one that it points to gets no password", async () => {
  const stranger = await serve((_request, _url, answer) => answer.end('{"token":"","access_token":"t"}'));
  for (const [to, told] of [
    ["/moved", basicOf("me:secret")],
    [`http://localhost:${new URL(stranger.url).port}/moved`, "-"],
  ] as const) {
    const server = await serve((request, url, answer) => {
      if (url.pathname === "/token") return void answer.writeHead(308, { location: to }).end();
      if (url.pathname === "/moved") return void answer.end('{"token":"","access_token":"t"}');
      if (request.headers.authorization === "Bearer t") return void head(answer);
      answer.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
    });
    await using client = registryClient({ clock: fixedClock(), credentials: password });
    await client.repository({ registry: server.host, repository: "a" }).headManifest("1");
    expect([...server.seen, ...stranger.seen]).toContain(`GET /moved ${told}`);
  }
});

test("Basic: a refused password is asked for once more, then it is denied", async () => {
  const server = await serve((request, _, answer) =>
    request.headers.authorization === basicOf("AWS:new")
      ? head(answer)
      : answer.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end(),
  );
  const passwords = ["old", "new"];
  const credentials: CredentialProvider = () =>
    Promise.resolve({ kind: "password", username: "AWS", password: passwords.shift() ?? "none" });
  await using client = registryClient({ clock: fixedClock(), credentials });
  expect(await client.repository({ registry: server.host, repository: "a" }).headManifest("1")).toBeDefined();
  await using without = registryClient({ clock: fixedClock() });
  await expect(without.repository({ registry: server.host, repository: "a" }).headManifest("1")).rejects.toMatchObject({
    kind: "denied",
  });
});

test("a password that the token server refused is asked for anew by the next image", async () => {
  const server = await serve((request, url, answer) => {
    if (url.pathname === "/token")
      return void (request.headers.authorization === basicOf("me:new")
        ? answer.end('{"token":"t"}')
        : answer.writeHead(401).end("a wrong password"));
    if (request.headers.authorization === "Bearer t") return void head(answer);
    answer.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
  });
  const passwords = ["old", "new"];
  await using client = registryClient({
    clock: fixedClock(),
    credentials: () => Promise.resolve({ kind: "password", username: "me", password: passwords.shift() ?? "none" }),
  });
  const ask = () => client.repository({ registry: server.host, repository: "a" }).headManifest("1");
  await expect(ask()).rejects.toMatchObject({ kind: "denied" });
  expect(await ask()).toBeDefined();
});

test("credentials that nobody could be asked for are not asked for by each image, and are a while later", async () => {
  const server = await serve((request, _url, answer) =>
    request.headers.authorization === undefined ? answer.writeHead(401, { "www-authenticate": "Basic realm=x" }).end() : head(answer),
  );
  let asked = 0;
  const clock = fixedClock();
  await using client = registryClient({
    clock,
    credentials: () => ((asked += 1) === 1 ? Promise.reject(new Error("it hangs")) : password("")),
  });
  const ask = (repository: string) => client.repository({ registry: server.host, repository }).headManifest("1");
  await expect(ask("a")).rejects.toThrow("it hangs");
  await expect(ask("b")).rejects.toThrow("it hangs");
  clock.nowMs += 6000;
  expect([(await ask("a"))?.sizeBytes, asked]).toEqual([2, 2]);
});

test("redirects of blobs are followed, the registry's password stays behind", async () => {
  const bytes = Buffer.from("hello");
  const store = await serve((request, _, answer) =>
    request.headers.authorization === undefined ? answer.end(bytes) : answer.writeHead(400).end(),
  );
  const server = await serve((request, url, answer) => {
    if (request.headers.authorization === undefined) return void answer.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
    answer
      .writeHead(307, {
        location: url.pathname.includes("/blobs/") ? `${store.url}/bucket/key?signature=x` : "/elsewhere",
      })
      .end();
  });
  await using client = registryClient({ clock: fixedClock(), credentials: password });
  const { digestOf } = await import("../digest.ts");
  const blob = client.repository({ registry: server.host, repository: "a" }).blob({ digest: digestOf(bytes), size: 5 });
  expect(await text(blob.read())).toBe("hello");
  expect(store.seen).toEqual(["GET /bucket/key?signature=x -"]);
  await expect(client.repository({ registry: server.host, repository: "a" }).getManifest("1")).rejects.toThrow(
    "redirects more than 5 times",
  );
});

test.each(["Bearer", "Basic"])(
  "where a blob is redirected to, nobody gets the registry's password by asking for it (%s), nor is it asked for anew",
  async (scheme) => {
    const store = await serve((request, url, answer) => {
      if (url.pathname === "/token") return void answer.end('{"token":"t"}');
      answer.writeHead(401, { "www-authenticate": `${scheme} realm="http://${request.headers.host}/token"` }).end();
    });
    const server = await serve((request, url, answer) => {
      if (url.pathname === "/token") return void answer.end('{"token":"t"}');
      if (request.headers.authorization === undefined)
        return void answer.writeHead(401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` }).end();
      answer.writeHead(307, { location: `${store.url}/bucket/key` }).end();
    });
    let asked = 0;
    await using client = registryClient({ clock: fixedClock(), credentials: () => ((asked += 1), password("")) });
    await expect(client.repository({ registry: server.host, repository: "a" }).headBlob(`sha256:${"a".repeat(64)}`)).rejects.toMatchObject({
      kind: "denied",
    });
    expect([store.seen, asked]).toEqual([["HEAD /bucket/key -"], 1]);
  },
);

test("what is written goes to the registry that was named, wherever it points", async () => {
  const other = await serve((_request, _url, answer) => void answer.writeHead(201).end());
  const server = await serve((_request, url, answer) => void answer.writeHead(307, { location: `${other.url}${url.pathname}` }).end());
  await using client = registryClient({ clock: fixedClock() });
  const manifest = { digest: `sha256:${"a".repeat(64)}`, mediaType: "x", bytes: Buffer.from("{}") };
  const putting = client.repository({ registry: server.host, repository: "a" }).putManifest("1", manifest);
  await expect(putting).rejects.toMatchObject({
    kind: "refused",
    message: expect.stringContaining(`, 307: it points to ${other.url}/v2/a/manifests/1, and`),
  });
  expect(other.seen).toEqual([]);
});

test("a redirect to what is no address is told with what it says", async () => {
  const server = await serve((_, _url, answer) => void answer.writeHead(307, { location: "https://[bad" }).end());
  await using client = registryClient({ clock: fixedClock() });
  await expect(client.repository({ registry: server.host, repository: "a" }).getManifest("1")).rejects.toThrow(
    'it redirects to "https://[bad", which is no address',
  );
});

test("E11: a token of ECR goes to ECR's hosts alone", async () => {
  const asked: string[] = [];
  const provider = ecrCredentials(
    (ecr) => (asked.push(`${ecr.account}/${ecr.region}`), Promise.resolve(Buffer.from("AWS:p").toString("base64"))),
  );
  expect(await provider("111122223333.dkr.ecr.us-east-1.amazonaws.com.evil.example")).toBeUndefined();
  expect(asked).toEqual([]);
  expect(await provider("111122223333.dkr.ecr.us-east-1.amazonaws.com")).toEqual({
    kind: "password",
    username: "AWS",
    password: "p",
  });
});

test("private ECR answers behind one address for all accounts and regions", async () => {
  const server = await serve((request, _, answer) => void (request.method === "HEAD" ? head(answer) : answer.end()));
  const transport = transportFor({ ecrEndpoint: server.url, upstreams: { "quay.io": `${server.url}/mirror/quay/` } });
  await using client = registryClient({
    clock: fixedClock(),
    transport,
    credentials: ecrCredentials(() => Promise.resolve(Buffer.from("AWS:p").toString("base64"))),
  });
  await client.repository({ registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", repository: "quay/a" }).headManifest("1");
  await client.repository({ registry: "quay.io", repository: "bio/bwa" }).headManifest("2");
  expect(server.seen).toEqual([
    `HEAD /v2/111122223333/eu-west-1/quay/a/manifests/1 ${basicOf("AWS:p")}`,
    "GET /v2/ -",
    "HEAD /v2/mirror/quay/bio/bwa/manifests/2 -",
  ]);
});
