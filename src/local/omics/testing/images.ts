import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand, SetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { passwordFrom } from "../../../oci/client/credentials.ts";
import { registryClient } from "../../../oci/client/registry-client.ts";
import { type BuiltImage, imageOf, pushImage } from "../../../oci/image/built-image.ts";
import { assembleHostImage } from "../../../oci/image/host-image.ts";
import type { ClientConfig } from "../../testing/accounts.ts";

const READ = ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"];

/** A statement of a repository policy that lets HealthOmics read. */
export const LET_OMICS_READ = { Sid: "omics", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: READ };

/** A statement that lets another account read. */
export const letAccountRead = (account: string) => ({
  Sid: "account",
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${account}:root` },
  Action: READ,
});

interface PushedImage {
  /** The canonical URI, with the tag `1`. */
  readonly uri: string;
  readonly digest: string;
}

/** Pushes an image of this machine's own programs into a new repository. */
export async function pushHostImage(config: ClientConfig, repositoryName: string, policy?: readonly object[]): Promise<PushedImage> {
  const folder = mkdtempSync(join(tmpdir(), "omx-host-image-"));
  try {
    return await push(config, { repositoryName, policy, image: await assembleHostImage({ folder }) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Pushes an image that holds no program at all. */
export const pushEmptyImage = (config: ClientConfig, repositoryName: string, policy: readonly object[]): Promise<PushedImage> =>
  push(config, {
    repositoryName,
    policy,
    image: imageOf({ platform: { os: "linux", architecture: "amd64" }, config: {}, history: [], layers: [] }),
  });

interface Pushing {
  readonly repositoryName: string;
  readonly policy: readonly object[] | undefined;
  readonly image: BuiltImage;
}

async function push(config: ClientConfig, { repositoryName, policy, image }: Pushing): Promise<PushedImage> {
  const ecr = new ECRClient(config);
  const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  await setPolicy(config, repositoryName, policy);
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const credentials = passwordFrom(authorizationData[0]?.authorizationToken ?? "");
  await using client = registryClient({ credentials: () => Promise.resolve(credentials) });
  const at = { registry: new URL(config.endpoint).host, repository: `${repository?.registryId}/${config.region}/${repositoryName}` };
  const { digest } = await pushImage(client.repository(at), "1", image);
  return { uri: `${repository?.repositoryUri}:1`, digest };
}

export async function setPolicy(config: ClientConfig, repositoryName: string, statements: readonly object[] | undefined): Promise<void> {
  if (statements === undefined) return;
  const policyText = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  await new ECRClient(config).send(new SetRepositoryPolicyCommand({ repositoryName, policyText, force: true }));
}
