import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import type { PrivateEcr } from "../../kit/image-ref-ecr.ts";

/** Who asks a registry. An identity token is what `docker login` keeps instead of a password for some registries. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "identityToken"; readonly token: string };

/** Finds the credentials for a registry by its name (`docker.io`, `quay.io`); undefined asks without any. */
export type CredentialProvider = (registry: string) => Promise<Credentials | undefined>;

/** Asks every registry without credentials. */
export const anonymous: CredentialProvider = () => Promise.resolve(undefined);

/** The first provider that knows the registry answers. */
export function firstOf(...providers: readonly CredentialProvider[]): CredentialProvider {
  return async (registry) => {
    for (const provider of providers) {
      const found = await provider(registry);
      if (found) return found;
    }
    return undefined;
  };
}

/**
 * Credentials of private ECR, for its own hosts and no other.
 * @param authorizationToken answers ECR's GetAuthorizationToken: base64 of `AWS:` and the password
 */
export function ecrCredentials(authorizationToken: (ecr: PrivateEcr) => Promise<string>): CredentialProvider {
  return async (registry) => {
    const ecr = readPrivateEcrHost(registry);
    return ecr && passwordFrom(await authorizationToken(ecr));
  };
}

/** Reads base64 of `user:password`, as in ECR's tokens and Docker's configuration. */
export function passwordFrom(base64: string): Credentials | undefined {
  const text = Buffer.from(base64, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  return colon < 1 ? undefined : { kind: "password", username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The Basic header; undefined without a password. */
export const basic = (credentials: Credentials | undefined): string | undefined =>
  credentials?.kind === "password"
    ? `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`
    : undefined;

/** What a server said, without what it was told: one that quotes its request must not bring a password into a log. */
export function withoutSecrets(text: string, ...told: readonly (string | undefined)[]): string {
  const secrets = told.flatMap((header) => {
    const [, value = header ?? ""] = header?.split(" ") ?? [];
    return [
      value,
      ...(header?.startsWith("Basic ")
        ? [passwordFrom(value)].flatMap((found) => (found?.kind === "password" ? [found.password] : []))
        : []),
    ];
  });
  // Shorter ones would take words out of every sentence.
  return secrets.filter((secret) => secret.length > 3).reduce((left, secret) => left.replaceAll(secret, "***"), text);
}
