import { BatchGetImageCommand, CreatePullThroughCacheRuleCommand, DeletePullThroughCacheRuleCommand } from "@aws-sdk/client-ecr";
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateSecretCommand, DeleteSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RegistryClient, registryClient } from "../../../oci/client/registry-client.ts";
import { digestOf } from "../../../oci/digest.ts";
import { type DockerRegistry, startDockerRegistry } from "../../../oci/testing/docker-registry.ts";
import { noise, pushSample } from "../../../oci/testing/sample-images.ts";
import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { type RegistryUser, signIn } from "../testing/registry.ts";

// Accounts and a registry of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

// The upstream is Debian's docker-registry with a password, under the name of Docker Hub.
const [USERNAME, TOKEN] = ["robot", "t0p-secret-token"];
const HTPASSWD = `${USERNAME}:$2b$05$abcdefghijklmnopqrstuu9em/cGY/fvWRoXd.WxFtaSUfDNGD9We\n`;

let registry: DockerRegistry;
let upstream: RegistryClient;
let accounts: TestAccounts;
let user: RegistryUser;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  registry = await startDockerRegistry(HTPASSWD);
  upstream = registryClient({ credentials: () => Promise.resolve({ kind: "password", username: USERNAME, password: TOKEN }) });
  accounts = await startAccounts({ upstreams: { "docker.io": registry.url } });
  user = await signIn(accounts);
  secrets = new SecretsManagerClient(accounts.config());
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
  await upstream.close();
  await registry[Symbol.asyncDispose]();
});

const push = (repository: string) =>
  pushSample(upstream.repository({ registry: registry.host, repository }), "1", { layers: [noise(repository, 40_000)] });
const valueOf = (accessToken: string) => JSON.stringify({ username: USERNAME, accessToken });
const secret = async (Name: string, SecretString: string, more: object = {}) =>
  (await secrets.send(new CreateSecretCommand({ Name: `ecr-pullthroughcache/${Name}`, SecretString, ...more }))).ARN!;
const rule = (ecrRepositoryPrefix: string, credentialArn: string) =>
  user.ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix, upstreamRegistryUrl: "registry-1.docker.io", credentialArn }));
const get = (repositoryName: string) => user.ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "1" }] }));

test("a rule signs in upstream with its secret, which is seen nowhere", async () => {
  const { digest } = await push("library/tool");
  await rule("hub", await secret("hub", valueOf(TOKEN)));
  const { images } = await get("hub/library/tool");
  expect(images?.[0]?.imageId?.imageDigest).toBe(digest);
  const layer = await user.http("GET", `hub/library/tool/blobs/${digestOf(noise("library/tool", 40_000))}`);
  expect((await layer.arrayBuffer()).byteLength).toBe(40_000);
  expect(accounts.log.join("\n")).not.toContain(TOKEN);
});

test("a secret that is wrong is told as upstream's refusal, and read anew once it was changed", async () => {
  const { digest } = await push("library/rotated");
  const arn = await secret("rotated", valueOf("another-t0ken"));
  await rule("rotated", arn);
  const { failures } = await get("rotated/library/rotated");
  expect(failures?.[0]?.failureCode).toBe("UpstreamAccessDenied");
  expect(JSON.stringify(failures) + accounts.log.join("\n")).not.toContain("another-t0ken");
  await secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: '{"user":"robot"}' }));
  expect((await get("rotated/library/rotated")).failures?.[0]).toMatchObject({
    failureCode: "UpstreamAccessDenied",
    failureReason: expect.stringContaining('is not {"username"'),
  });
  await secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: valueOf(TOKEN) }));
  expect((await get("rotated/library/rotated")).images?.[0]?.imageId?.imageDigest).toBe(digest);
});

test("without a secret, what wants a password is refused", async () => {
  await push("library/open");
  await user.ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "open", upstreamRegistryUrl: "registry-1.docker.io" }));
  expect((await get("open/library/open")).failures?.[0]?.failureCode).toBe("UpstreamAccessDenied");
});

test("rules are refused for secrets that can't be read, as AWS refuses them", async () => {
  const arn = (account: string, name: string) => `arn:aws:secretsmanager:${REGION}:${account}:secret:${name}`;
  await expect(rule("bad", arn(CICD, "ecr-pullthroughcache/nobody-abcdef"))).rejects.toMatchObject({ name: "SecretNotFoundException" });
  await expect(rule("bad", arn(PRODUCTION, "ecr-pullthroughcache/hub-abcdef"))).rejects.toMatchObject({
    name: "UnableToAccessSecretException",
  });
  await secrets.send(new CreateSecretCommand({ Name: "elsewhere", SecretString: valueOf(TOKEN) }));
  await expect(rule("bad", arn(CICD, "elsewhere"))).rejects.toMatchObject({
    name: "UnableToAccessSecretException",
    message: expect.stringContaining("ecr-pullthroughcache/"),
  });
  const kms = new KMSClient(accounts.config());
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  const locked = await secret("locked", valueOf(TOKEN), { KmsKeyId: KeyMetadata!.KeyId });
  await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata!.KeyId }));
  await expect(rule("bad", locked)).rejects.toMatchObject({ name: "UnableToDecryptSecretValueException" });
});

test("a secret that is deleted later ends the pulls of its rule", async () => {
  await push("library/ended");
  const arn = await secret("ended", valueOf(TOKEN));
  await rule("ended", arn);
  await secrets.send(new DeleteSecretCommand({ SecretId: arn, ForceDeleteWithoutRecovery: true }));
  await expect(get("ended/library/ended")).rejects.toMatchObject({ name: "UnableToGetUpstreamImageException" });
  expect((await user.http("GET", "ended/library/ended/manifests/1")).status).toBe(403);
  await user.ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "ended" }));
});
