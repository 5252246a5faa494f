import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let secrets: SecretsManagerClient;
beforeAll(async () => {
  accounts = await startAccounts();
  secrets = new SecretsManagerClient(accounts.config());
});
afterAll(() => accounts[Symbol.asyncDispose]());

const valueOf = async (SecretId: string, more: object = {}) =>
  (await secrets.send(new GetSecretValueCommand({ SecretId, ...more }))).SecretString;

test("a secret is found by its name, its ARN and its ARN without the random end, and outlives a restart", async () => {
  const { ARN = "", VersionId } = await secrets.send(
    new CreateSecretCommand({ Name: "team/hub", SecretString: "one", Tags: [{ Key: "team", Value: "phages" }] }),
  );
  expect(ARN).toMatch(new RegExp(`^arn:aws:secretsmanager:${REGION}:${CICD}:secret:team/hub-.{6}$`));
  for (const id of ["team/hub", ARN, ARN.slice(0, -7)]) expect(await valueOf(id)).toBe("one");
  for (const id of ["team/other", `${ARN.slice(0, -6)}zzzzzz`, ARN.replace(REGION, "eu-west-1"), "team"])
    await expect(valueOf(id)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(secrets.send(new CreateSecretCommand({ Name: "team/hub", SecretString: "x" }))).rejects.toMatchObject({
    name: "ResourceExistsException",
  });
  await accounts.restart();
  secrets = new SecretsManagerClient(accounts.config());
  expect(await valueOf("team/hub")).toBe("one");
  expect(await secrets.send(new DescribeSecretCommand({ SecretId: "team/hub" }))).toMatchObject({
    ARN,
    Tags: [{ Key: "team", Value: "phages" }],
    VersionIdsToStages: { [VersionId!]: ["AWSCURRENT"] },
  });
});

test("a new value is current, the one before is previous; bytes come back as bytes", async () => {
  const { VersionId: first } = await secrets.send(new CreateSecretCommand({ Name: "rotated", SecretString: "one" }));
  await secrets.send(
    new PutSecretValueCommand({ SecretId: "rotated", SecretBinary: Buffer.from([1, 2, 3]), ClientRequestToken: "0".repeat(32) }),
  );
  const { SecretBinary, SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: "rotated" }));
  expect([[...SecretBinary!], SecretString]).toEqual([[1, 2, 3], undefined]);
  expect(await valueOf("rotated", { VersionStage: "AWSPREVIOUS" })).toBe("one");
  expect(await valueOf("rotated", { VersionId: first })).toBe("one");
  await secrets.send(
    new PutSecretValueCommand({ SecretId: "rotated", SecretBinary: Buffer.from([1, 2, 3]), ClientRequestToken: "0".repeat(32) }),
  );
  await expect(
    secrets.send(new PutSecretValueCommand({ SecretId: "rotated", SecretString: "other", ClientRequestToken: "0".repeat(32) })),
  ).rejects.toMatchObject({ name: "ResourceExistsException" });
  await expect(secrets.send(new PutSecretValueCommand({ SecretId: "rotated" }))).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
});

test("a deleted secret waits out its window, or goes at once", async () => {
  for (const Name of ["slow", "fast"]) await secrets.send(new CreateSecretCommand({ Name, SecretString: Name }));
  await secrets.send(new DeleteSecretCommand({ SecretId: "slow" }));
  await expect(valueOf("slow")).rejects.toMatchObject({ name: "InvalidRequestException" });
  expect((await secrets.send(new DescribeSecretCommand({ SecretId: "slow" }))).DeletedDate).toBeInstanceOf(Date);
  await secrets.send(new DeleteSecretCommand({ SecretId: "fast", ForceDeleteWithoutRecovery: true }));
  await expect(valueOf("fast")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("IAM decides who reads, and what is not there answers 501 with its name", async () => {
  const { ARN } = await secrets.send(new CreateSecretCommand({ Name: "guarded", SecretString: "x" }));
  await expect(
    new SecretsManagerClient(accounts.config("developer")).send(new GetSecretValueCommand({ SecretId: ARN })),
  ).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringContaining("secretsmanager:GetSecretValue") });
  await expect(
    new SecretsManagerClient(accounts.config("production")).send(new GetSecretValueCommand({ SecretId: ARN })),
  ).rejects.toThrow();
  await expect(secrets.send(new ListSecretsCommand({}))).rejects.toThrow(/ListSecrets/);
});
