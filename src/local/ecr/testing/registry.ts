import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { ecrCredentials } from "../../../oci/client/credentials.ts";
import { registryClient, type RegistryClient, type Repository } from "../../../oci/client/registry-client.ts";
import { transportFor } from "../../../oci/client/transport.ts";
import { CICD, REGION, type ClientConfig, type TestAccounts } from "../../testing/accounts.ts";

type Profile = Parameters<TestAccounts["config"]>[0];

/** Clients of the registry as one identity: the API, our registry client, and HTTP as it is. */
export interface RegistryUser extends AsyncDisposable {
  readonly ecr: ECRClient;
  readonly client: RegistryClient;
  readonly config: ClientConfig;
  /** `AWS:` and the password of `aws ecr get-login-password`. */
  readonly password: string;
  /** A repository of the cicd account, or of the account given. */
  repository(name: string, account?: string): Repository;
  /** A request under `/v2/<account>/<region>/<name>/`, signed in. A path that begins with a slash is taken as it is. */
  http(
    method: string,
    path: string,
    request?: { readonly body?: string | Uint8Array; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response>;
}

export const V2 = `/v2/${CICD}/${REGION}/`;
export const hostOf = (account: string): string => `${account}.dkr.ecr.${REGION}.amazonaws.com`;

/** Signs in as one of the identities. */
export async function signIn(accounts: Pick<TestAccounts, "config" | "url">, profile: Profile = "cicd"): Promise<RegistryUser> {
  const config = accounts.config(profile);
  const ecr = new ECRClient(config);
  const token = async () => (await ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData![0]!.authorizationToken!;
  const client = registryClient({
    transport: transportFor({ ecrEndpoint: accounts.url }),
    credentials: ecrCredentials(token),
    retries: { attempts: 1 },
  });
  const first = await token();
  return {
    ecr,
    client,
    config,
    password: Buffer.from(first, "base64").toString().slice("AWS:".length),
    repository: (repository, account = CICD) => client.repository({ registry: hostOf(account), repository }),
    http: (method, path, { body, headers = {} } = {}) =>
      fetch(new URL(path.startsWith("/") || path.startsWith("http") ? path : `${V2}${path}`, accounts.url), {
        method,
        headers: { authorization: `Basic ${first}`, ...headers },
        ...(body !== undefined && { body: body as NonNullable<RequestInit["body"]> }),
      }),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The code of a registry's refusal. */
export const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code;

/** Runs `skopeo copy`, its unpacked files in `folder`. */
export const skopeoCopy = (folder: string, ...args: readonly string[]) =>
  promisify(execFile)("skopeo", ["--insecure-policy", "--tmpdir", folder, "copy", "--quiet", "--preserve-digests", ...args]).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new Error("this test needs skopeo on PATH (Debian and Fedora: package skopeo)") : error;
    },
  );

/** A new repository of the cicd account. */
export const createRepository = (ecr: ECRClient, repositoryName: string, more: object = {}) =>
  ecr.send(new CreateRepositoryCommand({ repositoryName, ...more }));
