import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { z } from "zod";
import type { CredentialProvider } from "../../oci/client/credentials.ts";
import { ReleaseError } from "../errors.ts";

/** The two forms in use: ECR's own for pull-through cache (`accessToken`), and a plain password. */
const Secret = z.union([
  z
    .object({ username: z.string().min(1), accessToken: z.string().min(1) })
    .transform(({ username, accessToken: password }) => ({ username, password })),
  z.object({ username: z.string().min(1), password: z.string().min(1) }),
]);

/**
 * Credentials of upstream registries that lie in Secrets Manager; each is read once, when its registry is first asked.
 * Neither the value nor what is wrong with it is ever part of an error.
 * @param arns the secret of each registry: `docker.io` → `arn:aws:secretsmanager:…`
 */
export function secretCredentials(secrets: SecretsManagerClient, arns: Readonly<Record<string, string>>): CredentialProvider {
  const read = new Map<string, ReturnType<CredentialProvider>>();
  return (registry) => {
    const arn = arns[registry];
    if (arn === undefined) return Promise.resolve(undefined);
    const known = read.get(registry) ?? readSecret(secrets, registry, arn);
    read.set(registry, known);
    known.catch(() => read.delete(registry));
    return known;
  };
}

async function readSecret(secrets: SecretsManagerClient, registry: string, arn: string): ReturnType<CredentialProvider> {
  const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId: arn })).catch((error: Error) => {
    throw unreadable(registry, arn, `${error.name}: ${error.message}`);
  });
  const parsed = Secret.safeParse(parseJson(SecretString));
  if (!parsed.success) throw unreadable(registry, arn, 'it is not {"username": …, "accessToken": …} or {"username": …, "password": …}');
  return { kind: "password", ...parsed.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const unreadable = (registry: string, arn: string, why: string): ReleaseError =>
  new ReleaseError("AccessDenied", {
    says: `the credentials of ${registry} (${arn}) can't be used: ${why}`,
    fix: "correct the secret, or containers.credentials in omx.deploy.yaml, and deploy",
    blame: "user",
  });
