import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { memoryBlob } from "../testing/sample-images.ts";
import { trustedTls } from "../testing/tls.ts";
import type { Credentials } from "./credentials.ts";
import { dockerConfigCredentials } from "./docker-config.ts";
import { registryClient } from "./registry-client.ts";

const SECRET = "s3cret-of-the-registry";

/** Docker's configuration, and a credential program `docker-credential-omx-<name>` on PATH that does this. */
async function dockerWith(config: object | string, program?: { readonly name: string; readonly does: string }, helperTimeoutMs?: number) {
  const folder = await mkdtemp(join(tmpdir(), "omx-docker-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "config.json");
  await writeFile(file, typeof config === "string" ? config : JSON.stringify(config));
  if (program) {
    const path = join(folder, `docker-credential-omx-${program.name}`);
    await writeFile(path, `#!/bin/sh\nread host || true\n${program.does}\n`);
    await chmod(path, 0o755);
    const before = process.env["PATH"] ?? "";
    process.env["PATH"] = `${folder}:${before}`;
    onTestFinished(() => void (process.env["PATH"] = before));
  }
  return dockerConfigCredentials(file, helperTimeoutMs);
}

test("a credential program for one registry, or for all, is asked by Docker's key", async () => {
  const does = `case "$host" in quay.io) echo '{"ServerURL":"quay.io","Username":"robot","Secret":"${SECRET}"}';; https://index.docker.io/v1/) echo '{"Username":"<token>","Secret":"${SECRET}"}';; empty.example) echo '{"Username":"","Secret":""}';; *) echo "credentials not found in native keychain"; exit 1;; esac`;
  const ofAll = await dockerWith(
    { credsStore: "omx-all", auths: { "ghcr.io": { auth: Buffer.from("me:kept").toString("base64") }, "gone.example": null } },
    { name: "all", does },
  );
  expect(await ofAll("quay.io")).toEqual({ kind: "password", username: "robot", password: SECRET });
  expect(await ofAll("docker.io")).toEqual({ kind: "identityToken", token: SECRET });
  expect(await ofAll("ghcr.io")).toEqual({ kind: "password", username: "me", password: "kept" });
  expect([await ofAll("empty.example"), await ofAll("gone.example")]).toEqual([undefined, undefined]);
  const ofOne = await dockerWith({ credHelpers: { "quay.io": "omx-one" } }, { name: "one", does });
  expect([(await ofOne("quay.io"))?.kind, await ofOne("docker.io")]).toEqual(["password", undefined]);
});

test.each([
  ["answers something else", `echo '${SECRET}, hello'`, 'is not {"Username"'],
  ["answers half", `echo '{"Secret":"${SECRET}"}'`, 'is not {"Username"'],
  ["fails after it answered", `echo '{"Username":"x","Secret":"${SECRET}"}'; exit 1`, "it failed for quay.io"],
])("a credential program that %s is named, its answer is not", async (_how, does, says) => {
  const provider = await dockerWith({ credsStore: "omx-odd" }, { name: "odd", does });
  const error = await provider("quay.io").then(
    () => new Error("it was taken"),
    (failure: Error) => failure,
  );
  expect(error.message).toContain("docker-credential-omx-odd");
  expect(error.message).toContain(says);
  expect(error.message).not.toContain(SECRET);
});

test("a credential program that hangs is given up, although a program that it called holds its output open", async () => {
  const provider = await dockerWith(
    { credsStore: "omx-hangs" },
    { name: "hangs", does: 'sleep 30 & echo $! > "$(dirname "$0")/pid"; wait' },
    500,
  );
  const pid = join(process.env["PATH"]?.split(":")[0] ?? "", "pid");
  onTestFinished(() =>
    readFile(pid, "utf8").then(
      (text) => void process.kill(Number(text)),
      () => undefined,
    ),
  );
  await expect(provider("quay.io")).rejects.toThrow("did not answer for quay.io within 0.5 s");
}, 20_000);

test("a credential program that fails without a word, or is not there, is told with what to do", async () => {
  await expect((await dockerWith({ credsStore: "omx-mute" }, { name: "mute", does: "exit 3" }))("quay.io")).rejects.toThrow(
    "see what it says to: echo quay.io | docker-credential-omx-mute get",
  );
  await expect((await dockerWith({ credsStore: "omx-absent" }))("quay.io")).rejects.toThrow(
    /ENOENT.*config\.json names it: install it, or take it out of credsStore/,
  );
});

test.each(["quay.io", "https://quay.io", "https://quay.io/v2/", "Quay.IO", "quay.io:443"])(
  "a login that Docker's configuration keeps for %s is the registry's",
  async (key) => {
    const login = (who: string) => ({ auth: Buffer.from(`${who}:${SECRET}`).toString("base64") });
    const provider = await dockerWith({
      auths: { "https://quay.io/v1/": {}, "quay.io/lab": login("lab"), [key]: login("me"), "not a host": login("x") },
    });
    expect(await provider("quay.io")).toEqual({ kind: "password", username: "me", password: SECRET });
  },
);

test("of a configuration that is none the file is named, its text is not", async () => {
  for (const text of [`{"auths": {"quay.io": {"auth": "${SECRET}"`, `["${SECRET}"]`]) {
    const error = await (
      await dockerWith(text)
    )("quay.io").then(
      () => new Error("it was taken"),
      (failure: Error) => failure,
    );
    expect([error.message.includes("not a JSON object"), error.message.includes(SECRET)]).toEqual([true, false]);
  }
});

test("a token server that is asked by TLS and points to the same host in the clear gets no password there", async () => {
  using tls = trustedTls();
  const told: (string | undefined)[] = [];
  const plain = createServer((request, answer) => void (told.push(request.headers.authorization), answer.end('{"token":"t"}')));
  const listen = async (server: Server): Promise<string> => {
    await new Promise<void>((resolve) => server.listen(0, resolve));
    onTestFinished(() => void server.close());
    return `localhost:${(server.address() as AddressInfo).port}`;
  };
  const inTheClear = await listen(plain);
  const registry = await listen(
    createTlsServer(tls, (request, answer) => {
      if (request.url?.startsWith("/token")) return void answer.writeHead(307, { location: `http://${inTheClear}/token` }).end();
      answer
        .writeHead(request.headers.authorization ? 404 : 401, {
          "www-authenticate": `Bearer realm="https://${request.headers.host}/token"`,
        })
        .end();
    }),
  );
  await using client = registryClient({
    transport: () => ({ origin: `https://${registry}`, prefix: "" }),
    credentials: () => Promise.resolve({ kind: "password", username: "robot", password: SECRET }),
  });
  expect(await client.repository({ registry: "registry.example", repository: "a" }).getManifest("1")).toBeUndefined();
  expect(told).toEqual([undefined]);
});

test.each([
  ["a password", { kind: "password", username: "robot", password: SECRET }, "Basic"],
  ["a password for a token", { kind: "password", username: "robot", password: SECRET }, "Bearer"],
  ["an identity token", { kind: "identityToken", token: SECRET }, "Bearer"],
] as readonly (readonly [string, Credentials, "Basic" | "Bearer"])[])(
  "a registry that quotes what it was sent brings %s into no error",
  async (_what, credentials, scheme) => {
    const server = createServer((request, answer) => {
      let sent = `${request.headers.authorization} ${Buffer.from(request.headers.authorization?.split(" ")[1] ?? "", "base64").toString()}`;
      request.on("data", (chunk) => (sent += decodeURIComponent(String(chunk))));
      const challenge = scheme === "Basic" ? "Basic realm=x" : `Bearer realm="http://${request.headers.host}/token"`;
      request.on("end", () =>
        answer
          .writeHead(request.url === "/v2/" ? 401 : 403, { "www-authenticate": challenge })
          .end(JSON.stringify({ errors: [{ code: "DENIED", message: `you sent ${sent}` }] })),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void (server.closeAllConnections(), server.close()));
    await using client = registryClient({ credentials: () => Promise.resolve(credentials) });
    const repository = client.repository({ registry: `127.0.0.1:${(server.address() as AddressInfo).port}`, repository: "a" });
    const error = await repository.getManifest("1").then(
      () => new Error("it was answered"),
      (failure: Error) => failure,
    );
    expect(error.message).toContain("DENIED: you sent");
    expect(error.message).toContain("***");
    for (const secret of [SECRET, Buffer.from(`robot:${SECRET}`).toString("base64")])
      expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(secret);
  },
);

test("a registry behind a proxy that ends TLS may call itself http: uploads and further pages stay with TLS", async () => {
  using tls = trustedTls();
  const bytes = Buffer.alloc(4_500_000, "x");
  const seen: string[] = [];
  const server = createTlsServer(tls, (request, answer) => {
    const self = `http://${request.headers.host}/v2/a`;
    request.resume().on("end", () => {
      seen.push(`${request.method} ${request.url?.replace(/sha256.*/, "")}`);
      if (request.url?.includes("/referrers/")) {
        const isLast = request.url.includes("last=1");
        const page = JSON.stringify({ manifests: [{ mediaType: "a", digest: isLast ? "second" : "first", size: 1 }] });
        return void answer.writeHead(200, isLast ? {} : { link: `<${self}/referrers/x?last=1>; rel="next"` }).end(page);
      }
      answer
        .writeHead(request.method === "GET" ? 200 : request.method === "PUT" ? 201 : 202, { location: `${self}/blobs/uploads/1` })
        .end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  await using client = registryClient({
    transport: () => ({ origin: `https://localhost:${(server.address() as AddressInfo).port}`, prefix: "" }),
  });
  const repository = client.repository({ registry: "registry.example", repository: "a" });
  expect((await repository.listReferrers("x")).map(({ digest }) => digest)).toEqual(["first", "second"]);
  expect(await repository.uploadBlob(memoryBlob(bytes))).toBe(bytes.length);
  expect(seen.slice(-3)).toEqual(["POST /v2/a/blobs/uploads/", "PATCH /v2/a/blobs/uploads/1", "PUT /v2/a/blobs/uploads/1?digest="]);
});
