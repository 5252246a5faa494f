import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { CICD, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { ecrCredentials } from "../../oci/client/credentials.ts";
import { registryClient, type Repository } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { readManifest } from "../../oci/manifest.ts";
import { type DockerRegistry, startDockerRegistry } from "../../oci/testing/docker-registry.ts";
import { hostOf } from "../../local/ecr/testing/registry.ts";
import type { InProcess } from "./in-process.ts";

/** What `omx images build --json` prints. */
export interface Built {
  readonly status: string;
  readonly digest: string;
  readonly reason: string;
  readonly bytes?: number;
  readonly bytesMoved?: number;
  readonly bytesSaved?: number;
  readonly engine?: string;
}

interface Inside {
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly string[];
}

/** The cicd account's registry. */
export const HOME = hostOf(CICD);

/** A folder with a Dockerfile. */
export function source(cli: Pick<InProcess, "folder">, name: string, dockerfile: string): string {
  const folder = join(cli.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  return folder;
}

/** Local accounts to build into, and a registry that stands for quay.io. */
export interface BuildLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly upstream: DockerRegistry;
  /** Options of a command that reads quay.io. */
  readonly at: readonly string[];
  /** A repository upstream. */
  quay(repository: string): Repository;
  /** A repository of the cicd account's ECR. */
  inEcr(repository: string): Repository;
  /** Labels and layers of an image there. */
  inside(repository: string, digest: string): Promise<Inside>;
  /** Runs `omx images build`. */
  build(cli: InProcess, folder: string, image: string, ...flags: readonly string[]): Promise<Built>;
}

export async function openBuildLab(): Promise<BuildLab> {
  await using stack = new AsyncDisposableStack();
  const accounts = stack.use(await startAccounts());
  const upstream = stack.use(await startDockerRegistry());
  const clients = stack.use(registryClient());
  const token = async () =>
    (await new ECRClient(accounts.config()).send(new GetAuthorizationTokenCommand({}))).authorizationData![0]!.authorizationToken!;
  const ecr = stack.use(registryClient({ transport: transportFor({ ecrEndpoint: accounts.url }), credentials: ecrCredentials(token) }));
  const inEcr = (repository: string): Repository => ecr.repository({ registry: HOME, repository });
  const at = ["--profile", "cicd", "--upstream", `quay.io=${upstream.url}`];
  const held = stack.move();
  return {
    accounts,
    upstream,
    at,
    quay: (repository) => clients.repository({ registry: upstream.host, repository }),
    inEcr,
    inside: (repository, digest) => inside(inEcr(repository), digest),
    build: async (cli, folder, image, ...flags) =>
      (await cli.run("images", "build", folder, image, ...at, "--json", ...flags)).json<Built>(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function inside(repository: Repository, digest: string): Promise<Inside> {
  const stored = (await repository.getManifest(digest))!;
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind !== "image") throw new Error("an index");
  const { config, rootfs } = JSON.parse((await buffer(repository.blob(manifest.config).read())).toString("utf8"));
  return { labels: config.Labels, diffIds: rootfs.diff_ids };
}
