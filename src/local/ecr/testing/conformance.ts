import { createHash } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { createRepository, type RegistryUser, signIn } from "./registry.ts";

// What the conformance suite of distribution-spec 1.1 asks of a registry, in our own words: every form of upload with
// both algorithms, every kind of manifest, and their way from push to deletion.

export type Algorithm = "sha256" | "sha512";

/** Two repositories of the registry. */
export const ONE = "conformance/one";
export const TWO = "conformance/two";

export const digestBy = (algorithm: Algorithm, bytes: Uint8Array | string): string => `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
export const octets = { "content-type": "application/octet-stream" };
export const locationOf = (answer: Response): string => answer.headers.get("location")!;

/** A registry with the two repositories, for the tests of one file. */
export function conformanceRegistry(): { readonly user: RegistryUser; readonly url: string; readonly dataDir: string } {
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
    get dataDir() {
      return accounts.dataDir;
    },
    get url() {
      return accounts.url;
    },
  };
}
