import { createHash } from "node:crypto";
import { type OutgoingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll } from "vitest";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { createRepository, type RegistryUser, signIn } from "./registry.ts";

// What the conformance suite of distribution-spec 1.1 asks of a registry, in our own words: every form of upload with
// both algorithms, every kind of manifest, and their way from push to deletion.

export type Algorithm = "sha256" | "sha512";

/** An answer as it came, its path sent as it was written: fetch would tidy it. */
export interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

type RawRequest = (method: string, path: string, more?: { readonly body?: string; readonly headers?: OutgoingHttpHeaders }) => Promise<Raw>;

/** Requests of a signed-in client that go out byte for byte, each header value of a list in a line of its own. */
export const rawRequests =
  (registry: { readonly url: string; readonly user: RegistryUser }): RawRequest =>
  (method, path, { body = "", headers = {} } = {}) =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(registry.url);
      const authorization = `Basic ${Buffer.from(`AWS:${registry.user.password}`).toString("base64")}`;
      const sent = request(
        { hostname, port, method, path, headers: { authorization, "content-length": String(Buffer.byteLength(body)), ...headers } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer
            .on("data", (chunk: Buffer) => chunks.push(chunk))
            .on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }))
            .on("error", reject);
        },
      );
      sent.on("error", reject).end(body);
    });

/** Two repositories of the registry. */
export const ONE = "conformance/one";
export const TWO = "conformance/two";

export const digestBy = (algorithm: Algorithm, bytes: Uint8Array | string): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
export const octets = { "content-type": "application/octet-stream" };
export const locationOf = (answer: Response): string => answer.headers.get("location")!;

/** A registry with the two repositories, for the tests of one file. */
export function conformanceRegistry(): {
  readonly user: RegistryUser;
  readonly url: string;
  readonly dataDir: string;
  readonly log: readonly string[];
} {
  let accounts: TestAccounts;
  let user: RegistryUser;
  beforeAll(async () => {
    accounts = await startAccounts();
    user = await signIn(accounts);
    for (const name of [ONE, TWO]) await createRepository(user.ecr, name);
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await accounts[Symbol.asyncDispose]();
  });
  return {
    get user() {
      return user;
    },
    get log() {
      return accounts.log;
    },
    get dataDir() {
      return accounts.dataDir;
    },
    get url() {
      return accounts.url;
    },
  };
}
