import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { systemRandom } from "../../kit/random.ts";
import { digestOf } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { noise } from "../testing/sample-images.ts";
import { DEFAULT_RETRIES } from "./backoff.ts";
import { ecrCredentials } from "./credentials.ts";
import type { CredentialProvider } from "./credentials.ts";
import { Gate } from "./gate.ts";
import { Patience } from "./patience.ts";
import { registryClient } from "./registry-client.ts";
import type { RegistryClientOptions } from "./registry-client.ts";
import { transportFor } from "./transport.ts";

const HOUR_MS = 3_600_000;
const ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const EXPIRED = JSON.stringify({
  errors: [{ code: "DENIED", message: "Your authorization token has expired. Reauthenticate and try again." }],
});

const fixedClock = (): Clock & { nowMs: number } => {
  const clock = { nowMs: 0, now: () => new Date(clock.nowMs), sleep: (ms: number) => ((clock.nowMs += ms), Promise.resolve()) };
  return clock;
};

async function serve(handler: (request: IncomingMessage, answer: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const BLOB = noise("long run", 5 * 1024 * 1024);

/** An ECR whose tokens last 12 hours, and one user's client of it. `asked` is how often a token was asked for. */
async function tokensThatEnd(more: Partial<RegistryClientOptions> = {}) {
  const clock = fixedClock();
  const known = { asked: 0, refused: 0 };
  const url = await serve((request, answer) => {
    request.resume();
    const issuedAt = Number(
      Buffer.from(request.headers.authorization?.slice("Basic ".length) ?? "", "base64")
        .toString()
        .split(":")[1],
    );
    if (clock.nowMs - issuedAt >= 12 * HOUR_MS) {
      known.refused += 1;
      return void answer.writeHead(403).end(request.method === "HEAD" ? undefined : EXPIRED);
    }
    const { method, url: path = "" } = request;
    if (method === "POST") return void answer.writeHead(202, { location: `${path}1` }).end();
    if (method === "PATCH")
      return void request.on("end", () => answer.writeHead(202, { location: path, range: `0-${BLOB.length - 1}` }).end());
    if (method === "PUT") return void answer.writeHead(201).end();
    if (method === "HEAD")
      return void answer.writeHead(200, { "docker-content-digest": digestOf(BLOB), "content-length": String(BLOB.length) }).end();
    answer.end(BLOB);
  });
  const provider: CredentialProvider = ecrCredentials(
    () => ((known.asked += 1), Promise.resolve(Buffer.from(`AWS:${clock.nowMs}`).toString("base64"))),
  );
  const client = registryClient({ clock, transport: transportFor({ ecrEndpoint: url }), credentials: provider, ...more });
  onTestFinished(() => client.close());
  return { clock, known, repository: client.repository({ registry: ECR, repository: "quay/tool" }) };
}

const blob = { digest: digestOf(BLOB), size: BLOB.length };
const source = {
  blob,
  async *read(offset = 0) {
    yield BLOB.subarray(offset);
  },
};

test.each([
  [
    "a tag is looked up",
    async ({ repository }: Awaited<ReturnType<typeof tokensThatEnd>>) =>
      void expect(await repository.headManifest("1")).toMatchObject({ digest: blob.digest }),
  ],
  ["a layer is looked for", async ({ repository }) => void expect(await repository.headBlob(blob.digest)).toBe(blob.size)],
  [
    "a layer is read",
    async ({ repository }) => {
      let bytes = 0;
      for await (const chunk of repository.blob(blob).read()) bytes += chunk.length;
      expect(bytes).toBe(blob.size);
    },
  ],
  ["an upload is opened", async ({ repository }) => void expect(await repository.beginUpload()).toBeDefined()],
  [
    "a manifest is stored",
    async ({ repository }) =>
      void expect(await repository.putManifest("1", { mediaType: "x", bytes: Buffer.from("{}") })).toBe(digestOf(Buffer.from("{}"))),
  ],
] as readonly (readonly [string, (lab: Awaited<ReturnType<typeof tokensThatEnd>>) => Promise<void>])[])(
  "ECR's token that ended in the middle of a run is asked for anew where %s",
  async (_name, work) => {
    const lab = await tokensThatEnd();
    await lab.repository.headManifest("before");
    lab.clock.nowMs += 13 * HOUR_MS;
    await work(lab);
    expect([lab.known.asked, lab.known.refused]).toEqual([2, 1]);
  },
);

test("an upload on whose way the token ends is sent again with a new one", async () => {
  const lab = await tokensThatEnd();
  const session = await lab.repository.beginUpload();
  lab.clock.nowMs += 13 * HOUR_MS;
  await lab.repository.uploadBlob(source, session);
  expect(lab.known.asked).toBe(2);
});

test("requests that find the token ended at the same moment ask for one new token", async () => {
  const lab = await tokensThatEnd();
  await lab.repository.headManifest("before");
  lab.clock.nowMs += 13 * HOUR_MS;
  await Promise.all(Array.from({ length: 10 }, (_none, index) => lab.repository.headBlob(digestOf(Buffer.from(String(index))))));
  expect(lab.known.asked).toBe(2);
});

test("what is forbidden stays so, without a token for each question", async () => {
  let [asked, requests] = [0, 0];
  const url = await serve(
    (request, answer) => (
      (requests += 1),
      request.resume(),
      answer
        .writeHead(403)
        .end(
          request.method === "HEAD" ? undefined : '{"errors":[{"code":"DENIED","message":"not authorized to perform: ecr:BatchGetImage"}]}',
        )
    ),
  );
  const credentials = ecrCredentials(() => ((asked += 1), Promise.resolve(Buffer.from(`AWS:${asked}`).toString("base64"))));
  await using client = registryClient({ clock: fixedClock(), transport: transportFor({ ecrEndpoint: url }), credentials });
  for (const tag of ["1", "2", "3"])
    await expect(client.repository({ registry: ECR, repository: "a" }).headManifest(tag)).rejects.toThrow(
      "not authorized to perform: ecr:BatchGetImage",
    );
  expect([asked, requests]).toEqual([1, 6]);
});

test("waits are told as they begin, and an error says how often it was tried or until when it is no use", async () => {
  let retryAfter: string | undefined;
  const url = await serve((_request, answer) => answer.writeHead(429, retryAfter === undefined ? {} : { "retry-after": retryAfter }).end());
  const clock = fixedClock();
  const waits: number[] = [];
  await using client = registryClient({ clock, transport: transportFor({ ecrEndpoint: url }), onWait: ({ ms }) => void waits.push(ms) });
  const repository = client.repository({ registry: ECR, repository: "a" });
  await expect(repository.headManifest("1")).rejects.toThrow(/is asked too often .*, 429; 11 tries ended so$/);
  expect(waits).toHaveLength(10);
  retryAfter = "30";
  await expect(repository.headManifest("1")).rejects.toThrow("11 tries ended so");
  expect(waits.slice(10).every((ms) => ms >= 30_000)).toBe(true);
  clock.nowMs = 0;
  retryAfter = new Date(6 * HOUR_MS).toUTCString();
  await expect(repository.headManifest("1")).rejects.toThrow("it asks to be left alone until 1970-01-01 06:00 UTC");
  expect(waits).toHaveLength(20);
});

test("one that asks to be left alone for hours is not waited for by the next image", async () => {
  const url = await serve(
    (request, answer) =>
      void (request.url?.endsWith("/1") ? answer.writeHead(429, { "retry-after": "21600" }).end() : answer.writeHead(404).end()),
  );
  const clock = fixedClock();
  await using client = registryClient({ clock, transport: transportFor({ ecrEndpoint: url }) });
  const repository = client.repository({ registry: ECR, repository: "a" });
  await expect(repository.getManifest("1")).rejects.toMatchObject({ kind: "throttled" });
  expect([await repository.getManifest("2"), clock.nowMs]).toEqual([undefined, 0]);
});

test("while one image waits as the registry asked, the others read and write nothing there", async () => {
  let requests = 0;
  const url = await serve(
    (request, answer) => ((requests += 1), request.resume(), void answer.writeHead(429, { "retry-after": "7" }).end()),
  );
  const waiting: { readonly ms: number; readonly signal: AbortSignal | undefined }[] = [];
  const clock: Clock = {
    now: () => new Date(0),
    sleep: (ms, signal) => (
      waiting.push({ ms, signal }),
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("ended"))))
    ),
  };
  await using client = registryClient({ clock, transport: transportFor({ ecrEndpoint: url }) });
  const ending = new AbortController();
  const repository = client.repository({ registry: ECR, repository: "a" }, { signal: ending.signal });
  const asked = [repository.getManifest("1").catch((error: Error) => error.message)];
  await vi.waitFor(() => expect(waiting).toHaveLength(1), { timeout: 60_000 });
  asked.push(
    repository.getManifest("2").catch((error: Error) => error.message),
    repository.putManifest("3", { mediaType: "x", bytes: Buffer.from("{}") }).catch((error: Error) => error.message),
  );
  await vi.waitFor(() => expect([waiting.length, requests]).toEqual([3, 1]), { timeout: 60_000 });
  ending.abort(new Error("ended"));
  expect([await Promise.all(asked), waiting.every(({ ms }) => ms >= 7000)]).toEqual([["ended", "ended", "ended"], true]);
});

test("a registry that asks for less patience than a moment ago gets as much as then", async () => {
  const clock = fixedClock();
  const gate = new Gate(1, clock);
  gate.quietFor(10_000);
  gate.quietFor(1000);
  await gate.pass(() => Promise.resolve());
  expect(clock.nowMs).toBe(10_000);
});

test("who gives up waiting for a place takes none", async () => {
  const gate = new Gate(1, fixedClock());
  const leaving = Promise.withResolvers<void>();
  const ending = new AbortController();
  const [first, second, third] = [
    gate.pass(() => leaving.promise),
    gate.pass(() => Promise.resolve("second"), ending.signal).catch((error: Error) => error.message),
    gate.pass(() => Promise.resolve("third")),
  ];
  ending.abort(new Error("given up"));
  leaving.resolve();
  await first;
  expect(await Promise.all([second, third])).toEqual(["given up", "third"]);
});

test("of a registry that was silent for minutes only two more tries are made", async () => {
  let tries = 0;
  const patience = new Patience({ retries: DEFAULT_RETRIES, clock: fixedClock(), random: systemRandom });
  const silent = () =>
    Promise.reject(
      ((tries += 1),
      new RegistryError({
        kind: "unavailable",
        registry: "quay.io",
        doing: "read a",
        says: "Headers Timeout Error",
        code: "UND_ERR_HEADERS_TIMEOUT",
      })),
    );
  await expect(patience.again(silent)).rejects.toThrow("3 tries ended so");
  expect(tries).toBe(3);
});

test("a registry that never says who it is for, what a tag means, or a token is given up after as many minutes as tries", async () => {
  const silences = ["/v2/", "/v2/a/manifests/1", "/token"].map(async (silent) => {
    const seen: string[] = [];
    const url = await serve((request, answer) => {
      const path = (request.url ?? "").replace(/\?.*/, "");
      seen.push(path);
      if (path === silent) return;
      if (path === "/token") return void answer.end('{"token": "t"}');
      answer
        .writeHead(request.headers.authorization ? 200 : 401, { "www-authenticate": `Bearer realm="http://${request.headers.host}/token"` })
        .end();
    });
    await using client = registryClient({
      transport: transportFor({ upstreams: { "quay.io": url } }),
      clock: fixedClock(),
      silenceMs: 1000,
      retries: { attempts: 2 },
    });
    await expect(client.repository({ registry: "quay.io", repository: "a" }).headManifest("1")).rejects.toMatchObject({
      registry: "quay.io",
      code: "UND_ERR_HEADERS_TIMEOUT",
    });
    expect(seen.filter((path) => path === silent)).toHaveLength(2);
  });
  await Promise.all(silences);
});

test("a registry that does not answer at all is tried seven times, not seven times seven, and by the next image not at once again", async () => {
  let requests = 0;
  const url = await serve((_request, answer) => ((requests += 1), answer.writeHead(503).end()));
  const clock = fixedClock();
  await using client = registryClient({ clock, transport: () => ({ origin: url, prefix: "" }) });
  const ask = (repository: string) =>
    expect(client.repository({ registry: "quay.io", repository }).headManifest("1")).rejects.toThrow(
      "reach the registry), 503; 7 tries ended so",
    );
  await ask("a");
  expect(requests).toBe(7);
  const triedAt = clock.nowMs;
  await ask("b");
  expect([requests, clock.nowMs]).toEqual([7, triedAt]);
  clock.nowMs += 6000;
  await ask("a");
  expect(requests).toBe(14);
});
